/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "daemon/privileges.h"

struct status_server;

/* Sends the answer to a client that has connected; the descriptor is the caller's, and does not block. */
typedef void (*status_answer_t)(void *userdata, int client);

int status_server_new(struct status_server **ret_server, const char *interface, const struct identity *owner);
struct status_server *status_server_free(struct status_server *server);
int status_server_attach(struct status_server *server, sd_event *event, status_answer_t status,
                         status_answer_t sessions, void *userdata);
