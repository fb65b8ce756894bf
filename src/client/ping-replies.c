/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The checks of replies that the daemon has written and that are not received. */

#include "client/ping-checks.h"

#include "common/util.h"

/* The ICMP errors of this host about the replies; their rate is limited. */
static bool is_refused_by_host(const struct ping_view *view)
{
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                if (ping_verdict_is_about_replies(v) && ping_get(view, PING_VERDICTS + v) >= 2.5 &&
                    ping_get(view, PING_VERDICTS + v) > 3 * ping_noise(view, PING_VERDICTS + v))
                        return true;

        return false;
}

/* The noise can be large here, as nothing else explains the loss. */
static bool is_lost_in(const struct ping_view *view, double loss)
{
        double lost = ping_get(view, PING_LOST_IN);

        if (!ping_is_known(view, PING_LOST_IN))
                return ping_get(view, PING_IN_ECHO_REPLIES) < view->replied - 0.5 * loss;

        return lost >= 0.5 * loss && lost > ping_noise(view, PING_LOST_IN) &&
               lost > ping_get(view, PING_LOST_OUT);
}

/* Replies that the device has, and that the counters of IP do not name the fate of. */
static bool check_filters_in(struct ping_decision *decision, const struct ping_view *view, double loss)
{
        double packets = (view->replied < view->sent ? view->replied : view->sent) + view->later;
        bool is_noisy =
                !ping_is_known(view, PING_IN_DEVICE) || ping_noise(view, PING_IN_DEVICE) > 0.15 * loss;

        if (view->is_fragmented && ping_get(view, PING_REASSEMBLY_REQUESTS) >= 0.3 * loss &&
            ping_get(view, PING_REASSEMBLIES) < 0.5 * view->sent)
                return ping_found(decision, PING_CAUSE_FRAGMENTS_LOST, PING_IP_IN, true, "replies");
        if (!is_noisy && ping_get(view, PING_IN_DEVICE) < packets - 0.6 * loss)
                return ping_found(decision, PING_CAUSE_INGRESS_FILTER, PING_DEVICE_IN, false, "");
        if (is_lost_in(view, loss))
                return ping_found(decision, PING_CAUSE_INPUT_FILTER, PING_IP_IN, false, "");

        return false;
}

/**
 * ping_check_replies() - check the stages from the daemon to the socket
 * @decision: the decision
 * @view: what is known
 *
 * Return: whether the cause was found.
 */
bool ping_check_replies(struct ping_decision *decision, const struct ping_view *view)
{
        static const struct ping_row rows[] = {
                { PING_IN_REVERSE_PATH, CAUSE_RP_FILTER, PING_IP_IN, "" },
                { PING_IN_CHECKSUM_ERRORS, PING_CAUSE_CORRUPT_REPLIES, PING_ICMP_IN, "" },
                { PING_IN_ICMP_ERRORS, PING_CAUSE_CORRUPT_REPLIES, PING_ICMP_IN, "" },
                { PING_IN_HEADER_ERRORS, PING_CAUSE_BAD_HEADER, PING_IP_IN, "" },
                { PING_IN_TRUNCATED, PING_CAUSE_BAD_HEADER, PING_IP_IN, "" },
                { PING_IN_ADDRESS_ERRORS, PING_CAUSE_NOT_LOCAL, PING_IP_IN, "" },
                { PING_FORWARDED, PING_CAUSE_NOT_LOCAL, PING_IP_IN, "" },
                { PING_IN_NO_ROUTES, CAUSE_NO_RETURN_ROUTE, PING_IP_IN, "" },
                { PING_IN_XFRM, PING_CAUSE_IPSEC, PING_IP_IN, "replies" },
        };
        double loss = view->sent - view->received;

        if (view->result->corrupt > 0 && view->result->corrupt >= 0.5 * (view->sent - view->result->received))
                return ping_found(decision, PING_CAUSE_CORRUPT_REPLIES, PING_ICMP_IN, true, "");
        if (ping_estimate_explains(view->estimate, PING_UNSENT, loss))
                return ping_found(decision, PING_CAUSE_UNSENT, PING_DAEMON, true, "");
        if (view->facts->reply != CAUSE_NONE && view->received <= 0) /* the route loses all replies, or none */
                return ping_found(decision, view->facts->reply, PING_IP_IN, true, "");
        if (ping_find_row(decision, view, rows, ARRAY_SIZE(rows), loss))
                return true;
        if ((double) view->result->dropped >= 0.6 * loss)
                return ping_found(decision, PING_CAUSE_SOCKET_OVERFLOW, PING_SOCKET, true, "");
        if (view->is_fragmented && ping_estimate_explains(view->estimate, PING_REASSEMBLY_FAILURES, loss))
                return ping_found(decision, PING_CAUSE_FRAGMENTS_LOST, PING_IP_IN, true, "replies");
        if (ping_estimate_explains(view->estimate, PING_LINK_RX_DROPPED, loss))
                return ping_found(decision, PING_CAUSE_INGRESS_FILTER, PING_DEVICE_IN, true, "");
        if (is_refused_by_host(view))
                return ping_found(decision, PING_CAUSE_REPLY_REFUSED, PING_IP_IN, true, "");

        return check_filters_in(decision, view, loss);
}
