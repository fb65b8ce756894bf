/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The syntax of a file, and how its errors are reported. */

#include "config/config.h"

#include <string.h>
#include <sysexits.h>

#include "loading.h"

static void test_empty_value_forgets_a_list(void **state)
{
        struct config config;

        (void) state;

        assert_int_equal(
                load_text(&config,
                          "[Network]\n"
                          "Address=10.0.0.1\nAddress=2001:db8::1\nPeer=10.0.0.2\nPeer=2001:db8::2\n"
                          "Address=\nPeer=\n"
                          "Address=10.1.0.1\nPeer=10.1.0.2\n"
                          "[Reflector]\nDestination=10.0.0.0/8\nDestination=\nDestination=10.1.0.0/16\n",
                          "tun0"),
                0);
        assert_int_equal(config.n_addresses, 1);
        assert_address(&config.addresses[0].prefix.address, "10.1.0.1");
        assert_address(&config.peer_ipv4, "10.1.0.2");
        assert_int_equal(config.peer_ipv6.family, AF_UNSPEC);
        assert_int_equal(config.n_destinations, 1);
        assert_int_equal(config.destinations[0].length, 16);

        /* Forgotten altogether, the defaults of the name are back. */
        assert_int_equal(load_text(&config, "[Network]\nAddress=10.0.0.1\nAddress=\n", "tun3"), 0);
        assert_true(config.default_addresses);
        assert_address(&config.peer_ipv4, "198.18.3.2");
}

/* The first hundred are reported, and how many more there are; the options have a count of their own. */
static void test_many_errors(void **state)
{
        struct config config;

        (void) state;

        assert_int_equal(load_lines(&config, "[Device]\n", "MTUBytes=10.", 100, "tun0"), EX_CONFIG);
        assert_int_equal(n_reported, 100);

        assert_int_equal(load_lines(&config, "[Device]\n", "MTUBytes=10.", 1000, "tun0"), EX_CONFIG);
        assert_int_equal(n_reported, 101);
        for (size_t i = 0; i < 100; i++)
                assert_int_equal(reported[i].line, i + 2);
        assert_string_equal(reported[100].file, path);
        assert_int_equal(reported[100].line, 0);
        assert_string_equal(reported[100].message, "900 more errors");

        assert_int_equal(load_lines(&config, "[Device]\n", "MTUBytes=10.", 101, "--mtu=1 tun0"), EX_USAGE);
        assert_int_equal(n_reported, 102);
        assert_string_equal(reported[100].message, "1 more error");
        assert_string_equal(reported[101].file, "");
        assert_non_null(strstr(reported[101].message, "--mtu"));
}

/* Lines and comments are of any length, and so are values, of which a part is quoted. */
static void test_long_lines(void **state)
{
        static const int lengths[] = { 150, 190, 197, 200, 255, 511, 512, 4096, 65000 };
        static char content[65536];
        struct config config;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
                int size = snprintf(content, sizeof(content), "# %0*d\n[Device]\n%*sMTUBytes%*s=%*s1400%*s\n",
                                    lengths[i] / 8, 1, lengths[i] / 8, "", lengths[i] / 8, "", lengths[i] / 8,
                                    "", lengths[i] / 4, "# x");

                assert_int_equal(load_bytes(&config, content, (size_t) size, "tun0"), 0);
                assert_int_equal(config.mtu, 1400);

                size = snprintf(content, sizeof(content), "[Log]\nPackets=%0*d\nSessions=1x\n", lengths[i],
                                1);
                assert_int_equal(load_bytes(&config, content, (size_t) size, "tun0"), EX_CONFIG);
                assert_int_equal(n_reported, 2);
                assert_int_equal(reported[0].line, 2);
                assert_non_null(strstr(reported[0].message, "is neither yes nor no"));
                assert_in_range(strlen(reported[0].message), 0, 200);
                assert_int_equal(reported[1].line, 3);

                size = snprintf(content, sizeof(content), "[%0*d]\n[Log]\n%0*d=1\n", lengths[i] / 2, 1,
                                lengths[i] / 2, 1);
                assert_int_equal(load_bytes(&config, content, (size_t) size, "tun0"), EX_CONFIG);
                assert_int_equal(n_reported, 2);
                assert_non_null(strstr(reported[1].message, "in [Log]"));
        }
}

/* What is quoted in a message: bytes that are not printable UTF-8 are escaped. */
static void test_quotes(void **state)
{
        static const struct {
                const char *value, *quoted;
        } values[] = {
                { "plain text", "plain text" },
                { "\033[31mred\a", "\\x1b[31mred\\x07" },
                { "a\tb\177", "a\\x09b\\x7f" },
                { "M\303\274nchen \342\202\254", "M\303\274nchen \342\202\254" },
                { "\360\237\230\200", "\360\237\230\200" },
                { "\200\377", "\\x80\\xff" },
                { "\302\233", "\\xc2\\x9b" }, /* a control character */
                { "\300\257", "\\xc0\\xaf" }, /* overlong */
                { "\340\200\257", "\\xe0\\x80\\xaf" },
                { "\360\200\200\257", "\\xf0\\x80\\x80\\xaf" },
                { "\355\240\200", "\\xed\\xa0\\x80" },          /* a surrogate */
                { "\364\220\200\200", "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
                { "\365\200\200\200", "\\xf5\\x80\\x80\\x80" },
                { "\342\202", "\\xe2\\x82" }, /* cut off */
                { "\342\202x", "\\xe2\\x82x" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                char content[128], expected[256];
                struct config config;
                int status;

                (void) snprintf(content, sizeof(content), "[Log]\nPackets=%s\n", values[i].value);
                (void) snprintf(expected, sizeof(expected), "Packets=%s is neither yes nor no",
                                values[i].quoted);
                status = load_text(&config, content, "tun0");
                if (status != EX_CONFIG || strcmp(reported[0].message, expected) != 0)
                        explain(expected, status);
                assert_int_equal(status, EX_CONFIG);
                assert_string_equal(reported[0].message, expected);
        }
}

static void test_bytes_that_are_no_text(void **state)
{
        static const char nul[] = "[Device]\nMTUBytes=1400\0\nHopLimit=1\n"
                                  "[Log]\nPackets=no\0x\n\0\nPackets=no\n";
        char noise[4096];
        uint64_t random = 1;
        struct config config;

        (void) state;

        assert_int_equal(load_bytes(&config, nul, sizeof(nul) - 1, "tun0"), EX_CONFIG);
        assert_int_equal(n_reported, 4);
        assert_int_equal(reported[0].line, 2);
        assert_int_equal(reported[1].line, 3);
        assert_int_equal(reported[2].line, 5);
        assert_int_equal(reported[3].line, 6);

        for (unsigned round = 0; round < 200; round++) {
                static const char alphabet[] = "[]=#; \t\r\n\\DeviceMTUBytesAddress0123456789.:/";
                int status;

                random_bytes(&random, noise, sizeof(noise));
                for (size_t i = 0; round % 2 == 1 && i < sizeof(noise); i++)
                        noise[i] = alphabet[(unsigned char) noise[i] % (sizeof(alphabet) - 1)];
                status = load_bytes(&config, noise, sizeof(noise), "tun0");
                assert_int_equal(status, EX_CONFIG);
                assert_in_range(n_reported, 1, 101);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty_value_forgets_a_list),
                cmocka_unit_test(test_many_errors),
                cmocka_unit_test(test_long_lines),
                cmocka_unit_test(test_quotes),
                cmocka_unit_test(test_bytes_that_are_no_text),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
