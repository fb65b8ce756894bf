/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Where pings are lost, and why: facts and counters in, stage and cause out. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "client/ping-cause.h"
#include "client/ping-decide.h"
#include "client/ping-estimate.h"
#include "client/ping-probe.h"
#include "unit.h"

#define COUNT       100
#define CHANGES_MAX 8
#define VERDICT(v)  (PING_VERDICTS + VERDICT_##v)

/* What is otherwise than on a healthy host, where each counter of the path has the 100 pings. */
struct change {
        size_t counter;
        double value, deviation;
};

static const size_t path[] = {
        PING_OUT_ECHOS, PING_OUT_TRANSMITS, PING_OUT_DEVICE,      PING_LINK_TX,
        PING_READ,      VERDICT(REPLY),     PING_LINK_RX,         PING_IN_RECEIVES,
        PING_IN_DEVICE, PING_IN_DELIVERS,   PING_IN_ECHO_REPLIES,
};

/* The counters of the path behind a stage. */
#define NOT_READ                                                                                             \
        { PING_LINK_TX, 0, 0 }, { PING_READ, 0, 0 }, { VERDICT(REPLY), 0, 0 }, { PING_LINK_RX, 0, 0 },       \
        {                                                                                                    \
                PING_LOST_OUT, 100, 0                                                                        \
        }
#define NOT_ANSWERED                                                                                         \
        { VERDICT(REPLY), 0, 0 }, { PING_LINK_RX, 0, 0 }, { PING_IN_DEVICE, 0, 0 },                          \
        {                                                                                                    \
                PING_IN_ECHO_REPLIES, 0, 0                                                                   \
        }
#define NOT_IN                                                                                               \
        { PING_IN_DELIVERS, 0, 0 }, { PING_IN_ECHO_REPLIES, 0, 0 },                                          \
        {                                                                                                    \
                PING_LOST_IN, 100, 0                                                                         \
        }

static const struct ping_facts healthy = {
        .family = AF_INET,
        .is_running = true,
        .has_link = true,
        .is_up = true,
        .has_ipv6 = true,
        .has_address = true,
        .mtu = 1500,
        .size = 56,
        .qdisc = "pfifo",
};
static const struct ping_probe_result answered = { .attempts = COUNT, .sent = COUNT, .received = COUNT },
                                      unanswered = { .attempts = COUNT, .sent = COUNT };

#define NO_CHANGE                                                                                            \
        {                                                                                                    \
                {                                                                                            \
                        0, 0, 0                                                                              \
                }                                                                                            \
        }
#define SENT(...)                                                                                            \
        {                                                                                                    \
                .attempts = COUNT, .sent = COUNT, __VA_ARGS__                                                \
        }
#define REFUSED(error)                                                                                       \
        {                                                                                                    \
                .attempts = COUNT, .refused_error = (error)                                                  \
        }
#define FACTS(...)                                                                                           \
        {                                                                                                    \
                .family = AF_INET, .is_running = true, .has_link = true, .is_up = true, .has_ipv6 = true,    \
                .has_address = true, .mtu = 1500, .size = 56, .qdisc = "pfifo", __VA_ARGS__                  \
        }

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

static const struct {
        const char *what;
        struct ping_facts facts;
        struct ping_probe_result result;
        struct change changes[CHANGES_MAX];
        unsigned cause;
        enum ping_stage stage;
        bool is_certain;
        const char *detail;
} cases[] = {
        /* Before. */
        { "healthy", FACTS(.size = 56), SENT(.received = COUNT), NO_CHANGE, PING_CAUSE_HEALTHY, PING_NOWHERE,
          true, "" },
        { "no instance",
          FACTS(.is_running = false),
          { .attempts = 0 },
          NO_CHANGE,
          PING_CAUSE_NOT_RUNNING,
          PING_BEFORE,
          true,
          "" },
        { "no device", FACTS(.has_link = false, .request = CAUSE_ROUTED_ELSEWHERE), SENT(.received = 0),
          NO_CHANGE, PING_CAUSE_DEVICE_MISSING, PING_BEFORE, true, "" },
        { "another name", FACTS(.has_link = false, .request = CAUSE_ROUTED_ELSEWHERE),
          SENT(.received = COUNT), NO_CHANGE, PING_CAUSE_DEVICE_RENAMED, PING_BEFORE, true, "" },
        { "down", FACTS(.is_up = false), REFUSED(ENETUNREACH), NO_CHANGE, PING_CAUSE_DEVICE_DOWN, PING_BEFORE,
          true, "" },
        { "no address", FACTS(.has_address = false, .request = CAUSE_NO_ROUTE), REFUSED(ENETUNREACH),
          NO_CHANGE, PING_CAUSE_NO_ADDRESS, PING_BEFORE, true, "IPv4" },
        { "no address, and a default route",
          FACTS(.family = AF_INET6, .has_address = false, .request = CAUSE_ROUTED_ELSEWHERE),
          SENT(.received = 0),
          { NOT_READ },
          PING_CAUSE_NO_ADDRESS,
          PING_BEFORE,
          true,
          "IPv6" },
        { "no address, and none needed", FACTS(.has_address = false), SENT(.received = COUNT), NO_CHANGE,
          PING_CAUSE_HEALTHY, PING_NOWHERE, true, "" },
        { "IPv6 off",
          FACTS(.family = AF_INET6, .has_ipv6 = false, .has_address = false, .request = CAUSE_NO_ROUTE),
          REFUSED(ENETUNREACH), NO_CHANGE, PING_CAUSE_IPV6_OFF, PING_BEFORE, true, "" },
        { "routed elsewhere",
          FACTS(.request = CAUSE_ROUTED_ELSEWHERE),
          SENT(.received = 0),
          { NOT_READ },
          CAUSE_ROUTED_ELSEWHERE,
          PING_BEFORE,
          true,
          "" },
        { "routed elsewhere, where it is answered", FACTS(.request = CAUSE_ROUTED_ELSEWHERE),
          SENT(.received = COUNT), NO_CHANGE, CAUSE_ROUTED_ELSEWHERE, PING_BEFORE, true, "" },
        { "own address", FACTS(.request = CAUSE_OWN_ADDRESS), SENT(.received = COUNT), NO_CHANGE,
          CAUSE_OWN_ADDRESS, PING_BEFORE, true, "" },
        { "blackhole", FACTS(.request = CAUSE_BLACKHOLE), REFUSED(EINVAL), NO_CHANGE, CAUSE_BLACKHOLE,
          PING_BEFORE, true, "" },
        { "prohibit", FACTS(.request = CAUSE_PROHIBIT), REFUSED(EACCES), NO_CHANGE, CAUSE_PROHIBIT,
          PING_BEFORE, true, "" },
        { "unreachable", FACTS(.request = CAUSE_UNREACHABLE), REFUSED(EHOSTUNREACH), NO_CHANGE,
          CAUSE_UNREACHABLE, PING_BEFORE, true, "" },
        { "no source",
          FACTS(.open_error = -EADDRNOTAVAIL),
          { .attempts = 0 },
          NO_CHANGE,
          CAUSE_NO_SOURCE,
          PING_BEFORE,
          true,
          "" },

        /* Requests. */
        { "output filter", FACTS(.size = 56), REFUSED(EPERM), NO_CHANGE, PING_CAUSE_OUTPUT_FILTER,
          PING_IP_OUT, true, "" },
        { "IPsec",
          FACTS(.size = 56),
          REFUSED(EPERM),
          { { PING_OUT_XFRM, 100, 0 } },
          PING_CAUSE_IPSEC,
          PING_IP_OUT,
          true,
          "requests" },
        { "IPsec, another error",
          FACTS(.size = 56),
          REFUSED(EAGAIN),
          { { PING_OUT_XFRM, 100, 0 } },
          PING_CAUSE_IPSEC,
          PING_IP_OUT,
          true,
          "requests" },
        { "too big", FACTS(.mtu = 1400), REFUSED(EMSGSIZE), NO_CHANGE, PING_CAUSE_TOO_BIG, PING_IP_OUT, true,
          "1400" },
        { "too big for the path", FACTS(.size = 56),
          SENT(.errors = 1, .error = EMSGSIZE, .is_local = true, .mtu = 1280), NO_CHANGE, PING_CAUSE_TOO_BIG,
          PING_IP_OUT, true, "1280" },
        { "too big, says a router", FACTS(.size = 56), SENT(.errors = 100, .error = EMSGSIZE, .mtu = 1280),
          NO_CHANGE, PING_CAUSE_TOO_BIG, PING_IP_OUT, false, "1280" },
        { "too big, says one message",
          FACTS(.size = 56),
          SENT(.errors = 1, .error = EMSGSIZE, .mtu = 68),
          { { PING_IN_REVERSE_PATH, 100, 0 }, NOT_IN },
          CAUSE_RP_FILTER,
          PING_IP_IN,
          true,
          "" },
        { "another error", FACTS(.size = 56), REFUSED(EAFNOSUPPORT), NO_CHANGE, PING_CAUSE_REQUEST_REFUSED,
          PING_IP_OUT, true, "Address family not supported by protocol" },
        { "ICMP error",
          FACTS(.size = 56),
          SENT(.errors = 60, .error = EHOSTUNREACH, .type = 3, .code = 13, .reporter = { .family = AF_INET }),
          { NOT_READ },
          PING_CAUSE_REQUEST_REFUSED,
          PING_IP_OUT,
          false,
          "0.0.0.0 reports No route to host (type 3, code 13)" },
        { "few ICMP errors",
          FACTS(.size = 56),
          SENT(.errors = 59, .error = EHOSTUNREACH, .type = 3, .code = 13, .reporter = { .family = AF_INET }),
          { NOT_READ },
          PING_CAUSE_EGRESS_FILTER,
          PING_DEVICE_OUT,
          false,
          "" },
        { "no buffer", FACTS(.size = 56), REFUSED(ENOBUFS), NO_CHANGE, PING_CAUSE_EGRESS_FILTER,
          PING_DEVICE_OUT, false, "" },
        { "no buffer, queue full",
          FACTS(.size = 56),
          REFUSED(ENOBUFS),
          { { PING_LINK_TX_DROPPED, 100, 0 } },
          PING_CAUSE_QUEUE_FULL,
          PING_DEVICE_OUT,
          true,
          "" },
        { "no buffer, for later fragments", FACTS(.size = 4000), REFUSED(ENOBUFS), NO_CHANGE,
          PING_CAUSE_FRAGMENTS_LOST, PING_DEVICE_OUT, true, "requests" },
        { "no buffer, qdisc", FACTS(.qdisc_drops = 100, .qdisc = "tbf"), REFUSED(ENOBUFS), NO_CHANGE,
          PING_CAUSE_QDISC, PING_DEVICE_OUT, true, "tbf" },
        { "egress filter",
          FACTS(.size = 56),
          SENT(.received = 0),
          { NOT_READ },
          PING_CAUSE_EGRESS_FILTER,
          PING_DEVICE_OUT,
          false,
          "" },
        { "one in three at egress",
          FACTS(.size = 56),
          SENT(.received = 67),
          { { PING_READ, 67, 0 }, { PING_LOST_OUT, 33, 0 }, { VERDICT(REPLY), 67, 0 } },
          PING_CAUSE_EGRESS_FILTER,
          PING_DEVICE_OUT,
          false,
          "" },
        { "rewritten",
          FACTS(.size = 56),
          SENT(.received = 0),
          { NOT_READ, { PING_OTHER_TX, 100, 0 } },
          PING_CAUSE_REWRITTEN,
          PING_IP_OUT,
          false,
          "" },
        { "rewritten, busy",
          FACTS(.size = 56),
          SENT(.received = 0),
          { NOT_READ, { PING_OTHER_TX, 100, 90 }, { PING_OUT_DEVICE, 3, 2 }, { PING_OUT_TRANSMITS, 40, 90 } },
          PING_CAUSE_REWRITTEN,
          PING_IP_OUT,
          false,
          "" },
        { "rewritten, answered there",
          FACTS(.size = 56),
          SENT(.received = COUNT),
          { NOT_READ },
          PING_CAUSE_REWRITTEN,
          PING_IP_OUT,
          true,
          "" },
        { "swallowed on output",
          FACTS(.size = 56),
          SENT(.received = 0),
          { NOT_READ, { PING_OUT_DEVICE, 0, 0 }, { PING_OUT_TRANSMITS, 0, 0 } },
          PING_CAUSE_OUTPUT_FILTER,
          PING_IP_OUT,
          false,
          "" },
        { "no route for them",
          FACTS(.size = 56),
          SENT(.received = 0),
          { NOT_READ, { PING_OUT_NO_ROUTES, 100, 0 } },
          CAUSE_NO_ROUTE,
          PING_IP_OUT,
          true,
          "" },
        { "qdisc holds them",
          FACTS(.qdisc_queued = 7),
          SENT(.received = 0),
          { NOT_READ },
          PING_CAUSE_QDISC,
          PING_DEVICE_OUT,
          true,
          "pfifo" },
        { "few overflow",
          FACTS(),
          { .attempts = 4000, .sent = 4000, .received = 3995 },
          { { PING_READ, 3995, 50 }, { VERDICT(REPLY), 3995, 50 }, { PING_LINK_TX_DROPPED, 5, 0 } },
          PING_CAUSE_QUEUE_FULL,
          PING_DEVICE_OUT,
          true,
          "" },
        { "not read",
          FACTS(.status_error = -ETIMEDOUT),
          SENT(.received = 0),
          { NOT_READ },
          PING_CAUSE_NOT_READING,
          PING_DEVICE_OUT,
          true,
          "" },
        { "no answer, but replies", FACTS(.status_error = -ETIMEDOUT), SENT(.received = COUNT), NO_CHANGE,
          PING_CAUSE_HEALTHY, PING_NOWHERE, true, "" },

        /* The daemon. */
        { "not ours",
          FACTS(.size = 56),
          SENT(.received = 0),
          { NOT_ANSWERED, { VERDICT(NOT_OURS), 100, 0 } },
          PING_CAUSE_NOT_OURS,
          PING_DAEMON,
          true,
          "" },
        { "corrupt",
          FACTS(.size = 56),
          SENT(.received = 0),
          { NOT_ANSWERED, { VERDICT(BAD_ICMP_CHECKSUM), 100, 0 } },
          PING_CAUSE_CORRUPT_REQUESTS,
          PING_DAEMON,
          true,
          "bad-icmp-checksum" },
        { "dropped",
          FACTS(.size = 56),
          SENT(.received = 0),
          { NOT_ANSWERED, { VERDICT(BAD_SOURCE), 100, 0 } },
          PING_CAUSE_DROPPED,
          PING_DAEMON,
          true,
          "bad-source" },
        { "fragments of requests",
          FACTS(.size = 4000),
          SENT(.received = 0),
          { { PING_READ, 100, 0 } },
          PING_CAUSE_FRAGMENTS_LOST,
          PING_DEVICE_OUT,
          true,
          "requests" },
        { "unsent",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_LINK_RX, 0, 0 }, { PING_UNSENT, 100, 0 }, NOT_IN },
          PING_CAUSE_UNSENT,
          PING_DAEMON,
          true,
          "" },

        /* Replies. */
        { "ingress filter",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_IN_DEVICE, 0, 0 }, NOT_IN },
          PING_CAUSE_INGRESS_FILTER,
          PING_DEVICE_IN,
          false,
          "" },
        { "dropped by the device",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_LINK_RX_DROPPED, 100, 0 }, { PING_IN_DEVICE, 0, 0 }, NOT_IN },
          PING_CAUSE_INGRESS_FILTER,
          PING_DEVICE_IN,
          true,
          "" },
        { "rp_filter",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_IN_REVERSE_PATH, 100, 0 }, NOT_IN },
          CAUSE_RP_FILTER,
          PING_IP_IN,
          true,
          "" },
        { "rp_filter by the route",
          FACTS(.reply = CAUSE_RP_FILTER),
          SENT(.received = 0),
          { NOT_IN },
          CAUSE_RP_FILTER,
          PING_IP_IN,
          true,
          "" },
        { "rp_filter by the route, and replies",
          FACTS(.reply = CAUSE_RP_FILTER),
          SENT(.received = 67),
          { { PING_IN_DELIVERS, 67, 0 }, { PING_IN_ECHO_REPLIES, 67, 0 }, { PING_LOST_IN, 33, 0 } },
          PING_CAUSE_INPUT_FILTER,
          PING_IP_IN,
          false,
          "" },
        { "not local",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_IN_ADDRESS_ERRORS, 100, 0 }, NOT_IN },
          PING_CAUSE_NOT_LOCAL,
          PING_IP_IN,
          true,
          "" },
        { "forwarded",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_FORWARDED, 100, 0 }, NOT_IN },
          PING_CAUSE_NOT_LOCAL,
          PING_IP_IN,
          true,
          "" },
        { "no return route",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_IN_NO_ROUTES, 100, 0 }, NOT_IN },
          CAUSE_NO_RETURN_ROUTE,
          PING_IP_IN,
          true,
          "" },
        { "header",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_IN_HEADER_ERRORS, 100, 0 }, NOT_IN },
          PING_CAUSE_BAD_HEADER,
          PING_IP_IN,
          true,
          "" },
        { "IPsec of replies",
          FACTS(.size = 56),
          SENT(.dropped = 100),
          { { PING_IN_XFRM, 100, 0 }, NOT_IN },
          PING_CAUSE_IPSEC,
          PING_IP_IN,
          true,
          "replies" },
        { "fragments of replies",
          FACTS(.size = 4000),
          SENT(.received = 0),
          { { PING_READ, 300, 0 },
            { VERDICT(REPLY_FRAGMENT), 200, 0 },
            { PING_IN_DEVICE, 300, 0 },
            { PING_REASSEMBLY_REQUESTS, 100, 0 },
            NOT_IN },
          PING_CAUSE_FRAGMENTS_LOST,
          PING_IP_IN,
          true,
          "replies" },
        { "input filter",
          FACTS(.size = 56),
          SENT(.received = 0),
          { NOT_IN },
          PING_CAUSE_INPUT_FILTER,
          PING_IP_IN,
          false,
          "" },
        { "one in three on input",
          FACTS(.size = 56),
          SENT(.received = 67),
          { { PING_IN_DELIVERS, 67, 0 }, { PING_IN_ECHO_REPLIES, 67, 0 }, { PING_LOST_IN, 33, 0 } },
          PING_CAUSE_INPUT_FILTER,
          PING_IP_IN,
          false,
          "" },
        { "refused",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { VERDICT(ICMP_ERROR), 6, 0 }, NOT_IN },
          PING_CAUSE_REPLY_REFUSED,
          PING_IP_IN,
          true,
          "" },
        { "corrupt replies",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_IN_CHECKSUM_ERRORS, 100, 0 }, { PING_IN_ECHO_REPLIES, 0, 0 }, { PING_LOST_IN, 100, 0 } },
          PING_CAUSE_CORRUPT_REPLIES,
          PING_ICMP_IN,
          true,
          "" },
        { "other data", FACTS(.size = 56), SENT(.corrupt = 100), NO_CHANGE, PING_CAUSE_CORRUPT_REPLIES,
          PING_ICMP_IN, true, "" },
        { "other data, in half of the replies", FACTS(.size = 56), SENT(.received = 50, .corrupt = 50),
          NO_CHANGE, PING_CAUSE_CORRUPT_REPLIES, PING_ICMP_IN, true, "" },
        { "other data, in one reply",
          FACTS(.size = 56),
          SENT(.corrupt = 1),
          { { PING_IN_REVERSE_PATH, 99, 0 }, NOT_IN },
          CAUSE_RP_FILTER,
          PING_IP_IN,
          true,
          "" },
        { "overflow", FACTS(.size = 56), SENT(.received = 20, .dropped = 80), NO_CHANGE,
          PING_CAUSE_SOCKET_OVERFLOW, PING_SOCKET, true, "" },
        { "unknown", FACTS(.size = 56), SENT(.received = 40), NO_CHANGE, PING_CAUSE_UNKNOWN, PING_SOCKET,
          false, "" },

        /* Noise of other traffic explains nothing. */
        { "noise, healthy",
          FACTS(.size = 56),
          SENT(.received = COUNT),
          { { PING_READ, 20, 500 }, { PING_IN_REVERSE_PATH, 300, 0 } },
          PING_CAUSE_HEALTHY,
          PING_NOWHERE,
          true,
          "" },
        { "noise of another counter",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_IN_REVERSE_PATH, 100, 60 }, NOT_IN },
          PING_CAUSE_INPUT_FILTER,
          PING_IP_IN,
          false,
          "" },
        { "too little of another counter",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_IN_HEADER_ERRORS, 30, 0 }, NOT_IN },
          PING_CAUSE_INPUT_FILTER,
          PING_IP_IN,
          false,
          "" },
        { "noise of what IP has received",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_IN_DEVICE, 0, 60 }, NOT_IN },
          PING_CAUSE_INPUT_FILTER,
          PING_IP_IN,
          false,
          "" },
        { "noise of what is replied",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { VERDICT(REPLY), 300, 200 }, NOT_IN },
          PING_CAUSE_INPUT_FILTER,
          PING_IP_IN,
          false,
          "" },
        { "noise of a verdict",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { VERDICT(ICMP_ERROR), 30, 20 }, NOT_IN },
          PING_CAUSE_INPUT_FILTER,
          PING_IP_IN,
          false,
          "" },
        { "noise of what is unsent",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_UNSENT, 60, 20 }, NOT_IN },
          PING_CAUSE_INPUT_FILTER,
          PING_IP_IN,
          false,
          "" },
        { "noise of what is read, less than is lost",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_LOST_OUT, 13, 2 }, { PING_READ, 87, 20 }, NOT_IN },
          PING_CAUSE_INPUT_FILTER,
          PING_IP_IN,
          false,
          "" },
        { "noise of the verdict of most",
          FACTS(.size = 56),
          SENT(.received = 0),
          { NOT_ANSWERED, { VERDICT(NOT_OURS), 100, 50 } },
          PING_CAUSE_NOT_OURS,
          PING_DAEMON,
          false,
          "" },
        { "noise of what is read",
          FACTS(.size = 56),
          SENT(.received = 0),
          { { PING_READ, 60, 50 }, { VERDICT(REPLY), 80, 50 }, { PING_LOST_OUT, 3, 4 }, NOT_IN },
          PING_CAUSE_INPUT_FILTER,
          PING_IP_IN,
          false,
          "" },
};

#pragma GCC diagnostic pop

static struct ping_estimate make_estimate(const struct change *changes, bool fewer_known)
{
        struct ping_estimate estimate = { .n_rounds = 10 };

        for (size_t i = 0; i < _PING_COUNTER_MAX; i++)
                estimate.known[i] = !fewer_known || i < PING_READ;
        for (size_t i = 0; i < ARRAY_SIZE(path); i++)
                estimate.values[path[i]] = COUNT;
        for (size_t i = 0; i < CHANGES_MAX; i++) {
                const struct change *change = &changes[i];

                if (change->counter == 0)
                        continue;
                estimate.values[change->counter] = change->value;
                estimate.deviations[change->counter] = change->deviation;
        }

        return estimate;
}

static void test_causes(void **state)
{
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct ping_estimate estimate = make_estimate(cases[i].changes, false);
                struct ping_decision decision;

                ping_decide(&decision, &cases[i].facts, &cases[i].result, &estimate);
                if (decision.cause != cases[i].cause || decision.stage != cases[i].stage ||
                    decision.is_certain != cases[i].is_certain ||
                    strcmp(decision.detail, cases[i].detail) != 0)
                        fail_msg("%s: %s at %d, %s", cases[i].what, ping_cause_name(decision.cause),
                                 (int) decision.stage, decision.detail);
        }
}

/* A cause is likely if few rounds show it; what the kernel says about the device is certain. */
static void test_few_rounds(void **state)
{
        static const struct {
                size_t n_rounds;
                bool is_up, is_certain;
        } rules[] = {
                { 1, true, false }, { 2, true, false }, { 3, true, true }, { 1, false, true },
        };

        static const struct change changes[CHANGES_MAX] = { { PING_IN_REVERSE_PATH, 100, 0 }, NOT_IN };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct ping_estimate estimate = make_estimate(changes, false);
                struct ping_facts facts = healthy;
                struct ping_decision decision;

                estimate.n_rounds = rules[i].n_rounds;
                facts.is_up = rules[i].is_up;
                ping_decide(&decision, &facts, &unanswered, &estimate);
                assert_int_equal(decision.cause, facts.is_up ? CAUSE_RP_FILTER : PING_CAUSE_DEVICE_DOWN);
                assert_int_equal(decision.is_certain, rules[i].is_certain);
        }
}

/* Every cause is one of a case, but for those that the routes of requests and replies have alike. */
static void test_all_causes(void **state)
{
        (void) state;

        for (unsigned cause = PING_CAUSE_HEALTHY; cause < _PING_CAUSE_MAX; cause++) {
                size_t i = 0;

                while (i < ARRAY_SIZE(cases) && cases[i].cause != cause)
                        i++;
                if (i == ARRAY_SIZE(cases))
                        fail_msg("%s has no case", ping_cause_name(cause));
        }
}

/* Without the counters of the daemon, the device's tell what it reads and writes. */
static void test_without_status(void **state)
{
        static const struct {
                struct change changes[CHANGES_MAX];
                unsigned cause;
        } rules[] = {
                { { NOT_READ }, PING_CAUSE_EGRESS_FILTER },
                { { NOT_IN }, PING_CAUSE_INPUT_FILTER },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                const struct ping_estimate estimate = make_estimate(rules[i].changes, true);
                struct ping_decision decision;

                ping_decide(&decision, &healthy, &unanswered, &estimate);
                assert_string_equal(ping_cause_name(decision.cause), ping_cause_name(rules[i].cause));
        }
}

/* A stage passes no more than the one before it, and no less than was answered. */
static void test_stages(void **state)
{
        static const struct change noisy[CHANGES_MAX] = { { PING_READ, 180, 0 },
                                                          { VERDICT(REPLY), 50, 0 },
                                                          { PING_IN_DEVICE, -7, 0 } };
        const struct ping_probe_result some = SENT(.received = 30);
        struct ping_estimate estimate = make_estimate(noisy, false);
        static const unsigned passed[] = { 100, 100, 100, 50, 30, 30, 30, 30 };
        struct ping_decision decision;

        (void) state;

        ping_decide(&decision, &healthy, &some, &estimate);
        for (enum ping_stage stage = 0; stage < _PING_STAGE_MAX; stage++)
                assert_int_equal(decision.passed[stage], passed[stage]);

        estimate = make_estimate((const struct change[CHANGES_MAX]) NO_CHANGE, false);
        ping_decide(&decision, &healthy, &answered, &estimate);
        for (enum ping_stage stage = 0; stage < _PING_STAGE_MAX; stage++)
                assert_int_equal(decision.passed[stage], COUNT);
        assert_null(ping_stage_name(PING_NOWHERE));
}

/* A counter that the kernel lacks shows no loss: the stage passes what the one before it does. */
static void test_unknown_stages(void **state)
{
        static const struct {
                size_t counters[2];
                unsigned passed[_PING_STAGE_MAX];
        } rules[] = {
                { { PING_IN_DEVICE, PING_IN_DELIVERS }, { 100, 100, 100, 100, 100, 100, 30, 0 } },
                { { PING_READ, PING_LINK_TX }, { 100, 100, 100, 90, 80, 40, 30, 0 } },
                { { PING_IN_DELIVERS, PING_IN_ECHO_REPLIES }, { 100, 100, 100, 100, 80, 80, 80, 0 } },
        };
        static const struct change changes[CHANGES_MAX] = {
                { PING_LINK_RX, 90, 0 },
                { PING_IN_DEVICE, 80, 0 },
                { PING_IN_DELIVERS, 40, 0 },
                { PING_IN_ECHO_REPLIES, 30, 0 },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct ping_estimate estimate = make_estimate(changes, false);
                struct ping_decision decision;

                for (size_t j = 0; j < ARRAY_SIZE(rules[i].counters); j++) {
                        estimate.known[rules[i].counters[j]] = false;
                        estimate.values[rules[i].counters[j]] = 0;
                }
                ping_decide(&decision, &healthy, &unanswered, &estimate);
                for (enum ping_stage stage = 0; stage < _PING_STAGE_MAX; stage++)
                        if (decision.passed[stage] != rules[i].passed[stage])
                                fail_msg("%zu: %s %u", i, ping_stage_name(stage), decision.passed[stage]);
        }
}

/*
 * Each cause has an identifier of its own, a text, and a command without a hole. Only too-big is two: the daemon
 * knows the MTU of the device, and the sender that of the path.
 */
static void test_texts(void **state)
{
        const struct cause_names names = {
                .family = AF_INET6,
                .source = "S",
                .destination = "D",
                .device = "tun0",
                .in = "I",
                .out = "O",
                .detail = "DETAIL",
        };
        char text[256];

        (void) state;

        for (unsigned cause = 0; cause < _PING_CAUSE_MAX; cause++) {
                for (unsigned other = 0; other < cause; other++)
                        if (cause != PING_CAUSE_TOO_BIG || other != CAUSE_TOO_BIG)
                                assert_string_not_equal(ping_cause_name(cause), ping_cause_name(other));

                assert_null(strchr(ping_cause_text(text, sizeof(text), cause, &names), '{'));
                assert_true(cause == CAUSE_NONE || strlen(text) > 0);
                assert_true(strlen(text) < sizeof(text) - 100);
                assert_null(strchr(ping_cause_remedy(text, sizeof(text), cause, &names), '{'));
                assert_true(cause == CAUSE_NONE || cause == PING_CAUSE_HEALTHY || strlen(text) > 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_causes),         cmocka_unit_test(test_all_causes),
                cmocka_unit_test(test_without_status), cmocka_unit_test(test_stages),
                cmocka_unit_test(test_texts),          cmocka_unit_test(test_few_rounds),
                cmocka_unit_test(test_unknown_stages),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
