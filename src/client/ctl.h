/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "client/instances.h"

enum ctl_command {
        CTL_STATUS,
        CTL_METRICS,
        CTL_WATCH,
        _CTL_COMMAND_MAX,
        CTL_HELP = _CTL_COMMAND_MAX,
        CTL_VERSION,
};

struct ctl_options {
        enum ctl_command command;
        struct instances_query query;
        bool json;        /* of status */
        bool openmetrics; /* of metrics */
        unsigned count;   /* of watch: refreshes; 0: for ever */
        unsigned interval_msec;
};

/* What a command returns is the exit status. */
#define CTL_NOT_RUNNING 3 /* as systemctl status has it */

int ctl_options_parse(struct ctl_options *ret_options, int argc, char *argv[]);
void ctl_print_help(FILE *file);

int ctl_status(const struct ctl_options *options);
int ctl_metrics(const struct ctl_options *options);
int ctl_watch(const struct ctl_options *options);

int ctl_close_output(void);
int ctl_failed(int error, const char *what);
