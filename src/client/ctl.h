/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "client/instances.h"

struct ctl_options {
        const char *command; /* its name; status by default */
        bool help, version;  /* instead of a command */
        unsigned given;      /* options, a bit for each row of their table */
        struct instances_query query;
        bool json;        /* of status and sessions */
        bool openmetrics; /* of metrics */
        bool http;        /* of metrics: answer a request instead */
        bool watch;       /* of sessions */
        unsigned count;   /* of watch, and of sessions with it: refreshes; 0: no limit */
        unsigned interval_msec;
};

/* A command returns the exit status: 0, EX_USAGE, or one of these. */
#define CTL_WRONG  1 /* something is wrong with what was asked about */
#define CTL_FAILED 2 /* it could not be asked, or its answer not be printed */

int ctl_options_parse(struct ctl_options *ret_options, int argc, char *argv[]);
int ctl_options_check(const struct ctl_options *options);
void ctl_options_print(FILE *file);

int ctl_status(const struct ctl_options *options);
int ctl_metrics(const struct ctl_options *options);
int ctl_sessions(const struct ctl_options *options);
int ctl_watch(const struct ctl_options *options);

int ctl_close_output(void);
int ctl_print_error(int error, const char *what);
