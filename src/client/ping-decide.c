/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Finds the first stage at which pings are lost, and the cause. Nothing here asks anything: facts and
 * counters are passed in. The checks follow the path of a ping, and the first that finds a cause ends them:
 *
 *     before -> ip-out -> device-out -> tunecho -> device-in -> ip-in -> icmp-in -> socket
 *
 * A filter that drops packets has no counter. It is found by elimination, and is not certain.
 */

#include "client/ping-decide.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "client/ping-checks.h"
#include "common/util.h"

#define ROUNDS_MIN 3U /* of a cause that is certain */

/**
 * ping_stage_name() - get the name of a stage
 * @stage: the stage
 *
 * Return: the name, or NULL of PING_NOWHERE.
 */
const char *ping_stage_name(enum ping_stage stage)
{
        static const char *const names[] = {
                [PING_BEFORE] = "before",   [PING_IP_OUT] = "ip-out",       [PING_DEVICE_OUT] = "device-out",
                [PING_DAEMON] = "tunecho",  [PING_DEVICE_IN] = "device-in", [PING_IP_IN] = "ip-in",
                [PING_ICMP_IN] = "icmp-in", [PING_SOCKET] = "socket",
        };

        _Static_assert(ARRAY_SIZE(names) == _PING_STAGE_MAX, "every stage needs a name");
        return stage < _PING_STAGE_MAX ? names[stage] : NULL;
}

/**
 * ping_found() - set the cause of a decision
 * @decision: the decision
 * @cause: an enum cause or an enum ping_cause
 * @stage: where the pings are lost
 * @is_certain: whether no other cause is possible
 * @detail: of the cause, or ""
 *
 * Return: true, for a check to return.
 */
bool ping_found(struct ping_decision *decision, unsigned cause, enum ping_stage stage, bool is_certain,
                const char *detail)
{
        decision->cause = cause;
        decision->stage = stage;
        decision->is_certain = is_certain;
        (void) snprintf(decision->detail, sizeof(decision->detail), "%s", detail);
        return true;
}

/**
 * ping_find_row() - find the first counter that explains a loss
 * @decision: set to the cause of its row
 * @view: what is known
 * @rows: the counters
 * @n: number of rows
 * @loss: packets
 *
 * Return: whether there is one.
 */
bool ping_find_row(struct ping_decision *decision, const struct ping_view *view, const struct ping_row *rows,
                   size_t n, double loss)
{
        for (size_t i = 0; i < n; i++)
                if (ping_estimate_explains(view->estimate, rows[i].counter, loss))
                        return ping_found(decision, rows[i].cause, rows[i].stage, true, rows[i].detail);

        return false;
}

/* What is wrong with the device, where pings do not get to it. */
static bool check_device(struct ping_decision *decision, const struct ping_view *view)
{
        const struct ping_facts *facts = view->facts;
        bool ipv6 = facts->family == AF_INET6;

        if (!facts->has_link)
                return ping_found(decision,
                                  view->received > 0 ? PING_CAUSE_DEVICE_RENAMED : PING_CAUSE_DEVICE_MISSING,
                                  PING_BEFORE, true, "");
        if (!facts->is_up)
                return ping_found(decision, PING_CAUSE_DEVICE_DOWN, PING_BEFORE, true, "");
        if (ipv6 && !facts->has_ipv6)
                return ping_found(decision, PING_CAUSE_IPV6_OFF, PING_BEFORE, true, "");
        if (!facts->has_address)
                return ping_found(decision, PING_CAUSE_NO_ADDRESS, PING_BEFORE, true, ipv6 ? "IPv6" : "IPv4");

        return false;
}

static bool check_before(struct ping_decision *decision, const struct ping_view *view)
{
        const struct ping_facts *facts = view->facts;

        if (!facts->is_running)
                return ping_found(decision, PING_CAUSE_NOT_RUNNING, PING_BEFORE, true, "");
        if (facts->open_error == -EADDRNOTAVAIL)
                return ping_found(decision, CAUSE_NO_SOURCE, PING_BEFORE, true, "");
        if (!facts->has_link || !facts->is_up)
                return check_device(decision, view);
        if (facts->request == CAUSE_NONE)
                return false;

        /* An address that is not on the device has no route into it. */
        if (facts->request != CAUSE_OWN_ADDRESS && facts->request != CAUSE_NO_SOURCE &&
            check_device(decision, view))
                return true;

        return ping_found(decision, facts->request, PING_BEFORE, true, "");
}

/* Requests that the kernel refuses. */
static bool check_refused(struct ping_decision *decision, const struct ping_view *view)
{
        const struct ping_probe_result *result = view->result;
        unsigned refused = result->attempts - result->sent;
        char mtu[16];

        if (refused == 0)
                return false;

        switch (result->refused_error) {
        case EPERM:
                if (ping_estimate_explains(view->estimate, PING_OUT_XFRM, refused))
                        return ping_found(decision, PING_CAUSE_IPSEC, PING_IP_OUT, true, "requests");
                return ping_found(decision, PING_CAUSE_OUTPUT_FILTER, PING_IP_OUT, true, "");
        case EMSGSIZE:
                (void) snprintf(mtu, sizeof(mtu), "%u", result->mtu > 0 ? result->mtu : view->facts->mtu);
                return ping_found(decision, PING_CAUSE_TOO_BIG, PING_IP_OUT, true, mtu);
        case ENOBUFS:
        case ENOMEM:
                if (view->is_fragmented && view->replied >= 0.5 * refused)
                        return ping_found(decision, PING_CAUSE_FRAGMENTS_LOST, PING_DEVICE_OUT, true,
                                          "requests");
                return ping_check_queue(decision, view, refused) ||
                       ping_found(decision, PING_CAUSE_EGRESS_FILTER, PING_DEVICE_OUT, false, "");
        default:
                if (ping_estimate_explains(view->estimate, PING_OUT_XFRM, refused))
                        return ping_found(decision, PING_CAUSE_IPSEC, PING_IP_OUT, true, "requests");
                return check_device(decision, view) ||
                       ping_found(decision, PING_CAUSE_REQUEST_REFUSED, PING_IP_OUT, true,
                                  strerror(result->refused_error));
        }
}

/* Errors about requests that were sent. ICMP messages can be forged: few of them explain nothing. */
static bool check_errors(struct ping_decision *decision, const struct ping_view *view)
{
        const struct ping_probe_result *result = view->result;
        char reporter[PREFIX_TEXT_SIZE], detail[128];
        double loss = view->sent - view->received;

        if (result->error == 0 || loss <= 0 || (!result->is_local && result->errors < 0.6 * loss))
                return false;
        if (result->error == EMSGSIZE) {
                (void) snprintf(detail, sizeof(detail), "%u", result->mtu);
                return ping_found(decision, PING_CAUSE_TOO_BIG, PING_IP_OUT, result->is_local, detail);
        }

        if (result->reporter.family == AF_UNSPEC)
                (void) snprintf(detail, sizeof(detail), "%s", strerror(result->error));
        else
                (void) snprintf(detail, sizeof(detail), "%s reports %s (type %u, code %u)",
                                address_text(reporter, &result->reporter), strerror(result->error),
                                result->type, result->code);
        return ping_found(decision, PING_CAUSE_REQUEST_REFUSED, PING_IP_OUT, result->is_local, detail);
}

/* Pings that were answered, and not by the daemon. */
static bool check_answered(struct ping_decision *decision, const struct ping_view *view)
{
        if (!view->facts->has_link)
                return check_device(decision, view);
        if (view->sent > 0 && ping_is_known(view, PING_READ) &&
            ping_noise(view, PING_READ) < 0.05 * view->sent && ping_get(view, PING_READ) < 0.2 * view->sent)
                return ping_found(decision, PING_CAUSE_REWRITTEN, PING_IP_OUT, true, "");

        return false;
}

static unsigned count(double packets, unsigned max)
{
        if (!(packets > 0))
                return 0;

        return packets < max ? (unsigned) (packets + 0.5) : max;
}

/*
 * No stage passes more than the one before it; what noise adds is cut off. A stage whose counter this kernel
 * lacks passes as many as the one before it.
 */
static void fill_stages(struct ping_decision *decision, const struct ping_view *view)
{
        bool has_status = ping_is_known(view, PING_READ);
        const struct {
                bool known;
                double packets;
        } stages[] = {
                [PING_BEFORE] = { true, view->result->attempts },
                [PING_IP_OUT] = { true, view->sent },
                [PING_DEVICE_OUT] = { has_status || ping_is_known(view, PING_LINK_TX), view->read },
                [PING_DAEMON] = { has_status || ping_is_known(view, PING_LINK_RX), view->replied },
                [PING_DEVICE_IN] = { ping_is_known(view, PING_IN_DEVICE),
                                     ping_get(view, PING_IN_DEVICE) - view->later },
                [PING_IP_IN] = { ping_is_known(view, PING_IN_DELIVERS), ping_get(view, PING_IN_DELIVERS) },
                [PING_ICMP_IN] = { ping_is_known(view, PING_IN_ECHO_REPLIES),
                                   ping_get(view, PING_IN_ECHO_REPLIES) },
                [PING_SOCKET] = { true, view->result->received },
        };
        unsigned max = view->result->attempts;

        _Static_assert(ARRAY_SIZE(stages) == _PING_STAGE_MAX, "every stage needs a number");
        for (enum ping_stage stage = 0; stage < _PING_STAGE_MAX; stage++) {
                unsigned n = stages[stage].known ? count(stages[stage].packets, max) : max;

                decision->passed[stage] = n < view->result->received ? view->result->received : n;
                max = decision->passed[stage];
        }
}

/* The first stage with more than half of the loss. */
static enum ping_stage find_stage(const struct ping_decision *decision)
{
        unsigned lost = decision->passed[PING_BEFORE] - decision->passed[PING_SOCKET];

        for (enum ping_stage stage = PING_IP_OUT; stage < _PING_STAGE_MAX; stage++)
                if ((decision->passed[stage - 1] - decision->passed[stage]) * 2 > lost)
                        return stage;

        return PING_NOWHERE;
}

static struct ping_view make_view(const struct ping_facts *facts, const struct ping_probe_result *result,
                                  const struct ping_estimate *estimate)
{
        unsigned headers = PING_ICMP_HEADER + (facts->family == AF_INET ? 20 : 40);
        struct ping_view view = {
                .facts = facts,
                .result = result,
                .estimate = estimate,
                .sent = result->sent,
                .received = result->received + result->corrupt,
                .is_fragmented = facts->mtu > 0 && facts->size + headers > facts->mtu,
        };

        if (ping_is_known(&view, PING_READ)) {
                view.later = ping_get(&view, PING_VERDICTS + VERDICT_REPLY_FRAGMENT);
                view.replied = ping_get(&view, PING_VERDICTS + VERDICT_REPLY);
                view.read = ping_get(&view, PING_READ) - view.later -
                            ping_get(&view, PING_VERDICTS + VERDICT_HOUSEKEEPING);
        } else {
                /* The device counts what the daemon reads and writes. */
                view.read = ping_get(&view, PING_LINK_TX);
                view.replied = ping_get(&view, PING_LINK_RX);
        }
        return view;
}

/* Finds the cause of a loss. */
static void find_cause(struct ping_decision *decision, const struct ping_view *view)
{
        if (check_before(decision, view) || check_refused(decision, view) || check_errors(decision, view) ||
            ping_check_requests(decision, view) || ping_check_replies(decision, view))
                return;

        if (view->result->received < view->result->attempts)
                (void) ping_found(decision, PING_CAUSE_UNKNOWN, find_stage(decision), false, "");
}

/**
 * ping_decide() - find out where pings are lost, and why
 * @ret_decision: set to the stage and the cause
 * @facts: what is known besides the counters
 * @result: what the socket of the pings says
 * @estimate: what the pings have moved in the counters
 *
 * The detail of a cause is: of no-address, the family; of too-big, the size; of qdisc, its kind; of dropped
 * and corrupt-requests, the verdict; of request-refused, the error; of ipsec and fragments-lost, requests or
 * replies; else "".
 */
void ping_decide(struct ping_decision *ret_decision, const struct ping_facts *facts,
                 const struct ping_probe_result *result, const struct ping_estimate *estimate)
{
        const struct ping_view view = make_view(facts, result, estimate);

        *ret_decision = (struct ping_decision) { .cause = PING_CAUSE_HEALTHY,
                                                 .stage = PING_NOWHERE,
                                                 .is_certain = true };
        fill_stages(ret_decision, &view);
        if (result->attempts > 0 && result->received == result->attempts && facts->request == CAUSE_NONE)
                (void) check_answered(ret_decision, &view);
        else
                find_cause(ret_decision, &view);

        /* Other traffic can look like the pings of few rounds. What is wrong before them, the kernel says. */
        if (ret_decision->cause != PING_CAUSE_HEALTHY && ret_decision->stage != PING_BEFORE &&
            estimate->n_rounds < ROUNDS_MIN)
                ret_decision->is_certain = false;
}
