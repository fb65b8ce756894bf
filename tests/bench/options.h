/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the tools of the benchmark have in common: numbers on the command line, and the clock. */

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define NSEC_PER_SEC UINT64_C(1000000000)

/* The whole of @text as a decimal number between @min and @max, or -ERANGE. */
static inline int option_number(const char *text, unsigned long min, unsigned long max,
                                unsigned long *ret_number)
{
        unsigned long number;
        char *end;

        errno = 0;
        number = strtoul(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0' || number < min || number > max)
                return -ERANGE;

        *ret_number = number;
        return 0;
}

static inline uint64_t clock_ns(void)
{
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * NSEC_PER_SEC + (uint64_t) now.tv_nsec;
}
