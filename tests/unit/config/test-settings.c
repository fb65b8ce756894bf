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

/* What a value becomes when it is printed. */
static void test_good_values(void **state)
{
        static const struct {
                const char *section, *key, *value, *line;
        } values[] = {
                { "Device", "MTUBytes", "1280", "MTUBytes=1280" },
                { "Device", "MTUBytes", "65535", "MTUBytes=65535" },
                { "Device", "MTUBytes", "001500", "MTUBytes=1500" },
                { "Device", "TransmitQueueLength", "1", "TransmitQueueLength=1" },
                { "Device", "TransmitQueueLength", "1000000", "TransmitQueueLength=1000000" },
                { "Network", "Configure", "yes", "Configure=yes" },
                { "Network", "Configure", "TRUE", "Configure=yes" },
                { "Network", "Configure", "On", "Configure=yes" },
                { "Network", "Configure", "1", "Configure=yes" },
                { "Network", "Configure", "y", "Configure=yes" },
                { "Network", "Configure", "t", "Configure=yes" },
                { "Network", "Configure", "no", "Configure=no" },
                { "Network", "Configure", "False", "Configure=no" },
                { "Network", "Configure", "off", "Configure=no" },
                { "Network", "Configure", "0", "Configure=no" },
                { "Network", "Configure", "n", "Configure=no" },
                { "Network", "Configure", "f", "Configure=no" },
                { "Network", "Address", "198.18.0.1", "Address=198.18.0.1" },
                { "Network", "Address", "198.18.0.1/24", "Address=198.18.0.1/24" },
                { "Network", "Address", "198.18.0.1/32", "Address=198.18.0.1" },
                { "Network", "Address", "198.18.0.1/31", "Address=198.18.0.1/31" },
                { "Network", "Address", "10.0.0.255/16", "Address=10.0.0.255/16" },
                { "Network", "Address", "1.2.3.4/1", "Address=1.2.3.4/1" },
                { "Network", "Address", "2001:0DB8:0::0001", "Address=2001:db8::1" },
                { "Network", "Address", "2001:db8::1/64", "Address=2001:db8::1/64" },
                { "Network", "Address", "2001:db8::1/128", "Address=2001:db8::1" },
                { "Network", "Address", "fe80::1", "Address=fe80::1" },
                { "Network", "Address", "10.0.0.0/31", "Address=10.0.0.0/31" },
                { "Network", "Address", "10.0.0.0/32", "Address=10.0.0.0" },
                { "Network", "Address", "10.0.1.0/23", "Address=10.0.1.0/23" },
                { "Network", "Address", "10.0.0.0", "Address=10.0.0.0" },
                { "Network", "Address", "2001:db8::/127", "Address=2001:db8::/127" },
                { "Network", "Address", "2001:db8::/128", "Address=2001:db8::" },
                { "Reflector", "Destination", "198.51.100.0/24", "Destination=198.51.100.0/24" },
                { "Reflector", "Destination", "198.51.100.7", "Destination=198.51.100.7/32" },
                { "Reflector", "Destination", "0.0.0.0/0", "Destination=0.0.0.0/0" },
                { "Reflector", "Destination", "2001:db8::/32", "Destination=2001:db8::/32" },
                { "Reflector", "Destination", "2001:db8::7", "Destination=2001:db8::7/128" },
                { "Reflector", "Destination", "ff02::1", "Destination=ff02::1/128" },
                { "Reflector", "HopLimit", "1", "HopLimit=1" },
                { "Reflector", "HopLimit", "255", "HopLimit=255" },
                { "Reflector", "AnswerBroadcast", "yes", "AnswerBroadcast=yes" },
                { "Reflector", "AnswerMulticast", "no", "AnswerMulticast=no" },
                { "Engine", "Type", "auto", "Type=auto" },
                { "Engine", "Type", "io_uring", "Type=io_uring" },
                { "Engine", "Type", "syscall", "Type=syscall" },
                { "Log", "Packets", "yes", "Packets=yes" },
                { "Log", "Sessions", "no", "Sessions=no" },
                { "Log", "Sessions", "OFF", "Sessions=no" },
                { "Log", "Sessions", "loss", "Sessions=loss" },
                { "Log", "Sessions", "Loss", "Sessions=loss" },
                { "Log", "Sessions", "true", "Sessions=yes" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                char content[256];
                struct config config;
                int status;

                (void) snprintf(content, sizeof(content), "[%s]\n%s=%s\n", values[i].section, values[i].key,
                                values[i].value);
                status = load_text(&config, content, "tun0");
                if (status != 0 || !has_line(printed(&config), values[i].line))
                        explain(content, status);
                assert_int_equal(status, 0);
                assert_int_equal(n_reported, 0);
                assert_true(has_line(printed(&config), values[i].line));
        }
}

static void test_bad_values(void **state)
{
        static const struct {
                const char *section, *key, *value;
        } values[] = {
                { "Device", "MTUBytes", "67" },
                { "Device", "MTUBytes", "65536" },
                { "Device", "MTUBytes", "0" },
                { "Device", "MTUBytes", "-1500" },
                { "Device", "MTUBytes", "+1500" },
                { "Device", "MTUBytes", "1500 bytes" },
                { "Device", "MTUBytes", "1500,1400" },
                { "Device", "MTUBytes", "0x5dc" },
                { "Device", "MTUBytes", "1.5K" },
                { "Device", "MTUBytes", "4294968796" },
                { "Device", "MTUBytes", "18446744073709553116" },
                { "Device", "MTUBytes", "many" },
                { "Device", "TransmitQueueLength", "0" },
                { "Device", "TransmitQueueLength", "1000001" },
                { "Device", "TransmitQueueLength", "4294967297" },
                { "Network", "Configure", "maybe" },
                { "Network", "Configure", "2" },
                { "Network", "Configure", "yes yes" },
                { "Network", "Address", "198.18.0" },
                { "Network", "Address", "198.18.0.1.1" },
                { "Network", "Address", "198.18.0.256" },
                { "Network", "Address", "198.18.0.01" },
                { "Network", "Address", "198.18.0.1/33" },
                { "Network", "Address", "198.18.0.1/" },
                { "Network", "Address", "198.18.0.1/ 24" },
                { "Network", "Address", "198.18.0.1/-1" },
                { "Network", "Address", "198.18.0.1/+24" },
                { "Network", "Address", "198.18.0.1/24/24" },
                { "Network", "Address", "198.18.0.1/4294967320" },
                { "Network", "Address", "198.18.0.1/255.255.255.0" },
                { "Network", "Address", "198.18.0.1/0" },
                { "Network", "Address", "/24" },
                { "Network", "Address", "198.18.0.1 198.18.0.2" },
                { "Network", "Address", "198.18.0.255/24" },
                { "Network", "Address", "0.0.0.0" },
                { "Network", "Address", "0.0.0.1" },
                { "Network", "Address", "127.0.0.1" },
                { "Network", "Address", "127.0.0.1/8" },
                { "Network", "Address", "224.0.0.1" },
                { "Network", "Address", "240.0.0.1" },
                { "Network", "Address", "255.255.255.255" },
                { "Network", "Address", "2001:db8::1/129" },
                { "Network", "Address", "2001:db8::1/0" },
                { "Network", "Address", "2001:db8::1::1" },
                { "Network", "Address", "2001:db8::1%tun0" },
                { "Network", "Address", "2001:db8::12345" },
                { "Network", "Address", "::" },
                { "Network", "Address", "::1" },
                { "Network", "Address", "::1/128" },
                { "Network", "Address", "ff02::1" },
                { "Network", "Address", "::ffff:198.18.0.1" },
                { "Network", "Address", "10.99.0.0/24" },
                { "Network", "Address", "10.99.0.64/26" },
                { "Network", "Address", "10.99.0.4/30" },
                { "Network", "Address", "128.0.0.0/1" },
                { "Network", "Address", "2001:db8::/64" },
                { "Network", "Address", "2001:db8::4/126" },
                { "Network", "Address", "localhost" },
                { "Network", "Address", "[2001:db8::1]" },
                { "Network", "Peer", "198.18.0.2/24" },
                { "Network", "Peer", "198.18.0.2/32" },
                { "Network", "Peer", "0.0.0.0" },
                { "Network", "Peer", "127.0.0.2" },
                { "Network", "Peer", "224.0.0.2" },
                { "Network", "Peer", "255.255.255.255" },
                { "Network", "Peer", "::" },
                { "Network", "Peer", "::1" },
                { "Network", "Peer", "ff02::2" },
                { "Network", "Peer", "::ffff:198.18.0.2" },
                { "Network", "Peer", "somebody" },
                { "Reflector", "Destination", "198.51.100.0/33" },
                { "Reflector", "Destination", "198.51.100" },
                { "Reflector", "Destination", "2001:db8::/129" },
                { "Reflector", "Destination", "all" },
                { "Reflector", "HopLimit", "0" },
                { "Reflector", "HopLimit", "256" },
                { "Reflector", "HopLimit", "320" },
                { "Reflector", "AnswerBroadcast", "sometimes" },
                { "Engine", "Type", "Auto" },
                { "Engine", "Type", "uring" },
                { "Engine", "Type", "io_uring,syscall" },
                { "Log", "Packets", "all" },
                { "Log", "Sessions", "none" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                char content[256];
                struct config config;
                int status;

                (void) snprintf(content, sizeof(content), "# a comment\n[%s]\n\n%s=%s\n", values[i].section,
                                values[i].key, values[i].value);
                status = load_text(&config, content, "tun0");
                if (status != EX_CONFIG || n_reported != 1 || reported[0].line != 4)
                        explain(content, status);
                assert_int_equal(status, EX_CONFIG);
                assert_int_equal(n_reported, 1);
                assert_int_equal(reported[0].line, 4);
                assert_string_equal(reported[0].file, path);
                assert_non_null(strstr(reported[0].message, values[i].key));
                assert_non_null(strstr(reported[0].message, values[i].value));
        }
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
                cmocka_unit_test(test_good_values),
                cmocka_unit_test(test_bad_values),
                cmocka_unit_test(test_empty_value_is_the_default),
                cmocka_unit_test(test_network_addresses),
                cmocka_unit_test(test_how_many),
                cmocka_unit_test(test_print_round_trip),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
