/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The system calls that each filter allows. Private to filter-program.c and its test. */

#include <stdint.h>

/* Allows a call if these bits of an argument have this value. One of the conditions of a call is enough. */
struct filter_condition {
        const char *name; /* NULL ends a list */
        unsigned argument;
        uint64_t mask, value;
};

struct filter_rules {
        const char *const *names; /* up to NULL; allowed with all arguments */
        const struct filter_condition *conditions;
};

extern const struct filter_rules filter_process_rules, filter_thread_rules;

/* More names, for the runtime libraries of sanitizers; Meson selects the file. */
extern const char *const filter_process_extra[], *const filter_thread_extra[];
