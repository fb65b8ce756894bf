/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * This folder is linked into the daemon and into the client: addresses, names, verdicts, counters, and the
 * helpers of this header, where a new one needs a third caller. It must not know packets, settings or the
 * journal, and it keeps no state.
 */

#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define _cleanup_(function)    __attribute__((__cleanup__(function)))
#define _printf_(format, args) __attribute__((__format__(__printf__, format, args)))

static inline void close_fdp(int *fd)
{
        if (*fd >= 0)
                close(*fd);
        *fd = -1;
}

static inline int steal_fd(int *fd)
{
        int stolen = *fd;

        *fd = -1;
        return stolen;
}

/* CLOCK_MONOTONIC in microseconds. */
static inline uint64_t monotonic_usec(void)
{
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}
