/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "client/drop-parse.h"
#include "client/nft-rules.h"
#include "client/ping-cause.h"
#include "client/ping-decide.h"
#include "client/ping-probe.h"

struct ctl_options;
struct snapshot;

/* What is known of one address. */
struct ping_report {
        const char *interface;
        struct address address;   /* AF_UNSPEC: unknown, and not pinged */
        int error;                /* 0, or a negative errno: why it could not be tested */
        const char *error_advice; /* what to do about that, or NULL */
        struct ping_probe_result result;
        struct ping_decision decision;
        char text[256], remedy[256]; /* of the cause */

        /* As root: rules that can lose the pings, and why the kernel dropped packets of the host meanwhile.
         */
        struct suspects suspects;
        struct drop_reasons reasons;
};

/* Called from time to time while pings are sent. */
typedef void (*ping_progress_t)(const struct ping_report *report, const struct ping_probe_result *result,
                                unsigned count);

void ping_run(struct ping_report *report, const struct ctl_options *options, const struct snapshot *snapshot,
              ping_progress_t progress);
