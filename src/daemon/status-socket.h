/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

#include "daemon/privileges.h"

struct status_socket;

int status_new(struct status_socket **ret_status, const char *interface, const struct identity *owner);
struct status_socket *status_free(struct status_socket *status);

int status_fd(const struct status_socket *status);
int status_serve(const struct status_socket *status, const char *text, size_t size);
