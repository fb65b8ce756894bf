/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "client/snapshot.h"

/* Refreshes whose rates are kept: more than a terminal has columns. */
#define HISTORY_MAX 512

/* The sums first, then each verdict. */
enum counter {
        COUNTER_PACKETS,
        COUNTER_REPLIES,
        COUNTER_UNSENT,
        COUNTER_DROPPED,
        COUNTER_VERDICTS,
        _COUNTER_MAX = COUNTER_VERDICTS + _VERDICT_MAX,
};

/* The snapshots of one instance. A rate that is unknown is NAN. */
struct history {
        struct snapshot now; /* the latest */
        struct status last;  /* the latest answer */
        bool answered;       /* there is a latest answer */
        unsigned restarts;
        unsigned refresh; /* the number of the latest one that had a snapshot; kept by the caller */

        uint64_t change[_COUNTER_MAX]; /* since the first answer, across restarts */
        double per_second[_COUNTER_MAX];

        double packets[HISTORY_MAX]; /* per second; the oldest first */
        size_t n_packets;
};

uint64_t counter_get(const struct status *status, enum counter counter);
const char *counter_name(enum counter counter);

void history_add(struct history *history, const struct snapshot *snapshot);
