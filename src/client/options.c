/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The command line of tunechoctl. */

#include <err.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "client/ctl.h"
#include "common/interface.h"
#include "common/util.h"

#define ANSWER_MSEC  2000
#define INTERVAL_MIN 0.1 /* seconds */
#define INTERVAL_MAX 3600.0

static const struct {
        const char *name;
        const char *help;
} commands[] = {
        [CTL_STATUS] = { "status", "state, what to ping, and counters; the default" },
        [CTL_METRICS] = { "metrics", "the counters for Prometheus" },
        [CTL_WATCH] = { "watch", "the counters as they change, until q is pressed" },
};

_Static_assert(ARRAY_SIZE(commands) == _CTL_COMMAND_MAX, "every command needs its name");

/* What getopt_long() returns: a letter, or what is above every letter. */
enum {
        OPTION_HELP = 'h',
        OPTION_VERSION = 'V',
        OPTION_JSON = UCHAR_MAX + 1,
        OPTION_OPENMETRICS,
        OPTION_COUNT,
        OPTION_INTERVAL,
        OPTION_DIRECTORY,
};

static const struct {
        int code;
        const char *name;
        const char *argument;     /* or NULL */
        enum ctl_command command; /* that alone has it; or all have */
        const char *help;
} options[] = {
        { OPTION_JSON, "json", NULL, CTL_STATUS, "status: print JSON instead of a table" },
        { OPTION_OPENMETRICS, "openmetrics", NULL, CTL_METRICS,
          "metrics: print OpenMetrics 1.0 to the letter" },
        { OPTION_COUNT, "count", "N", CTL_WATCH, "watch: end after N refreshes" },
        { OPTION_INTERVAL, "interval", "SECONDS", CTL_WATCH, "watch: time between refreshes, 1 by default" },
        { OPTION_DIRECTORY, "directory", "DIR", _CTL_COMMAND_MAX,
          "look for instances in DIR instead of " TUNECHO_RUN_DIR },
        { OPTION_HELP, "help", NULL, _CTL_COMMAND_MAX, "print this help, and exit" },
        { OPTION_VERSION, "version", NULL, _CTL_COMMAND_MAX, "print the version, and exit" },
};

static int parse_count(unsigned *ret_count, const char *text)
{
        size_t digits = strspn(text, "0123456789");
        unsigned long count = strtoul(text, NULL, 10);

        if (digits == 0 || digits > 9 || text[digits] != '\0' || count == 0) {
                warnx("--count: '%s' is not a number from 1 to 999999999", text);
                return EX_USAGE;
        }

        *ret_count = (unsigned) count;
        return 0;
}

static int parse_interval(unsigned *ret_msec, const char *text)
{
        char *end;
        double seconds = strtod(text, &end);

        /* Not a number is outside of every range. */
        if (end == text || *end != '\0' || !(seconds >= INTERVAL_MIN && seconds <= INTERVAL_MAX)) {
                warnx("--interval: '%s' is not a number of seconds from %g to %g", text, INTERVAL_MIN,
                      INTERVAL_MAX);
                return EX_USAGE;
        }

        *ret_msec = (unsigned) (seconds * 1000 + 0.5);
        return 0;
}

static int take_option(struct ctl_options *taken, int code)
{
        switch (code) {
        case OPTION_JSON:
                taken->json = true;
                return 0;
        case OPTION_OPENMETRICS:
                taken->openmetrics = true;
                return 0;
        case OPTION_COUNT:
                return parse_count(&taken->count, optarg);
        case OPTION_INTERVAL:
                return parse_interval(&taken->interval_msec, optarg);
        case OPTION_DIRECTORY:
                taken->query.directory = optarg;
                return 0;
        case OPTION_HELP:
                taken->command = CTL_HELP;
                return 0;
        case OPTION_VERSION:
                taken->command = CTL_VERSION;
                return 0;
        default:
                return EX_USAGE; /* getopt_long() has said why */
        }
}

/* Sets a bit of @ret_given for each row of options[] that was given. */
static int take_options(struct ctl_options *taken, int argc, char *argv[], unsigned *ret_given)
{
        struct option longs[ARRAY_SIZE(options) + 1] = { 0 };
        int code, r;

        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                longs[i] = (struct option) {
                        .name = options[i].name,
                        .has_arg = options[i].argument ? required_argument : no_argument,
                        .val = options[i].code,
                };

        *ret_given = 0;
        optind = 0; /* anew, even for the second time */
        while ((code = getopt_long(argc, argv, "hV", longs, NULL)) >= 0) {
                r = take_option(taken, code);
                if (r > 0)
                        return r;
                if (taken->command == CTL_HELP || taken->command == CTL_VERSION)
                        return 0;

                for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                        if (options[i].code == code)
                                *ret_given |= 1U << i;
        }

        return 0;
}

static int take_command(struct ctl_options *taken, const char *name)
{
        for (enum ctl_command c = 0; c < _CTL_COMMAND_MAX; c++)
                if (strcmp(name, commands[c].name) == 0) {
                        taken->command = c;
                        return 0;
                }

        warnx("'%s' is no command; there are status, metrics and watch%s%s", name,
              interface_is_name(name) ? ", as in: tunechoctl status " : "",
              interface_is_name(name) ? name : "");
        return EX_USAGE;
}

static int check_options(const struct ctl_options *taken, unsigned given)
{
        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                if (!(given & 1U << i) || options[i].command == _CTL_COMMAND_MAX ||
                    options[i].command == taken->command)
                        continue;

                warnx("--%s is an option of %s", options[i].name, commands[options[i].command].name);
                return EX_USAGE;
        }

        return 0;
}

static int check_names(const struct ctl_options *taken)
{
        for (size_t i = 0; i < taken->query.n_names; i++) {
                const char *reason = interface_check_name(taken->query.names[i]);

                if (reason) {
                        warnx("'%s' %s", taken->query.names[i], reason);
                        return EX_USAGE;
                }
        }

        return 0;
}

/**
 * ctl_options_parse() - understand the command line
 * @ret_options: what it asks for; refers to @argv
 * @argc: as main() has it
 * @argv: as main() has it; reordered by getopt_long(3)
 *
 * A mistake is told on stderr.
 *
 * Return: 0 or EX_USAGE.
 */
int ctl_options_parse(struct ctl_options *ret_options, int argc, char *argv[])
{
        unsigned given;
        int r;

        *ret_options = (struct ctl_options) {
                .command = CTL_STATUS,
                .query = { .directory = TUNECHO_RUN_DIR, .timeout_msec = ANSWER_MSEC },
                .interval_msec = 1000,
        };

        r = take_options(ret_options, argc, argv, &given);
        if (r > 0 || ret_options->command == CTL_HELP || ret_options->command == CTL_VERSION)
                return r;

        if (optind < argc) {
                r = take_command(ret_options, argv[optind++]);
                if (r > 0)
                        return r;
        }
        ret_options->query.names = argv + optind;
        ret_options->query.n_names = (size_t) (argc - optind);

        r = check_options(ret_options, given);
        return r > 0 ? r : check_names(ret_options);
}

/**
 * ctl_print_help() - print what --help shows
 * @file: where to
 */
void ctl_print_help(FILE *file)
{
        fputs("Usage: tunechoctl [OPTION]... [COMMAND [INTERFACE]...]\n"
              "Show what the running instances of tunecho do.\n\nCommands:\n",
              file);
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                fprintf(file, "  %-24s %s\n", commands[i].name, commands[i].help);

        fputs("\nOptions:\n", file);
        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                char letter[] = { '-', (char) options[i].code, ',', ' ', '\0' }, name[32];

                (void) snprintf(name, sizeof(name), "--%s%s%s", options[i].name,
                                options[i].argument ? "=" : "",
                                options[i].argument ? options[i].argument : "");
                fprintf(file, "  %4s%-20s %s\n", options[i].code <= UCHAR_MAX ? letter : "", name,
                        options[i].help);
        }

        fputs("\nSee tunechoctl(1).\n", file);
}
