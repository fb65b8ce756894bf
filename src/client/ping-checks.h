/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the checks of ping_decide() share: ping-requests.c has those of the requests, ping-replies.c the
 * others. */

#include "client/ping-cause.h"
#include "client/ping-decide.h"
#include "client/ping-estimate.h"
#include "client/ping-probe.h"

#define PING_ICMP_HEADER 8 /* bytes */

/* What is known of the pings. */
struct ping_view {
        const struct ping_facts *facts;
        const struct ping_probe_result *result;
        const struct ping_estimate *estimate;
        double sent, received; /* requests that the kernel accepted; replies, corrupt ones included */
        double read, replied;  /* requests, first fragments only */
        double later;          /* replies that are later fragments */
        bool is_fragmented;
};

/* A counter that explains a loss by itself. */
struct ping_row {
        enum ping_counter counter;
        unsigned cause;
        enum ping_stage stage;
        const char *detail;
};

bool ping_found(struct ping_decision *decision, unsigned cause, enum ping_stage stage, bool is_certain,
                const char *detail);
bool ping_find_row(struct ping_decision *decision, const struct ping_view *view, const struct ping_row *rows,
                   size_t n, double loss);

bool ping_check_queue(struct ping_decision *decision, const struct ping_view *view, double loss);
bool ping_check_requests(struct ping_decision *decision, const struct ping_view *view);
bool ping_check_replies(struct ping_decision *decision, const struct ping_view *view);

static inline double ping_get(const struct ping_view *view, size_t counter)
{
        return view->estimate->values[counter];
}

static inline double ping_noise(const struct ping_view *view, size_t counter)
{
        return view->estimate->deviations[counter];
}

static inline bool ping_is_known(const struct ping_view *view, size_t counter)
{
        return view->estimate->known[counter];
}

/* The verdicts of ICMP errors about replies, and of replies that come back. */
static inline bool ping_verdict_is_about_replies(enum verdict verdict)
{
        return verdict == VERDICT_ICMP_ERROR || verdict == VERDICT_NOT_ECHO;
}
