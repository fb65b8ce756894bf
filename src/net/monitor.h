/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "net/link.h"

struct monitor;

/* What happened to an interface since the last monitor_read(). */
struct monitor_changes {
        bool link_changed;
        struct link_info link; /* its latest state, if link_changed */
        bool came_up;          /* it was down in between */
        bool removed;          /* deleted, or moved to another network namespace */
        bool addresses_changed;
        bool routes_changed; /* the kernel may use another route, see monitor_read() */
        bool lost;           /* events were lost: anything may have happened */
};

int monitor_open(struct monitor **ret_monitor);
struct monitor *monitor_close(struct monitor *monitor);
int monitor_fd(const struct monitor *monitor);
int monitor_read(struct monitor *monitor, unsigned index, struct monitor_changes *ret_changes);
