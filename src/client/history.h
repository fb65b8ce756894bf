/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/snapshot.h"

/* Refreshes that are remembered: more than a terminal is wide. */
#define HISTORY_MAX 512

/* What is counted: sums first, then each verdict. */
enum tally {
        TALLY_PACKETS,
        TALLY_REPLIES,
        TALLY_UNSENT,
        TALLY_DROPPED,
        TALLY_VERDICTS,
        _TALLY_MAX = TALLY_VERDICTS + _VERDICT_MAX,
};

/* One instance as it was watched. A rate that is not known is NAN. */
struct history {
        struct snapshot now;  /* the last answer, or why there was none */
        struct snapshot last; /* the last answer */
        bool answered;        /* there is a last answer */
        unsigned restarts;

        uint64_t change[_TALLY_MAX]; /* since the first answer, restarts or not */
        double per_second[_TALLY_MAX];

        double packets[HISTORY_MAX]; /* a second; the oldest first */
        size_t n_packets;
};

uint64_t tally_of(const struct snapshot *snapshot, enum tally tally);
const char *tally_name(enum tally tally);

void history_add(struct history *history, const struct snapshot *snapshot);
