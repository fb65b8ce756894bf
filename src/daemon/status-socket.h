/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

#include "daemon/privileges.h"

struct status;

int status_new(struct status **ret_status, const char *interface, const struct identity *owner);
struct status *status_free(struct status *status);

int status_fd(const struct status *status);
int status_serve(const struct status *status, const char *text, size_t size);
