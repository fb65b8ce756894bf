/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "client/instances.h"
#include "common/address.h"

/* The pings of tunechoctl ping. */
struct ctl_ping {
        const char *address; /* NULL: those of the instance */
        struct address from;   /* AF_UNSPEC: this host pings */
        struct address source; /* AF_UNSPEC: the kernel chooses one */
        unsigned size;         /* of the data, in bytes */
        uint32_t mark;         /* 0: none */
        bool dont_fragment;
        bool nagios; /* print a line for a monitor */
};

struct ctl_options {
        const char *command; /* its name; status by default */
        bool help, version;  /* instead of a command */
        unsigned given;      /* options, a bit for each row of their table */
        struct instances_query query;
        bool json;        /* of status, sessions and ping */
        bool openmetrics; /* of metrics */
        bool http;        /* of metrics: answer a request instead */
        bool watch;       /* of sessions */
        unsigned count;   /* of watch and sessions: refreshes, 0: no limit; of ping: pings, 0: the default */
        unsigned interval_msec;
        struct ctl_ping ping;
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
int ctl_ping(const struct ctl_options *options);

int ctl_close_output(void);
int ctl_print_error(int error, const char *what);
