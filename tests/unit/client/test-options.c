/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The command line of tunechoctl. */

#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>

#include "client/ctl.h"
#include "unit.h"

#define MAX_ARGUMENTS 8

/* The command line to be parsed, without argv[0]. It is reordered, hence a copy. */
static char *line[MAX_ARGUMENTS + 2];
static struct ctl_options options;
static int result;

static const char *parse(void)
{
        int argc = 0;

        while (line[argc])
                argc++;
        result = ctl_options_parse(&options, argc, line);
        if (result == 0)
                result = ctl_options_check(&options);
        return result == EX_USAGE ? NULL : "an error is accepted";
}

static void set_line(const char *const arguments[])
{
        size_t n = 0;

        line[n++] = (char *) "tunechoctl";
        for (size_t i = 0; i < MAX_ARGUMENTS && arguments[i]; i++)
                line[n++] = (char *) arguments[i];
        line[n] = NULL;
}

static void assert_parsed(const char *const arguments[])
{
        set_line(arguments);
        (void) parse();
        assert_int_equal(result, 0);
}

static void test_defaults(void **state)
{
        (void) state;

        assert_parsed((const char *const[MAX_ARGUMENTS]) { 0 });
        assert_string_equal(options.command, "status");
        assert_false(options.help || options.version);
        assert_string_equal(options.query.directory, "/run/tunecho");
        assert_int_equal(options.query.n_names, 0);
        assert_int_equal(options.query.timeout_msec, 2000);
        assert_false(options.json);
        assert_false(options.openmetrics);
        assert_int_equal(options.count, 0);
        assert_int_equal(options.interval_msec, 1000);
        assert_int_equal(options.ping.size, 56);
        assert_int_equal(options.ping.source.family, AF_UNSPEC);
        assert_false(options.ping.dont_fragment || options.ping.nagios);
}

static void test_commands(void **state)
{
        static const struct {
                const char *arguments[MAX_ARGUMENTS];
                const char *command;
                size_t n_names;
        } rules[] = {
                { { "status" }, "status", 0 },
                { { "status", "tun0", "tun1" }, "status", 2 },
                { { "metrics", "tun0" }, "metrics", 1 },
                { { "watch", "watch" }, "watch", 1 },
                { { "rm" }, "rm", 0 }, /* which the table of the commands does not have */
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                assert_parsed(rules[i].arguments);
                assert_string_equal(options.command, rules[i].command);
                assert_int_equal(options.query.n_names, rules[i].n_names);
        }
}

/* Either ends the command line, whatever follows. */
static void test_help_and_version(void **state)
{
        (void) state;

        assert_parsed((const char *const[MAX_ARGUMENTS]) { "--help" });
        assert_true(options.help && !options.version);
        assert_parsed((const char *const[MAX_ARGUMENTS]) { "watch", "-h", "--nonsense" });
        assert_true(options.help && !options.version);
        assert_parsed((const char *const[MAX_ARGUMENTS]) { "-V" });
        assert_true(options.version && !options.help);
        assert_parsed((const char *const[MAX_ARGUMENTS]) { "--version" });
        assert_true(options.version && !options.help);
}

static void test_options(void **state)
{
        (void) state;

        assert_parsed((const char *const[MAX_ARGUMENTS]) { "--directory=/tmp", "--json", "status", "tun7" });
        assert_string_equal(options.query.directory, "/tmp");
        assert_true(options.json);
        assert_string_equal(options.query.names[0], "tun7");

        assert_parsed((const char *const[MAX_ARGUMENTS]) { "metrics", "--openmetrics" });
        assert_true(options.openmetrics);
        assert_false(options.http);

        assert_parsed((const char *const[MAX_ARGUMENTS]) { "metrics", "--http", "tun7" });
        assert_true(options.http);
        assert_string_equal(options.query.names[0], "tun7");

        assert_parsed((const char *const[MAX_ARGUMENTS]) { "watch", "a", "--count=3", "--interval", "0.25" });
        assert_int_equal(options.count, 3);
        assert_int_equal(options.interval_msec, 250);
        assert_int_equal(options.query.n_names, 1);

        assert_parsed((const char *const[MAX_ARGUMENTS]) { "sessions", "--json", "tun7" });
        assert_true(options.json && !options.watch);
        assert_parsed((const char *const[MAX_ARGUMENTS]) { "sessions", "--watch", "--interval=2" });
        assert_true(options.watch);
}

/* The letters are those of ping(8). */
static void test_ping(void **state)
{
        static const char *const lines[][MAX_ARGUMENTS] = {
                { "ping", "tun0", "--count=7", "--size=0", "--dont-fragment", "--mark=0xff", "--source=192.0.2.1" },
                { "ping", "-c7", "-s0", "-Mdo", "-m255", "-I192.0.2.1", "tun0" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                assert_parsed(lines[i]);
                assert_int_equal(options.count, 7);
                assert_int_equal(options.ping.size, 0);
                assert_true(options.ping.dont_fragment);
                assert_int_equal(options.ping.mark, 255);
                assert_int_equal(options.ping.source.family, AF_INET);
                assert_int_equal(options.query.n_names, 1);
                assert_null(options.ping.address);
        }

        assert_parsed((const char *const[MAX_ARGUMENTS]) { "ping", "--nagios", "tun0", "2001:2::2" });
        assert_true(options.ping.nagios);
        assert_string_equal(options.query.names[0], "tun0");
        assert_int_equal(options.query.n_names, 1);
        assert_string_equal(options.ping.address, "2001:2::2");
        assert_parsed((const char *const[MAX_ARGUMENTS]) { "ping", "--json", "--from=::2" });
        assert_int_equal(options.ping.from.family, AF_INET6);
        assert_true(options.json);
}

static void test_errors(void **state)
{
        static const struct {
                const char *arguments[MAX_ARGUMENTS];
                const char *message; /* a part of it */
        } rules[] = {
                { { "status", "../tun0" }, "'../tun0' is not an interface name" },
                { { "status", "all" }, "'all' is not an interface name: the kernel reserves 'all'" },
                { { "status", "" }, "'' is not an interface name" },
                { { "status", "--", "-x", "a/b" }, "'a/b' is not an interface name" },
                { { "status", "." }, "'.' is not an interface name" },
                { { "status", "abcdefghijklmnop" }, "'abcdefghijklmnop' is not an interface name" },
                { { "--nonsense" }, "--nonsense" },
                { { "--directory" }, "requires an argument" },
                { { "watch", "--json" }, "--json is an option of status, sessions" },
                { { "watch", "--watch" }, "--watch is an option of sessions" },
                { { "sessions", "--count=1" }, "--count and --interval of sessions go with --watch" },
                { { "sessions", "--json", "--watch" }, "--json does not go with --watch" },
                { { "--openmetrics" }, "--openmetrics is an option of metrics" },
                { { "--http" }, "--http is an option of metrics" },
                { { "metrics", "--http", "--openmetrics" }, "--openmetrics does not go with --http" },
                { { "metrics", "--count=1" }, "--count is an option of watch" },
                { { "status", "--interval=1" }, "--interval is an option of watch" },
                { { "status", "--nagios" }, "--nagios is an option of ping" },
                { { "watch", "--size=1" }, "--size is an option of ping" },
                { { "ping", "--interval=1" }, "--interval is an option of watch" },
                { { "ping", "tun0", "192.0.2.1", "192.0.2.2" }, "ping takes an INTERFACE and an ADDRESS" },
                { { "ping", "192.0.2.1" }, "as in: tunechoctl ping INTERFACE 192.0.2.1" },
                { { "ping", "tun0", "tun1" }, "'tun1' is not a unicast address" },
                { { "ping", "tun0", "224.0.0.1" }, "'224.0.0.1' is not a unicast address" },
                { { "ping", "tun0", "192.0.2.1", "--source=::2" }, "--source has another family" },
                { { "ping", "--source=tun0" }, "--source: 'tun0' is not an address" },
                { { "ping", "--count=65536" }, "--count of ping is a number from 1 to 65535" },
                { { "ping", "--size=65508" }, "--size: '65508' is not a number from 0 to 65507" },
                { { "ping", "--size=" }, "--size: '' is not a number" },
                { { "ping", "--mark=0" }, "--mark: '0' is not a number" },
                { { "ping", "--mark=4294967296" }, "--mark: '4294967296' is not a number" },
                { { "ping", "--mark=7z" }, "--mark: '7z' is not a number" },
                { { "ping", "-M", "want" }, "-M: 'want' is not 'do'" },
                { { "ping", "--from=x" }, "--from: 'x' is not an address" },
                { { "ping", "--from=192.0.2.1", "--count=1" }, "--from goes with --json and --directory only" },
                { { "status", "--from=192.0.2.1" }, "--from is an option of ping" },
                { { "ping", "--json", "--nagios" }, "--json does not go with --nagios" },
                { { "ping", "../tun0" }, "'../tun0' is not an interface name" },
                { { "watch", "--count=0" }, "--count: '0' is not a number" },
                { { "watch", "--count=" }, "--count: '' is not a number" },
                { { "watch", "--count=-1" }, "--count: '-1' is not a number" },
                { { "watch", "--count=1x" }, "--count: '1x' is not a number" },
                { { "watch", "--count=1000000000" }, "--count: '1000000000' is not a number" },
                { { "watch", "--interval=0" }, "--interval: '0' is not a number" },
                { { "watch", "--interval=nan" }, "--interval: 'nan' is not a number" },
                { { "watch", "--interval=1s" }, "--interval: '1s' is not a number" },
                { { "watch", "--interval=" }, "--interval: '' is not a number" },
                { { "watch", "--interval=3601" }, "--interval: '3601' is not a number" },
        };
        char message[1024];

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                const char *failure;

                set_line(rules[i].arguments);
                failure = in_child(parse, message, sizeof(message));
                if (failure)
                        fail_msg("'%s': %s", rules[i].message, failure);
                if (!strstr(message, rules[i].message))
                        fail_msg("'%s' is not printed, but: %s", rules[i].message, message);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_commands),
                cmocka_unit_test(test_help_and_version),
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_ping),
                cmocka_unit_test(test_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
