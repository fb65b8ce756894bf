/* SPDX-License-Identifier: GPL-2.0-or-later */

/* To be preloaded: as long as a file is there, the program takes an hour ago for the time of day. */

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LATE_FILE "/run/clock-is-late"
#define LATE      3600 /* seconds */

int clock_gettime(clockid_t clock, struct timespec *now)
{
        int r = (int) syscall(SYS_clock_gettime, clock, now);

        if (r == 0 && clock == CLOCK_REALTIME && access(LATE_FILE, F_OK) == 0)
                now->tv_sec -= LATE;

        return r;
}
