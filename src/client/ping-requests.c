/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The checks of requests that the kernel has accepted and that are not answered. */

#include "client/ping-checks.h"

#include <errno.h>
#include <math.h>
#include <sys/socket.h>

#include "common/util.h"

/**
 * ping_check_queue() - check what holds or drops packets between IP and the daemon
 * @decision: the decision
 * @view: what is known
 * @loss: requests
 *
 * Return: whether the cause was found.
 */
bool ping_check_queue(struct ping_decision *decision, const struct ping_view *view, double loss)
{
        const struct ping_facts *facts = view->facts;

        if (facts->status_error == -ETIMEDOUT)
                return ping_found(decision, PING_CAUSE_NOT_READING, PING_DEVICE_OUT, true, "");
        if (ping_estimate_explains(view->estimate, PING_LINK_TX_DROPPED, loss))
                return ping_found(decision, PING_CAUSE_QUEUE_FULL, PING_DEVICE_OUT, true, "");
        if ((double) facts->qdisc_drops >= 0.6 * loss || facts->qdisc_queued > 0)
                return ping_found(decision, PING_CAUSE_QDISC, PING_DEVICE_OUT, true, facts->qdisc);

        return false;
}

/* Filters that drop without an error are rare: the requests leave, unless it shows that they do not. */
static bool is_sent_elsewhere(const struct ping_view *view, double loss)
{
        return ping_get(view, PING_OUT_TRANSMITS) + 3 * ping_noise(view, PING_OUT_TRANSMITS) >= 0.5 * loss;
}

/* A stage is named if it loses most of what is lost: noise can make other stages lose some, or more than all.
 */
static bool is_most(const struct ping_view *view, double loss)
{
        double lost = view->sent - view->received;

        return loss >= 0.5 * lost && lost > 0.5 * loss;
}

/* Requests that leave IP and that the daemon does not read. */
static bool check_device_out(struct ping_decision *decision, const struct ping_view *view)
{
        static const struct ping_row rows[] = {
                { PING_OUT_NO_ROUTES, CAUSE_NO_ROUTE, PING_IP_OUT, "" },
                { PING_OUT_XFRM, PING_CAUSE_IPSEC, PING_IP_OUT, "requests" },
                { PING_OUT_DISCARDS, PING_CAUSE_OUTPUT_FILTER, PING_IP_OUT, "" },
        };
        double loss = view->sent - view->read, deviation = ping_noise(view, PING_READ);

        /* The device counts what overflows, however little. */
        if (view->facts->status_error == 0 &&
            ping_estimate_explains(view->estimate, PING_LINK_TX_DROPPED, view->sent - view->received))
                return ping_found(decision, PING_CAUSE_QUEUE_FULL, PING_DEVICE_OUT, true, "");

        if (ping_is_known(view, PING_LOST_OUT) && !view->is_fragmented &&
            ping_noise(view, PING_LOST_OUT) < deviation) {
                loss = ping_get(view, PING_LOST_OUT) - (view->result->attempts - view->result->sent);
                deviation = ping_noise(view, PING_LOST_OUT);
        }
        if (loss <= 0.02 * view->sent + 3 * deviation || !is_most(view, loss))
                return false;
        if (ping_check_queue(decision, view, loss) ||
            ping_find_row(decision, view, rows, ARRAY_SIZE(rows), loss))
                return true;
        if (ping_estimate_explains(view->estimate, PING_OTHER_TX, loss))
                return ping_found(decision, PING_CAUSE_REWRITTEN, PING_IP_OUT, false, "");

        /* IP does not hand them to the device: to another one, or to none. */
        if (ping_is_known(view, PING_OUT_DEVICE) && !view->is_fragmented &&
            ping_get(view, PING_OUT_DEVICE) + 3 * ping_noise(view, PING_OUT_DEVICE) < view->sent - 0.6 * loss)
                return ping_found(decision,
                                  is_sent_elsewhere(view, loss) ? PING_CAUSE_REWRITTEN
                                                                : PING_CAUSE_OUTPUT_FILTER,
                                  PING_IP_OUT, false, "");

        return ping_found(decision, PING_CAUSE_EGRESS_FILTER, PING_DEVICE_OUT, false, "");
}

/* The verdict with which most of the requests were dropped, or a verdict of replies. */
static enum verdict find_verdict(const struct ping_view *view, double loss)
{
        bool unanswered = view->replied < 0.8 * view->sent;
        enum verdict most = VERDICT_REPLY;

        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                double n = ping_get(view, PING_VERDICTS + v);

                if (verdict_is_reply(v) || verdict_is_silent(v) ||
                    (ping_verdict_is_about_replies(v) && !unanswered) || n < 3 || n < 0.5 * loss ||
                    n <= 1.5 * ping_noise(view, PING_VERDICTS + v))
                        continue;
                if (verdict_is_reply(most) || n > ping_get(view, PING_VERDICTS + most))
                        most = v;
        }

        return most;
}

/* Requests that the daemon reads and does not answer. */
static bool check_daemon(struct ping_decision *decision, const struct ping_view *view)
{
        double loss = view->sent - view->received;
        enum verdict verdict;
        bool is_certain;

        if (loss <= 0 || !ping_is_known(view, PING_READ))
                return false;

        verdict = find_verdict(view, loss);
        if (verdict_is_reply(verdict))
                return false;

        is_certain = ping_get(view, PING_VERDICTS + verdict) > 3 * ping_noise(view, PING_VERDICTS + verdict);
        if (verdict == VERDICT_NOT_OURS)
                return ping_found(decision, PING_CAUSE_NOT_OURS, PING_DAEMON, is_certain, "");
        if (verdict == VERDICT_BAD_ICMP_CHECKSUM || verdict == VERDICT_BAD_IP_CHECKSUM)
                return ping_found(decision, PING_CAUSE_CORRUPT_REQUESTS, PING_DAEMON, is_certain,
                                  verdict_name(verdict));

        return ping_found(decision, PING_CAUSE_DROPPED, PING_DAEMON, is_certain, verdict_name(verdict));
}

/* Fragments of the requests that do not get to the daemon. */
static bool check_fragments_out(struct ping_decision *decision, const struct ping_view *view)
{
        double payload = (double) ((view->facts->mtu - (view->facts->family == AF_INET ? 20U : 48U)) & ~7U);
        double later = ceil((view->facts->size + PING_ICMP_HEADER) / payload) - 1;

        if (!view->is_fragmented || !ping_is_known(view, PING_READ))
                return false;
        if (view->later >= later * view->replied - 0.5 * (view->sent - view->received))
                return false;

        return ping_found(decision, PING_CAUSE_FRAGMENTS_LOST, PING_DEVICE_OUT, true, "requests");
}

/**
 * ping_check_requests() - check the stages up to the daemon
 * @decision: the decision
 * @view: what is known
 *
 * Return: whether the cause was found.
 */
bool ping_check_requests(struct ping_decision *decision, const struct ping_view *view)
{
        return check_device_out(decision, view) || check_daemon(decision, view) ||
               check_fragments_out(decision, view);
}
