/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "tunecho/status.h"

/* The answer of an instance; without one, of the status only the interface is set. */
struct snapshot {
        int error; /* 0, or a negative errno: why there is no answer */
        struct status status;
};

void snapshot_parse(struct snapshot *snapshot, char *text, size_t size);
bool snapshot_is_running(const struct snapshot *snapshot);
const char *snapshot_state(const struct snapshot *snapshot);
