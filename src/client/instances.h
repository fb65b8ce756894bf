/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

#include "client/snapshot.h"

/* Which instances to ask, and for how long to wait for them all. */
struct instances_query {
        const char *directory; /* one below it for each instance, with its socket */
        char *const *names;
        size_t n_names; /* 0: all that there are */
        int timeout_msec;
};

struct instances {
        struct snapshot *snapshots;
        size_t n;
};

int instances_read(const struct instances_query *query, struct instances *ret_instances);
void instances_free(struct instances *instances);
