/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Limits the system calls of the process while it serves, seccomp(2), with and without the unit. */

/* What a filter limits. */
enum filter_scope {
        FILTER_PROCESS, /* all threads, to what both planes do */
        FILTER_THREAD,  /* the calling thread, to what the data plane does */
};

/* What a forbidden call does. */
enum filter_mode {
        FILTER_DENY, /* fails with EPERM */
        FILTER_LOG,  /* is made, and logged by the kernel: for debugging */
};

struct filter;

int filter_new(struct filter **ret_filter, enum filter_scope scope, enum filter_mode mode);
struct filter *filter_free(struct filter *filter);
int filter_install(const struct filter *filter);
