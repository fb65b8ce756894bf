/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "daemon/privileges.h"

struct status;
struct status_server;

/* Fills in the status, when a client asks for it. */
typedef void (*status_reader_t)(void *userdata, struct status *ret_status);

int status_server_new(struct status_server **ret_server, const char *interface, const struct identity *owner);
struct status_server *status_server_free(struct status_server *server);
int status_server_attach(struct status_server *server, sd_event *event, status_reader_t reader,
                         void *userdata);
