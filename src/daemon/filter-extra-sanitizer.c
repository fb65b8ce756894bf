/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The system calls of the sanitizers: LeakSanitizer traces the threads from a process of its own. */

#include "daemon/filter-rules.h"

#include <stddef.h>

const char *const filter_process_extra[] = { "clone", "kill", "mincore", "msync", "ptrace", "wait4", NULL };

const char *const filter_thread_extra[] = {
        "clock_nanosleep",
        "exit_group",
        "sched_yield",
        "sigaltstack",
        "writev",
        NULL,
};
