/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * To be preloaded: as long as one file is there, the program takes an hour ago for the time of day; with the
 * other, a minute more has passed since the machine was started.
 */

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LATE_FILE  "/run/clock-is-late"
#define LATE       3600 /* seconds */
#define AHEAD_FILE "/run/clock-is-ahead"
#define AHEAD      61

int clock_gettime(clockid_t clock, struct timespec *now)
{
        int r = (int) syscall(SYS_clock_gettime, clock, now);

        if (r == 0 && clock == CLOCK_REALTIME && access(LATE_FILE, F_OK) == 0)
                now->tv_sec -= LATE;
        if (r == 0 && clock == CLOCK_MONOTONIC && access(AHEAD_FILE, F_OK) == 0)
                now->tv_sec += AHEAD;

        return r;
}
