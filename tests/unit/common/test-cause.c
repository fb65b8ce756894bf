/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Each answer of the kernel about a ping, the cause that it stands for, and what is said about it. */

#include "common/cause.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "unit.h"

#define DEVICE 7U
#define OTHER  3U

#define INTO                                       \
        {                                          \
                .type = RTN_UNICAST, .oif = DEVICE \
        }
#define ELSEWHERE                                 \
        {                                         \
                .type = RTN_UNICAST, .oif = OTHER \
        }
#define LOCAL                               \
        {                                   \
                .type = RTN_LOCAL, .oif = 1 \
        }
#define ERROR(num)              \
        {                       \
                .error = -(num) \
        }

static const struct {
        const char *what;
        struct cause_answers answers;
        enum cause cause;
} cases[] = {
        /* Requests that this host sends. */
        { "sent into it", { .route = INTO }, CAUSE_NONE },
        { "sent elsewhere", { .route = ELSEWHERE }, CAUSE_ROUTED_ELSEWHERE },
        { "sent to itself", { .route = LOCAL }, CAUSE_OWN_ADDRESS },
        { "no route", { .route = ERROR(ENETUNREACH) }, CAUSE_NO_ROUTE },
        { "blackhole", { .route = ERROR(EINVAL), .destination = ERROR(EINVAL) }, CAUSE_BLACKHOLE },
        { "no source", { .route = ERROR(EINVAL), .destination = INTO }, CAUSE_NO_SOURCE },
        { "prohibit", { .route = ERROR(EACCES) }, CAUSE_PROHIBIT },
        { "unreachable", { .route = ERROR(EHOSTUNREACH) }, CAUSE_UNREACHABLE },
        { "source deleted", { .route = INTO, .source_lost = true }, CAUSE_NO_SOURCE },

        /* Requests that arrive. */
        { "forwarded", { .route = INTO, .is_forwarded = true, .forwards = true }, CAUSE_NONE },
        { "IPv6 not forwarded", { .route = INTO, .is_forwarded = true }, CAUSE_NOT_FORWARDING },
        { "IPv4 not forwarded", { .route = ERROR(EHOSTUNREACH), .is_forwarded = true }, CAUSE_NOT_FORWARDING },
        { "forwarded, unreachable",
          { .route = ERROR(EHOSTUNREACH), .is_forwarded = true, .forwards = true },
          CAUSE_UNREACHABLE },
        { "forwarded elsewhere",
          { .route = ELSEWHERE, .is_forwarded = true, .forwards = true },
          CAUSE_ROUTED_ELSEWHERE },
        { "rp_filter",
          { .route = ERROR(EINVAL), .destination = INTO, .is_forwarded = true, .rp_filter = true },
          CAUSE_RP_FILTER },
        { "rp_filter of an older kernel", { .route = ERROR(EXDEV), .is_forwarded = true }, CAUSE_RP_FILTER },
        { "martian", { .route = ERROR(EINVAL), .destination = INTO, .is_forwarded = true }, CAUSE_MARTIAN },
        { "blackhole, filter on",
          { .route = ERROR(EINVAL), .destination = ERROR(EINVAL), .is_forwarded = true, .rp_filter = true },
          CAUSE_BLACKHOLE },
        { "fits", { .route = INTO, .size = 1500, .mtu = 1500 }, CAUSE_NONE },
        { "does not fit", { .route = INTO, .size = 1500, .mtu = 1499 }, CAUSE_TOO_BIG },
        { "reply does not fit", { .is_reply = true, .route = LOCAL, .size = 1500, .mtu = 1499 }, CAUSE_NONE },
        { "unknown error", { .route = ERROR(ENOBUFS), .is_forwarded = true }, CAUSE_NO_ROUTE },

        /* Replies. */
        { "reply to this host", { .is_reply = true, .route = LOCAL }, CAUSE_NONE },
        { "reply forwarded", { .is_reply = true, .route = ELSEWHERE, .forwards = true }, CAUSE_NONE },
        { "reply not forwarded", { .is_reply = true, .route = ELSEWHERE }, CAUSE_NOT_FORWARDING },
        { "IPv4 reply not forwarded", { .is_reply = true, .route = ERROR(EHOSTUNREACH) }, CAUSE_NOT_FORWARDING },
        { "reply back", { .is_reply = true, .route = INTO, .forwards = true }, CAUSE_ROUTED_BACK },
        { "no route back",
          { .is_reply = true, .route = ERROR(ENETUNREACH), .forwards = true },
          CAUSE_NO_RETURN_ROUTE },
        { "reply prohibited", { .is_reply = true, .route = ERROR(EACCES), .forwards = true }, CAUSE_PROHIBIT },
        { "reply filtered",
          { .is_reply = true, .route = ERROR(EINVAL), .destination = ELSEWHERE, .rp_filter = true },
          CAUSE_RP_FILTER },
        { "reply martian", { .is_reply = true, .route = ERROR(EINVAL), .destination = ELSEWHERE }, CAUSE_MARTIAN },
        { "client deleted", { .is_reply = true, .route = ELSEWHERE, .source_lost = true }, CAUSE_NO_SOURCE },
};

static void test_causes(void **state)
{
        bool found[_CAUSE_MAX] = { false };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct cause_answers answers = cases[i].answers;
                enum cause cause;

                answers.device = DEVICE;
                cause = cause_find(&answers);
                if (cause != cases[i].cause)
                        fail_msg("%s: %s, not %s", cases[i].what, cause_name(cause), cause_name(cases[i].cause));
                found[cause] = true;
        }

        for (enum cause cause = 0; cause < _CAUSE_MAX; cause++)
                assert_true(found[cause]);
}

static const struct {
        enum cause cause;
        const char *name, *text, *remedy;
} rows[] = {
        { CAUSE_NONE, "none", "", "" },
        { CAUSE_ROUTED_ELSEWHERE, "routed-elsewhere", "10.0.0.2 is routed out of 'a', not 'tun0'",
          "ip route replace 10.0.0.2 dev tun0" },
        { CAUSE_ROUTED_BACK, "routed-back", "10.0.0.2 is routed into 'tun0' itself",
          "ip route add 10.0.0.2 via GATEWAY" },
        { CAUSE_OWN_ADDRESS, "own-address", "10.0.0.2 is an address of this host, which answers itself",
          "ip address show to 10.0.0.2" },
        { CAUSE_NO_SOURCE, "no-source", "10.0.0.1 is no address of this host",
          "ip address add 10.0.0.1 dev INTERFACE" },
        { CAUSE_NO_ROUTE, "no-route", "no route to 10.0.0.2, or a rule makes it unreachable", "ip route add 10.0.0.2 dev tun0" },
        { CAUSE_NO_RETURN_ROUTE, "no-return-route", "no route to 10.0.0.2, or a rule makes it unreachable", "ip route add 10.0.0.2 via GATEWAY" },
        { CAUSE_BLACKHOLE, "blackhole", "the route to 10.0.0.2 is a blackhole",
          "ip route show type blackhole; ip rule" },
        { CAUSE_PROHIBIT, "prohibit", "a route or a rule prohibits packets to 10.0.0.2",
          "ip route show type prohibit; ip rule" },
        { CAUSE_UNREACHABLE, "unreachable", "a route or a rule makes 10.0.0.2 unreachable",
          "ip route show type unreachable; ip rule" },
        { CAUSE_RP_FILTER, "rp-filter",
          "rp_filter drops packets from 10.0.0.1 that arrive on 'eth0.5', as the route to 10.0.0.1 leads elsewhere",
          "sysctl -w net/ipv4/conf/eth0.5/rp_filter=2" },
        { CAUSE_MARTIAN, "martian", "10.0.0.1 is a martian source on 'eth0.5'",
          "ip route get 10.0.0.2 from 10.0.0.1 iif eth0.5" },
        { CAUSE_NOT_FORWARDING, "not-forwarding", "this host does not forward what arrives on 'eth0.5'",
          "sysctl -w net.ipv4.ip_forward=1" },
        { CAUSE_TOO_BIG, "too-big", "1500 bytes are more than the MTU of 'tun0'", "ip link set dev tun0 mtu 1500" },
};

_Static_assert(ARRAY_SIZE(rows) == _CAUSE_MAX, "every cause is to be tested");

static void test_texts(void **state)
{
        const struct cause_names names = {
                .family = AF_INET,
                .source = "10.0.0.1",
                .destination = "10.0.0.2",
                .device = "tun0",
                .in = "eth0.5",
                .out = "a",
                .detail = "1500",
        };
        char text[256];

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                assert_string_equal(cause_name(rows[i].cause), rows[i].name);
                assert_string_equal(cause_text(text, sizeof(text), rows[i].cause, &names), rows[i].text);
                assert_string_equal(cause_remedy(text, sizeof(text), rows[i].cause, &names), rows[i].remedy);
        }
}

/* The commands of IPv6 say so. */
static void test_ipv6(void **state)
{
        const struct cause_names names = {
                .family = AF_INET6,
                .source = "2001:db8::1",
                .destination = "2001:db8::2",
                .device = "tun0",
                .in = "a",
                .out = "",
        };
        char text[256];

        (void) state;

        assert_string_equal(cause_remedy(text, sizeof(text), CAUSE_NOT_FORWARDING, &names),
                            "sysctl -w net.ipv6.conf.all.forwarding=1");
        assert_string_equal(cause_remedy(text, sizeof(text), CAUSE_NO_ROUTE, &names),
                            "ip -6 route add 2001:db8::2 dev tun0");
}

/* What does not fit is cut off, at every size. */
static void test_sizes(void **state)
{
        const struct cause_names names = {
                .family = AF_INET,
                .source = "192.0.2.1",
                .destination = "192.0.2.2",
                .device = "tun0",
                .in = "a",
                .out = "b",
        };
        char whole[256], text[256];

        (void) state;

        (void) cause_text(whole, sizeof(whole), CAUSE_RP_FILTER, &names);
        for (size_t size = 1; size < sizeof(text); size++) {
                memset(text, 'x', sizeof(text));
                (void) cause_text(text, size, CAUSE_RP_FILTER, &names);
                assert_int_equal(strlen(text), size - 1 < strlen(whole) ? size - 1 : strlen(whole));
                assert_memory_equal(text, whole, strlen(text));
                assert_int_equal(text[size], 'x');
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_causes),
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_ipv6),
                cmocka_unit_test(test_sizes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
