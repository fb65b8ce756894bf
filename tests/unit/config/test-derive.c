/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What settings mean together: default addresses, checks, the policy, what to ping. */

#include "config/config.h"

#include <arpa/inet.h>
#include <string.h>
#include <sysexits.h>

#include "loading.h"

static void test_defaults_by_name(void **state)
{
        static const struct {
                const char *name, *address_ipv4, *peer_ipv4, *address_ipv6, *peer_ipv6;
        } names[] = {
                { "tun0", "198.18.0.1", "198.18.0.2", "2001:2::1", "2001:2::2" },
                { "tun1", "198.18.1.1", "198.18.1.2", "2001:2:0:1::1", "2001:2:0:1::2" },
                { "tun7", "198.18.7.1", "198.18.7.2", "2001:2:0:7::1", "2001:2:0:7::2" },
                { "tun10", "198.18.10.1", "198.18.10.2", "2001:2:0:a::1", "2001:2:0:a::2" },
                { "tun99", "198.18.99.1", "198.18.99.2", "2001:2:0:63::1", "2001:2:0:63::2" },
                { "tun255", "198.18.255.1", "198.18.255.2", "2001:2:0:ff::1", "2001:2:0:ff::2" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct config config;

                assert_int_equal(load_text(&config, "", names[i].name), 0);
                assert_true(config.default_addresses);
                assert_int_equal(config.n_addresses, 2);
                assert_address(&config.addresses[0].prefix.address, names[i].address_ipv4);
                assert_address(&config.addresses[1].prefix.address, names[i].address_ipv6);
                assert_false(config.addresses[0].has_length);
                assert_false(config.addresses[1].has_length);
                assert_int_equal(config.addresses[0].prefix.length, 32);
                assert_int_equal(config.addresses[1].prefix.length, 128);
                assert_address(&config.peer_ipv4, names[i].peer_ipv4);
                assert_address(&config.peer_ipv6, names[i].peer_ipv6);
        }
}

static void test_no_defaults_by_name(void **state)
{
        static const char *const names[] = {
                "tun",
                "tun256",
                "tun1000",
                "tun007",
                "tun00",
                "tun01",
                "tun0x1",
                "tun-1",
                "tun1a",
                "tuna",
                "wg1",
                "Tun0",
                "tap0",
                "tun99999999999",
                "atun0",
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct config config;
                int status = load_text(&config, "", names[i]);

                if (status != EX_CONFIG || n_reported != 1 || !strstr(reported[0].message, "Address=") ||
                    !strstr(reported[0].message, names[i]))
                        explain(names[i], status);
                assert_int_equal(status, EX_CONFIG);
                assert_int_equal(n_reported, 1);
                assert_string_equal(reported[0].file, path);
                assert_int_equal(reported[0].line, 0);
                assert_non_null(strstr(reported[0].message, "Address="));
                assert_non_null(strstr(reported[0].message, names[i]));

                /* An address makes it a good name, and so does having none at all. */
                assert_int_equal(load_text(&config, "[Network]\nAddress=10.0.0.1\n", names[i]), 0);
                assert_int_equal(load_text(&config, "[Network]\nConfigure=no\n", names[i]), 0);
                assert_int_equal(config.n_addresses, 0);
        }
}

static void test_has_and_drop_ipv6(void **state)
{
        struct config config;

        (void) state;

        assert_int_equal(load_text(&config, "[Network]\nAddress=10.0.0.1\n", "tun0"), 0);
        assert_false(config_has_ipv6(&config));

        assert_int_equal(
                load_text(&config,
                          "[Network]\nAddress=2001:db8::1\nAddress=10.0.0.1/24\nAddress=2001:db8::3/64\n"
                          "Address=10.0.1.1\nPeer=10.0.0.2\nPeer=2001:db8::2\n",
                          "tun0"),
                0);
        assert_true(config_has_ipv6(&config));
        config_drop_ipv6(&config);
        assert_false(config_has_ipv6(&config));
        assert_int_equal(config.n_addresses, 2);
        assert_address(&config.addresses[0].prefix.address, "10.0.0.1");
        assert_true(config.addresses[0].has_length);
        assert_address(&config.addresses[1].prefix.address, "10.0.1.1");
        assert_address(&config.peer_ipv4, "10.0.0.2");
        assert_int_equal(config.peer_ipv6.family, AF_UNSPEC);
}

/* Which address, by its number, is the local address of a point-to-point link to the peer; -1: none. */
static void test_point_to_point(void **state)
{
        static const struct {
                const char *content;
                int ipv4, ipv6;
        } files[] = {
                { "", 0, 1 },
                { "[Network]\nAddress=10.0.0.1\n", -1, -1 },
                { "[Network]\nAddress=10.0.0.1/24\nPeer=10.0.0.2\n", -1, -1 },
                { "[Network]\nAddress=10.0.0.1/24\nAddress=10.1.0.1\nPeer=10.0.0.2\n", -1, -1 },
                { "[Network]\nAddress=10.0.0.1/24\nAddress=10.1.0.1\nPeer=10.2.0.2\n", 1, -1 },
                { "[Network]\nAddress=10.0.0.1\nAddress=10.1.0.1\nPeer=10.2.0.2\n", 0, -1 },
                { "[Network]\nAddress=10.0.0.1/32\nPeer=10.2.0.2\n", 0, -1 },
                { "[Network]\nAddress=2001:db8::1\nAddress=10.0.0.1\nPeer=10.2.0.2\nPeer=2001:db8:1::2\n", 1,
                  0 },
                { "[Network]\nAddress=2001:db8::1/64\nAddress=10.0.0.1\nPeer=10.2.0.2\nPeer=2001:db8::2\n", 1,
                  -1 },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                struct config config;

                assert_int_equal(load_text(&config, files[i].content, "tun0"), 0);
                for (size_t n = 0; n < config.n_addresses; n++) {
                        const struct address *expected = NULL;

                        if ((int) n == files[i].ipv4)
                                expected = &config.peer_ipv4;
                        if ((int) n == files[i].ipv6)
                                expected = &config.peer_ipv6;
                        assert_ptr_equal(config_point_to_point(&config, &config.addresses[n]), expected);
                }
        }
}

/* What to ping: the peer, or an address behind the device; and none that is not answered. */
static void test_address_to_try(void **state)
{
        static const struct {
                const char *content, *ipv4, *ipv6;
        } files[] = {
                { "", "198.18.0.2", "2001:2::2" },
                { "[Network]\nAddress=10.0.0.1/24\nPeer=10.0.0.9\n", "10.0.0.9", NULL },
                { "[Network]\nAddress=10.0.0.1\n", NULL, NULL },
                { "[Network]\nAddress=10.0.0.1/24\n", "10.0.0.2", NULL },
                { "[Network]\nAddress=10.0.0.254/24\n", "10.0.0.253", NULL },
                { "[Network]\nAddress=10.0.0.0/31\n", "10.0.0.1", NULL },
                { "[Network]\nAddress=10.0.0.1/31\n", "10.0.0.0", NULL },
                { "[Network]\nAddress=10.0.0.1/32\n", NULL, NULL },
                { "[Network]\nAddress=10.0.0.1/24\nAddress=10.0.0.2/24\n", "10.0.0.3", NULL },
                { "[Network]\nAddress=10.0.0.1/32\nAddress=10.1.0.1/24\n", "10.1.0.2", NULL },
                { "[Network]\nAddress=2001:db8::1/64\n", NULL, "2001:db8::2" },
                { "[Network]\nAddress=2001:db8::ff/128\n", NULL, NULL },
                { "[Network]\nAddress=10.0.0.1/24\n[Reflector]\nDestination=10.0.0.128/25\n", NULL, NULL },
                { "[Reflector]\nDestination=198.18.0.2\n", "198.18.0.2", NULL },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                struct address ipv4, ipv6;
                struct config config;

                assert_int_equal(load_text(&config, files[i].content, "tun0"), 0);
                ipv4 = config_address_to_try(&config, AF_INET);
                ipv6 = config_address_to_try(&config, AF_INET6);
                assert_int_equal(ipv4.family, files[i].ipv4 ? AF_INET : AF_UNSPEC);
                assert_int_equal(ipv6.family, files[i].ipv6 ? AF_INET6 : AF_UNSPEC);
                if (files[i].ipv4)
                        assert_address(&ipv4, files[i].ipv4);
                if (files[i].ipv6)
                        assert_address(&ipv6, files[i].ipv6);
        }
}

static void test_policy(void **state)
{
        struct policy policy;
        struct config config;
        char text[INET6_ADDRSTRLEN];

        (void) state;

        assert_int_equal(
                load_text(&config,
                          "[Network]\nAddress=10.0.0.1/24\nAddress=10.1.0.1\nAddress=10.2.0.0/31\n"
                          "Address=10.3.0.1/9\nAddress=2001:db8::1/64\nAddress=2001:db8:1::1\n"
                          "Peer=10.0.0.2\nPeer=2001:db8:1:2:1234:5:6:7\n"
                          "[Reflector]\nDestination=10.0.0.0/8\nDestination=2001:db8::/32\nHopLimit=255\n"
                          "AnswerBroadcast=yes\nAnswerMulticast=no\n",
                          "tun0"),
                0);
        config_policy(&config, &policy);
        assert_string_equal(inet_ntop(AF_INET, &policy.peer_ipv4, text, sizeof(text)), "10.0.0.2");
        assert_string_equal(inet_ntop(AF_INET6, &policy.peer_ipv6, text, sizeof(text)),
                            "2001:db8:1:2:1234:5:6:7");
        assert_string_equal(inet_ntop(AF_INET6, &policy.peer_link_local, text, sizeof(text)),
                            "fe80::1234:5:6:7");
        assert_int_equal(policy.n_broadcasts, 2);
        assert_string_equal(inet_ntop(AF_INET, &policy.broadcasts[0], text, sizeof(text)), "10.0.0.255");
        assert_string_equal(inet_ntop(AF_INET, &policy.broadcasts[1], text, sizeof(text)), "10.127.255.255");
        assert_int_equal(policy.n_destinations, 2);
        assert_int_equal(policy.destinations[0].length, 8);
        assert_int_equal(policy.destinations[1].address.family, AF_INET6);
        assert_int_equal(policy.hop_limit, 255);
        assert_true(policy.answer_broadcast);
        assert_false(policy.answer_multicast);
}

/* An address that is all zero is none. */
static void test_policy_without_peer(void **state)
{
        static const struct in6_addr none;
        struct policy policy;
        struct config config;

        (void) state;

        assert_int_equal(load_text(&config, "[Network]\nAddress=10.0.0.1/24\n", "tun0"), 0);
        config_policy(&config, &policy);
        assert_int_equal(policy.peer_ipv4.s_addr, 0);
        assert_memory_equal(&policy.peer_ipv6, &none, sizeof(none));
        assert_memory_equal(&policy.peer_link_local, &none, sizeof(none));
        assert_int_equal(policy.n_destinations, 0);
        assert_int_equal(policy.hop_limit, 64);
        assert_false(policy.answer_broadcast);
        assert_true(policy.answer_multicast);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults_by_name),
                cmocka_unit_test(test_no_defaults_by_name),
                cmocka_unit_test(test_has_and_drop_ipv6),
                cmocka_unit_test(test_point_to_point),
                cmocka_unit_test(test_address_to_try),
                cmocka_unit_test(test_policy),
                cmocka_unit_test(test_policy_without_peer),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
