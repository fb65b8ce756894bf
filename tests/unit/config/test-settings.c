/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Every setting: its default, good and bad values, and how it is printed. */

#include "config/config.h"

#include <string.h>
#include <sysexits.h>

#include "loading.h"

static void test_defaults(void **state)
{
        struct config config;

        (void) state;

        assert_int_equal(load_text(&config, "", "tun0"), 0);
        assert_int_equal(n_reported, 0);
        assert_int_equal(config.action, CONFIG_RUN);
        assert_string_equal(config.interface, "tun0");
        assert_null(config.user);
        assert_string_equal(printed(&config), "[Device]\n"
                                              "MTUBytes=1500\n"
                                              "TransmitQueueLength=5000\n"
                                              "\n"
                                              "[Network]\n"
                                              "Configure=yes\n"
                                              "Address=198.18.0.1\n"
                                              "Address=2001:2::1\n"
                                              "Peer=198.18.0.2\n"
                                              "Peer=2001:2::2\n"
                                              "\n"
                                              "[Reflector]\n"
                                              "HopLimit=64\n"
                                              "AnswerBroadcast=no\n"
                                              "AnswerMulticast=yes\n"
                                              "\n"
                                              "[Engine]\n"
                                              "Type=auto\n"
                                              "\n"
                                              "[Log]\n"
                                              "Packets=no\n"
                                              "Sessions=yes\n");
}

/* For a file; the argument of an option must not be empty. */
static void test_empty_value_is_the_default(void **state)
{
        static const char content[] = "[Device]\nMTUBytes=9000\nTransmitQueueLength=9\n"
                                      "MTUBytes=\nTransmitQueueLength=\n"
                                      "[Network]\nConfigure=no\nConfigure=\n"
                                      "[Reflector]\nHopLimit=1\nAnswerBroadcast=yes\nAnswerMulticast=no\n"
                                      "HopLimit= # none\nAnswerBroadcast=;none\nAnswerMulticast=#none\n"
                                      "[Engine]\nType=syscall\nType=\n"
                                      "[Log]\nPackets=yes\nSessions=no\nPackets=\nSessions=\n";
        struct config config, defaults;
        char text[8192];

        (void) state;

        assert_int_equal(load_text(&defaults, "", "tun0"), 0);
        strcpy(text, printed(&defaults));
        assert_int_equal(load_text(&config, content, "tun0"), 0);
        assert_string_equal(printed(&config), text);
}

/* The reason names the first address that a host can have. */
static void test_network_addresses(void **state)
{
        static const struct {
                const char *value, *first;
        } values[] = {
                { "10.99.0.0/24", "10.99.0.1/24" },
                { "10.99.0.4/30", "10.99.0.5/30" },
                { "2001:db8::/64", "2001:db8::1/64" },
                { "2001:db8::fc/126", "2001:db8::fd/126" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                struct config config;
                char words[64];

                (void) snprintf(words, sizeof(words), "-a %s tun0", values[i].value);
                assert_int_equal(load(&config, words), EX_USAGE);
                assert_int_equal(n_reported, 1);
                assert_non_null(strstr(reported[0].message, values[i].first));

                (void) snprintf(words, sizeof(words), "-a %s tun0", values[i].first);
                assert_int_equal(load(&config, words), 0);
        }
}

static void test_how_many(void **state)
{
        static const char first[] = "[Network]\nAddress=10.0.0.1\n[Reflector]\n";
        const unsigned addresses = CONFIG_MAX_ADDRESSES, destinations = POLICY_MAX_DESTINATIONS;
        struct config config;

        (void) state;

        assert_int_equal(load_lines(&config, "[Network]\n", "Address=10.1.", addresses, "wg0"), 0);
        assert_int_equal(config.n_addresses, addresses);

        assert_int_equal(load_lines(&config, "[Network]\n", "Address=10.1.", addresses + 2, "wg0"),
                         EX_CONFIG);
        assert_int_equal(n_reported, 2);
        assert_int_equal(reported[0].line, addresses + 2);
        assert_int_equal(reported[1].line, addresses + 3);

        assert_int_equal(load_lines(&config, first, "Destination=10.1.", destinations, "wg0"), 0);
        assert_int_equal(config.n_destinations, destinations);

        assert_int_equal(load_lines(&config, first, "Destination=10.1.", destinations + 1, "wg0"), EX_CONFIG);
        assert_int_equal(n_reported, 1);
        assert_int_equal(reported[0].line, destinations + 4);
}

/* What is printed is a file that leads to the same settings. */
static void test_print_round_trip(void **state)
{
        static const char *const files[] = {
                "",
                "[Device]\nMTUBytes=9000\nTransmitQueueLength=1\n[Network]\nConfigure=no\n",
                "[Network]\nAddress=10.0.0.1/24\nAddress=10.0.1.1\nAddress=2001:db8::1/64\n"
                "Peer=10.9.9.9\nPeer=2001:db8::2\n",
                "[Reflector]\nDestination=10.0.0.7/8\nDestination=2001:db8::/32\nHopLimit=1\n"
                "AnswerBroadcast=yes\nAnswerMulticast=no\n"
                "[Engine]\nType=syscall\n[Log]\nPackets=yes\nSessions=no\n",
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                char first[8192];
                struct config config, again;

                assert_int_equal(load_text(&config, files[i], "tun0"), 0);
                strcpy(first, printed(&config));
                assert_int_equal(load_text(&again, first, "tun0"), 0);
                assert_string_equal(printed(&again), first);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_empty_value_is_the_default),
                cmocka_unit_test(test_network_addresses),
                cmocka_unit_test(test_how_many),
                cmocka_unit_test(test_print_round_trip),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
