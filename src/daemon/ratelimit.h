/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define RATELIMIT_BURST_MAX 100

/* No interval has more than burst events, wherever it begins. */
struct ratelimit {
        uint64_t interval; /* in microseconds */
        unsigned burst;    /* up to RATELIMIT_BURST_MAX */

        uint64_t events[RATELIMIT_BURST_MAX]; /* when the last ones were, in microseconds */
        unsigned n, oldest;
};

bool ratelimit_check(struct ratelimit *limit, uint64_t now);
uint64_t ratelimit_next(const struct ratelimit *limit);
