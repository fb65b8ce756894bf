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

/* What getopt_long(3) returns: a letter, or a number above every letter. */
enum {
        OPTION_HELP = 'h',
        OPTION_VERSION = 'V',
        OPTION_JSON = UCHAR_MAX + 1,
        OPTION_OPENMETRICS,
        OPTION_HTTP,
        OPTION_WATCH,
        OPTION_COUNT,
        OPTION_INTERVAL,
        OPTION_DIRECTORY,
};

static const struct {
        int code;
        const char *name;
        const char *argument; /* or NULL */
        const char *command;  /* those that it belongs to, with ", " between them; or NULL: any */
        const char *help;
} options[] = {
        { OPTION_JSON, "json", NULL, "status, sessions", "status, sessions: print JSON instead of a table" },
        { OPTION_OPENMETRICS, "openmetrics", NULL, "metrics", "metrics: print strict OpenMetrics 1.0" },
        { OPTION_HTTP, "http", NULL, "metrics", "metrics: answer an HTTP request on standard input" },
        { OPTION_WATCH, "watch", NULL, "sessions", "sessions: refresh until q is pressed" },
        { OPTION_COUNT, "count", "N", "watch, sessions", "watch, sessions: end after N refreshes" },
        { OPTION_INTERVAL, "interval", "SECONDS", "watch, sessions",
          "watch, sessions: time between refreshes, 1 by default" },
        { OPTION_DIRECTORY, "directory", "DIR", NULL,
          "find status sockets in DIR instead of " TUNECHO_RUN_DIR },
        { OPTION_HELP, "help", NULL, NULL, "print this help, and exit" },
        { OPTION_VERSION, "version", NULL, NULL, "print the version, and exit" },
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

        /* The comparison fails for a NAN, too. */
        if (end == text || *end != '\0' || !(seconds >= INTERVAL_MIN && seconds <= INTERVAL_MAX)) {
                warnx("--interval: '%s' is not a number of seconds from %g to %g", text, INTERVAL_MIN,
                      INTERVAL_MAX);
                return EX_USAGE;
        }

        *ret_msec = (unsigned) (seconds * 1000 + 0.5);
        return 0;
}

static int parse_option(struct ctl_options *parsed, int code)
{
        switch (code) {
        case OPTION_JSON:
                parsed->json = true;
                return 0;
        case OPTION_OPENMETRICS:
                parsed->openmetrics = true;
                return 0;
        case OPTION_HTTP:
                parsed->http = true;
                return 0;
        case OPTION_WATCH:
                parsed->watch = true;
                return 0;
        case OPTION_COUNT:
                return parse_count(&parsed->count, optarg);
        case OPTION_INTERVAL:
                return parse_interval(&parsed->interval_msec, optarg);
        case OPTION_DIRECTORY:
                parsed->query.directory = optarg;
                return 0;
        case OPTION_HELP:
                parsed->help = true;
                return 0;
        case OPTION_VERSION:
                parsed->version = true;
                return 0;
        default:
                return EX_USAGE; /* getopt_long() has printed the reason */
        }
}

/**
 * ctl_options_parse() - parse the command line
 * @ret_options: the options, which refer to @argv; the name of the command is not checked
 * @argc: as main() has it
 * @argv: as main() has it; reordered by getopt_long(3)
 *
 * An error is printed on stderr.
 *
 * Return: 0 or EX_USAGE.
 */
int ctl_options_parse(struct ctl_options *ret_options, int argc, char *argv[])
{
        struct option longs[ARRAY_SIZE(options) + 1] = { 0 };
        int code, r;

        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                longs[i] = (struct option) {
                        .name = options[i].name,
                        .has_arg = options[i].argument ? required_argument : no_argument,
                        .val = options[i].code,
                };
        *ret_options = (struct ctl_options) {
                .command = "status",
                .query = { .directory = TUNECHO_RUN_DIR, .timeout_msec = ANSWER_MSEC },
                .interval_msec = 1000,
        };

        optind = 0; /* which makes getopt_long(3) start again, as tests do */
        while ((code = getopt_long(argc, argv, "hV", longs, NULL)) >= 0) {
                r = parse_option(ret_options, code);
                if (r > 0 || ret_options->help || ret_options->version)
                        return r;

                for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                        if (options[i].code == code)
                                ret_options->given |= 1U << i;
        }

        if (optind < argc)
                ret_options->command = argv[optind++];
        ret_options->query.names = argv + optind;
        ret_options->query.n_names = (size_t) (argc - optind);
        return 0;
}

static bool is_given(const struct ctl_options *parsed, int code)
{
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                if (options[i].code == code)
                        return parsed->given & 1U << i;

        return false;
}

/* Whether a list with ", " between its words has a word. */
static bool has_word(const char *list, const char *word)
{
        size_t length = strlen(word);

        while (list) {
                if (strncmp(list, word, length) == 0 && (list[length] == ',' || list[length] == '\0'))
                        return true;

                list = strchr(list, ',');
                if (list)
                        list += strlen(", ");
        }

        return false;
}

/**
 * ctl_options_check() - check that options and interfaces fit the command
 * @parsed: the options
 *
 * An error is printed on stderr.
 *
 * Return: 0 or EX_USAGE.
 */
int ctl_options_check(const struct ctl_options *parsed)
{
        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                if (!(parsed->given & 1U << i) || !options[i].command ||
                    has_word(options[i].command, parsed->command))
                        continue;

                warnx("--%s is an option of %s", options[i].name, options[i].command);
                return EX_USAGE;
        }

        if (parsed->openmetrics && parsed->http) {
                warnx("--openmetrics does not go with --http: the request chooses the format");
                return EX_USAGE;
        }

        if (strcmp(parsed->command, "sessions") == 0 && !parsed->watch &&
            (is_given(parsed, OPTION_COUNT) || is_given(parsed, OPTION_INTERVAL))) {
                warnx("--count and --interval of sessions go with --watch");
                return EX_USAGE;
        }

        if (parsed->json && parsed->watch) {
                warnx("--json does not go with --watch");
                return EX_USAGE;
        }

        for (size_t i = 0; i < parsed->query.n_names; i++) {
                const char *reason = interface_check_name(parsed->query.names[i]);

                if (reason) {
                        warnx("'%s' %s", parsed->query.names[i], reason);
                        return EX_USAGE;
                }
        }

        return 0;
}

/**
 * ctl_options_print() - print the options for --help
 * @file: where to
 */
void ctl_options_print(FILE *file)
{
        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                char letter[] = { '-', (char) options[i].code, ',', ' ', '\0' }, name[32];

                (void) snprintf(name, sizeof(name), "--%s%s%s", options[i].name,
                                options[i].argument ? "=" : "",
                                options[i].argument ? options[i].argument : "");
                fprintf(file, "  %4s%-20s %s\n", options[i].code <= UCHAR_MAX ? letter : "", name,
                        options[i].help);
        }
}
