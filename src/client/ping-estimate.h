/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "client/ping-counters.h"

/* The share of the pings in what was counted. */
struct ping_estimate {
        size_t n_rounds;
        double values[_PING_COUNTER_MAX];
        double deviations[_PING_COUNTER_MAX]; /* standard deviation of what else was counted */
        bool known[_PING_COUNTER_MAX];
};

void ping_estimate(struct ping_estimate *ret_estimate, const struct ping_sample *samples, size_t n_rounds);
bool ping_estimate_explains(const struct ping_estimate *estimate, enum ping_counter counter, double loss);
