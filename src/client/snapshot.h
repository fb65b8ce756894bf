/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "tunecho/status.h"

struct sessions;

/* The answers of an instance; without one, of the status only the interface is set. */
struct snapshot {
        int error; /* 0, or a negative errno: why there is no answer */
        struct status status;

        int sessions_error;
        struct sessions *sessions; /* NULL if they were not asked for, or there is no answer */
};

void snapshot_parse(struct snapshot *snapshot, char *text, size_t size);
void snapshot_parse_sessions(struct snapshot *snapshot, char *text, size_t size);
bool snapshot_is_running(const struct snapshot *snapshot);
const char *snapshot_state(const struct snapshot *snapshot);
