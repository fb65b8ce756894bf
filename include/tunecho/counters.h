/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tunecho/verdict.h"

/* The verdicts add up to the packets read. */
struct counters {
        uint64_t verdicts[_VERDICT_MAX];
        uint64_t unsent; /* replies that the device refused: it was down or out of buffer space */
};

/* Size in bytes of either text with every verdict in it. */
#define COUNTERS_TEXT_SIZE 768

uint64_t counters_packets(const struct counters *counters);
uint64_t counters_replies(const struct counters *counters);
const char *counters_drops_text(char text[static COUNTERS_TEXT_SIZE], const struct counters *counters,
                                const char *separator);
const char *counters_text(char text[static COUNTERS_TEXT_SIZE], const struct counters *counters);
