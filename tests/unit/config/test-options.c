/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The command line, and how it and the files meet. */

#include "config/config.h"

#include <string.h>
#include <sysexits.h>

#include "loading.h"

static void test_names(void **state)
{
        static const struct {
                const char *name;
                bool good;
        } names[] = {
                { "a", true },
                { "0", true },
                { "A.b_c-9", true },
                { "...", true },
                { "a..", true },
                { "_", true },
                { "123456789012345", true },
                { "1234567890123456", false },
                { ".", false },
                { "..", false },
                { "all", false },
                { "default", false },
                { "All", true },
                { "default0", true },
                { "tun/0", false },
                { "tun:0", false },
                { "tun@0", false },
                { "tun%d", false },
                { "tun\t0", false },
                { "tun\n0", false },
                { "t\303\274n0", false },
                { "tun-\\x2d", false },
                { "a\\x2db", false },
                { "a*", false },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct config config;
                char words[64];
                int status;

                (void) snprintf(words, sizeof(words), "--address=10.0.0.1 %s", names[i].name);
                status = load(&config, words);
                if (status != (names[i].good ? 0 : EX_USAGE))
                        explain(names[i].name, status);
                assert_int_equal(status, names[i].good ? 0 : EX_USAGE);
                assert_int_equal(n_reported, names[i].good ? 0 : 1);
                if (names[i].good)
                        assert_string_equal(config.interface, names[i].name);
                else
                        assert_int_equal(strstr(reported[0].message, "escaped") != NULL,
                                         strstr(names[i].name, "\\x") != NULL);
        }
}

static void test_empty_name(void **state)
{
        const char *empty = "";
        struct config config;

        (void) state;

        assert_int_equal(load_arguments(&config, &empty, 1), EX_USAGE);
        assert_int_equal(n_reported, 1);
}

/* Errors of the command line itself belong to no file. */
static void test_command_line(void **state)
{
        static const struct {
                const char *words;
                int status;
                enum config_action action;
        } lines[] = {
                { "tun0", 0, CONFIG_RUN },
                { "--check tun0", 0, CONFIG_CHECK },
                { "tun0 --check", 0, CONFIG_CHECK },
                { "-- tun0", 0, CONFIG_RUN },
                { "--help", 0, CONFIG_HELP },
                { "-h", 0, CONFIG_HELP },
                { "--version", 0, CONFIG_VERSION },
                { "-V", 0, CONFIG_VERSION },
                { "-V -h", 0, CONFIG_VERSION },
                { "-hV", 0, CONFIG_HELP },
                { "--help --nothing", 0, CONFIG_HELP },
                { "--mtu=1 --help", 0, CONFIG_HELP },
                { "--check --version", 0, CONFIG_VERSION },
                { "", EX_USAGE, CONFIG_RUN },
                { "--check", EX_USAGE, CONFIG_CHECK },
                { "tun0 tun1", EX_USAGE, CONFIG_RUN },
                { "--nothing tun0", EX_USAGE, CONFIG_RUN },
                { "-x tun0", EX_USAGE, CONFIG_RUN },
                { "--check=yes tun0", EX_USAGE, CONFIG_RUN },
                { "tun0 --mtu", EX_USAGE, CONFIG_RUN },
                { "tun0 -m", EX_USAGE, CONFIG_RUN },
                { "tun0 --user", EX_USAGE, CONFIG_RUN },
                { "tun0 --config", EX_USAGE, CONFIG_RUN },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                struct config config;
                int status = load_text(&config, "", lines[i].words);

                if (status != lines[i].status)
                        explain(lines[i].words, status);
                assert_int_equal(status, lines[i].status);
                assert_int_equal(config.action, lines[i].action);
                assert_int_equal(n_reported, status == 0 ? 0 : 1);
                for (size_t n = 0; n < n_reported; n++) {
                        assert_string_equal(reported[n].file, "");
                        assert_int_equal(reported[n].line, 0);
                }
        }
}

static void test_good_options(void **state)
{
        static const struct {
                const char *words, *line;
        } options[] = {
                { "--mtu=1400", "MTUBytes=1400" },
                { "--mtu 1400", "MTUBytes=1400" },
                { "-m 1400", "MTUBytes=1400" },
                { "-m1400", "MTUBytes=1400" },
                { "-m 1400 -m 1300", "MTUBytes=1300" },
                { "--address=10.0.0.1", "Address=10.0.0.1" },
                { "-a 10.0.0.1/24", "Address=10.0.0.1/24" },
                { "-a 10.0.0.1 -a 2001:db8::1", "Address=10.0.0.1" },
                { "-a 10.0.0.1 -a 2001:db8::1", "Address=2001:db8::1" },
                { "-a 10.0.0.1 --peer=10.0.0.2", "Peer=10.0.0.2" },
                { "-a 10.0.0.1 -a 2001:db8::1 -p 10.0.0.2 -p 2001:db8::2", "Peer=2001:db8::2" },
                { "--engine=syscall", "Type=syscall" },
                { "-e io_uring", "Type=io_uring" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                struct config config;
                char words[256];
                int status;

                (void) snprintf(words, sizeof(words), "tun0 %s", options[i].words);
                status = load_text(&config, "", words);
                if (status != 0 || !has_line(printed(&config), options[i].line))
                        explain(words, status);
                assert_int_equal(status, 0);
                assert_true(has_line(printed(&config), options[i].line));
        }
}

/* As many as the command line holds; a hundred are reported, and how many more there are. */
static void test_many_errors(void **state)
{
        const char *words[1000];
        struct config config;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                words[i] = i % 2 == 0 ? "--mtu=1" : "--engine=steam";
        words[0] = "tun0";
        assert_int_equal(load_arguments(&config, words, ARRAY_SIZE(words)), EX_USAGE);
        assert_int_equal(n_reported, 101);
        assert_string_equal(reported[100].message, "899 more errors");

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                words[i] = "--nothing";
        assert_int_equal(load_arguments(&config, words, ARRAY_SIZE(words)), EX_USAGE);
        assert_int_equal(n_reported, 101);
}

/* What is quoted is printable and short, and the reason is behind it. */
static void test_quotes(void **state)
{
        static const struct {
                const char *words[2];
                const char *expected;
        } lines[] = {
                { { "--mtu=\033[1m", "tun0" }, "--mtu: '\\x1b[1m' is not a number from 68 to 65535" },
                { { "-\377", "tun0" }, "unknown option '-\\xff'" },
                { { "--\001", "tun0" }, "unknown option '--\\x01'" },
                { { "--check", "a\nb" }, "'a\\x0ab' is not an interface name" },
        };
        char name[5000];
        struct config config;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                assert_int_equal(load_arguments(&config, lines[i].words, 2), EX_USAGE);
                assert_int_equal(n_reported, 1);
                if (!strstr(reported[0].message, lines[i].expected))
                        explain(lines[i].expected, EX_USAGE);
                assert_non_null(strstr(reported[0].message, lines[i].expected));
        }

        (void) snprintf(name, sizeof(name), "%04999d", 1);
        assert_int_equal(load(&config, name), EX_USAGE);
        assert_non_null(strstr(reported[0].message, "is not an interface name: 1 to 15"));
}

static void test_user(void **state)
{
        struct config config;

        (void) state;

        assert_int_equal(load_text(&config, "", "--user=nobody tun0"), 0);
        assert_string_equal(config.user, "nobody");
}

static void test_bad_options(void **state)
{
        static const struct {
                const char *words, *option;
                size_t n_errors;
        } options[] = {
                { "--mtu=67", "--mtu", 1 },
                { "-m 65536", "--mtu", 1 },
                { "--mtu=", "--mtu", 1 },
                { "--address=", "--address", 1 },
                { "--peer=", "--peer", 1 },
                { "--engine=", "--engine", 1 },
                { "--address=127.0.0.1", "--address", 1 },
                { "-a 10.0.0.1/0", "--address", 1 },
                { "-a 10.0.0.1 -p 10.0.0.1", "--peer", 1 },
                { "-a 10.0.0.1 -p 2001:db8::1", "--peer", 1 },
                { "-a 10.0.0.1/24 -p 10.0.1.2", "--peer", 1 },
                { "-a 10.0.0.1 -p 10.0.0.2 -p 10.0.0.3", "--peer", 1 },
                { "-p 10.0.0.2", "--peer", 1 },
                { "-e uring", "--engine", 1 },
                { "--mtu=1279", "--mtu", 1 },
                { "-a 2001:db8::1 -m 1279", "--mtu", 1 },
                { "-m 1 -e 2 -a 3 -p 4", "--", 4 },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                struct config config;
                char words[256];
                int status;

                (void) snprintf(words, sizeof(words), "tun0 %s", options[i].words);
                status = load_text(&config, "", words);
                if (status != EX_USAGE || n_reported != options[i].n_errors)
                        explain(words, status);
                assert_int_equal(status, EX_USAGE);
                assert_int_equal(n_reported, options[i].n_errors);
                for (size_t n = 0; n < n_reported; n++) {
                        assert_string_equal(reported[n].file, "");
                        assert_non_null(strstr(reported[n].message, options[i].option));
                }
        }
}

/* Key by key, an option takes the place of all that the file says for it. */
static void test_options_win(void **state)
{
        static const char content[] =
                "[Device]\nMTUBytes=1400\nTransmitQueueLength=7\n"
                "[Network]\nAddress=10.0.0.1\nAddress=2001:db8::1\nPeer=10.0.0.2\nPeer=2001:db8::2\n"
                "[Engine]\nType=syscall\n";
        struct config config;

        (void) state;

        assert_int_equal(load_text(&config, content, "tun0 --mtu=1300"), 0);
        assert_int_equal(config.mtu, 1300);
        assert_int_equal(config.queue_length, 7);
        assert_int_equal(config.n_addresses, 2);
        assert_int_equal(config.engine, ENGINE_SYSCALL);

        assert_int_equal(load_text(&config, content, "tun0 --engine=auto --peer=10.0.0.3"), 0);
        assert_int_equal(config.engine, ENGINE_AUTO);
        assert_int_equal(config.mtu, 1400);
        assert_address(&config.peer_ipv4, "10.0.0.3");
        assert_int_equal(config.peer_ipv6.family, AF_UNSPEC);

        assert_int_equal(load_text(&config, content, "tun0 -a 10.9.0.1 -p 10.9.0.2 -a 10.8.0.1"), 0);
        assert_int_equal(config.n_addresses, 2);
        assert_address(&config.addresses[0].prefix.address, "10.9.0.1");
        assert_address(&config.addresses[1].prefix.address, "10.8.0.1");
        assert_address(&config.peer_ipv4, "10.9.0.2");

        /* An error of values together is reported at the place of one of them. */
        assert_int_equal(load_text(&config, content, "tun0 -a 10.9.0.1"), EX_CONFIG);
        assert_int_equal(n_reported, 1);
        assert_int_equal(reported[0].line, 8);
        assert_int_equal(load_text(&config, "[Device]\nMTUBytes=576\n", "tun0"), EX_CONFIG);
        assert_int_equal(reported[0].line, 2);
        assert_int_equal(load_text(&config, "[Device]\nMTUBytes=576\n", "tun0 -m 577"), EX_USAGE);
        assert_int_equal(load_text(&config, "[Device]\nMTUBytes=576\n", "tun0 -m 1280"), 0);
        assert_int_equal(load_text(&config, "[Device]\nMTUBytes=576\n", "tun0 -a 10.0.0.1"), 0);
}

static void test_help(void **state)
{
        static const char *const words[] = {
                "-c, --config=FILE",
                "-a, --address=ADDR[/LEN]",
                "-p, --peer=ADDR",
                "-m, --mtu=BYTES",
                "-e, --engine=NAME",
                "--check",
                "--user=NAME",
                "-h, --help",
                "-V, --version",
                "INTERFACE",
                TUNECHO_CONFIG_DIR,
        };
        char text[4096] = "";
        FILE *file = fmemopen(text, sizeof(text), "w");

        (void) state;

        assert_non_null(file);
        config_print_help(file);
        assert_int_equal(fclose(file), 0);
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                assert_non_null(strstr(text, words[i]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_empty_name),
                cmocka_unit_test(test_command_line),
                cmocka_unit_test(test_good_options),
                cmocka_unit_test(test_many_errors),
                cmocka_unit_test(test_quotes),
                cmocka_unit_test(test_user),
                cmocka_unit_test(test_bad_options),
                cmocka_unit_test(test_options_win),
                cmocka_unit_test(test_help),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
