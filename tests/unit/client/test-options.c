/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The command line of tunechoctl. */

#include <string.h>
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
        return result == EX_USAGE ? NULL : "a mistake is taken";
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
        assert_int_equal(options.command, CTL_STATUS);
        assert_string_equal(options.query.directory, "/run/tunecho");
        assert_int_equal(options.query.n_names, 0);
        assert_int_equal(options.query.timeout_msec, 2000);
        assert_false(options.json);
        assert_false(options.openmetrics);
        assert_int_equal(options.count, 0);
        assert_int_equal(options.interval_msec, 1000);
}

static void test_commands(void **state)
{
        static const struct {
                const char *arguments[MAX_ARGUMENTS];
                enum ctl_command command;
                size_t n_names;
        } rules[] = {
                { { "status" }, CTL_STATUS, 0 },
                { { "status", "tun0", "tun1" }, CTL_STATUS, 2 },
                { { "metrics", "tun0" }, CTL_METRICS, 1 },
                { { "watch", "watch" }, CTL_WATCH, 1 },
                { { "--help" }, CTL_HELP, 0 },
                { { "watch", "-h", "--nonsense" }, CTL_HELP, 0 },
                { { "-V" }, CTL_VERSION, 0 },
                { { "--version" }, CTL_VERSION, 0 },
                { { "status", "--", "-x" }, CTL_STATUS, 1 },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                assert_parsed(rules[i].arguments);
                assert_int_equal(options.command, rules[i].command);
                assert_int_equal(options.query.n_names, rules[i].n_names);
        }
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

        assert_parsed((const char *const[MAX_ARGUMENTS]) { "watch", "a", "--count=3", "--interval", "0.25" });
        assert_int_equal(options.count, 3);
        assert_int_equal(options.interval_msec, 250);
        assert_int_equal(options.query.n_names, 1);
}

static void test_mistakes(void **state)
{
        static const struct {
                const char *arguments[MAX_ARGUMENTS];
                const char *message; /* a part of it */
        } rules[] = {
                { { "tun0" }, "as in: tunechoctl status tun0" },
                { { "rm -rf" }, "'rm -rf' is no command; there are status, metrics and watch\n" },
                { { "status", "../tun0" }, "'../tun0' is not an interface name" },
                { { "status", "all" }, "'all' is not an interface name: the kernel reserves 'all'" },
                { { "default" }, "'default' is no command" },
                { { "status", "" }, "'' is not an interface name" },
                { { "status", "." }, "'.' is not an interface name" },
                { { "status", "abcdefghijklmnop" }, "'abcdefghijklmnop' is not an interface name" },
                { { "--nonsense" }, "--nonsense" },
                { { "--directory" }, "requires an argument" },
                { { "watch", "--json" }, "--json is an option of status" },
                { { "--openmetrics" }, "--openmetrics is an option of metrics" },
                { { "metrics", "--count=1" }, "--count is an option of watch" },
                { { "status", "--interval=1" }, "--interval is an option of watch" },
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
                        fail_msg("'%s' is not told, but: %s", rules[i].message, message);
        }
}

static void test_help_is_narrow(void **state)
{
        char text[4096];
        FILE *file = fmemopen(text, sizeof(text), "w");

        (void) state;

        assert_non_null(file);
        ctl_print_help(file);
        fclose(file);
        for (const char *row = text; *row != '\0'; row += strcspn(row, "\n") + 1)
                assert_in_range(strcspn(row, "\n"), 0, 80);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_commands),
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_help_is_narrow),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
