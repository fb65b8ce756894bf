/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The command line of tunechoctl. */

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "client/ctl.h"
#include "client/ping-probe.h"
#include "common/interface.h"
#include "common/util.h"

#define ANSWER_MSEC  2000
#define INTERVAL_MIN 0.1 /* seconds */
#define INTERVAL_MAX 3600.0
#define PING_SIZE    56 /* bytes, as of ping(8) */

/* What getopt_long(3) returns: a letter, or a number above every letter. */
enum {
        OPTION_HELP = 'h',
        OPTION_VERSION = 'V',
        OPTION_COUNT = 'c',
        OPTION_SIZE = 's',
        OPTION_DONT_FRAGMENT = 'M',
        OPTION_MARK = 'm',
        OPTION_SOURCE = 'I',
        OPTION_JSON = UCHAR_MAX + 1,
        OPTION_OPENMETRICS,
        OPTION_HTTP,
        OPTION_WATCH,
        OPTION_NAGIOS,
        OPTION_FROM,
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
        { OPTION_JSON, "json", NULL, "status, sessions, ping", "status, sessions, ping: print JSON" },
        { OPTION_OPENMETRICS, "openmetrics", NULL, "metrics", "metrics: print strict OpenMetrics 1.0" },
        { OPTION_HTTP, "http", NULL, "metrics", "metrics: answer an HTTP request on standard input" },
        { OPTION_WATCH, "watch", NULL, "sessions", "sessions: refresh until q is pressed" },
        { OPTION_COUNT, "count", "N", "watch, sessions, ping",
          "watch, sessions: N refreshes; ping: N pings" },
        { OPTION_INTERVAL, "interval", "SECONDS", "watch, sessions",
          "watch, sessions: time between refreshes, 1 by default" },
        { OPTION_SIZE, "size", "BYTES", "ping", "ping: send BYTES of data, 56 by default" },
        { OPTION_DONT_FRAGMENT, "dont-fragment", NULL, "ping", "ping: do not fragment (-M do)" },
        { OPTION_MARK, "mark", "N", "ping", "ping: mark the requests with N" },
        { OPTION_SOURCE, "source", "ADDRESS", "ping", "ping: send from ADDRESS" },
        { OPTION_FROM, "from", "CLIENT", "ping", "ping: check the path of pings of another host" },
        { OPTION_NAGIOS, "nagios", NULL, "ping", "ping: print a line for Nagios and the like" },
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

static int parse_size(unsigned *ret_size, const char *text)
{
        size_t digits = strspn(text, "0123456789");
        unsigned long size = strtoul(text, NULL, 10);

        if (digits == 0 || text[digits] != '\0' || size > PING_SIZE_MAX) {
                warnx("--size: '%s' is not a number from 0 to %u", text, PING_SIZE_MAX);
                return EX_USAGE;
        }

        *ret_size = (unsigned) size;
        return 0;
}

/* As of ping(8), a mark may be hexadecimal. */
static int parse_mark(uint32_t *ret_mark, const char *text)
{
        size_t digits = strspn(text, "0123456789xabcdefABCDEF");
        unsigned long long mark;
        char *end;

        errno = 0;
        mark = strtoull(text, &end, 0);
        if (digits == 0 || *end != '\0' || errno != 0 || mark == 0 || mark > UINT32_MAX) {
                warnx("--mark: '%s' is not a number from 1 to %u", text, UINT32_MAX);
                return EX_USAGE;
        }

        *ret_mark = (uint32_t) mark;
        return 0;
}

static int parse_address(struct address *ret_address, const char *text, const char *option)
{
        if (address_parse(ret_address, text) >= 0)
                return 0;

        warnx("%s: '%s' is not an address", option, text);
        return EX_USAGE;
}

/* The letter of ping(8) has an argument, of which one value means what the long option does. */
static int parse_dont_fragment(bool *ret_dont_fragment, const char *text)
{
        if (text && strcmp(text, "do") != 0) {
                warnx("-M: '%s' is not 'do'", text);
                return EX_USAGE;
        }

        *ret_dont_fragment = true;
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
        case OPTION_SIZE:
                return parse_size(&parsed->ping.size, optarg);
        case OPTION_DONT_FRAGMENT:
                return parse_dont_fragment(&parsed->ping.dont_fragment, optarg);
        case OPTION_MARK:
                return parse_mark(&parsed->ping.mark, optarg);
        case OPTION_SOURCE:
                return parse_address(&parsed->ping.source, optarg, "--source");
        case OPTION_FROM:
                return parse_address(&parsed->ping.from, optarg, "--from");
        case OPTION_NAGIOS:
                parsed->ping.nagios = true;
                return 0;
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
                .ping = { .size = PING_SIZE },
        };

        optind = 0; /* which makes getopt_long(3) start again, as tests do */
        while ((code = getopt_long(argc, argv, "hVc:s:M:m:I:", longs, NULL)) >= 0) {
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
        if (strcmp(ret_options->command, "ping") == 0 && ret_options->query.n_names == 2) {
                ret_options->ping.address = ret_options->query.names[1];
                ret_options->query.n_names = 1;
        }
        return 0;
}

/* Commands are separated by a comma and a blank. */
static bool belongs_to(const char *commands, const char *command)
{
        size_t size = strlen(command);

        for (; commands; commands = strchr(commands, ' ')) {
                commands += strspn(commands, " ");
                if (strncmp(commands, command, size) == 0 && strchr(",", commands[size]))
                        return true;
        }

        return false;
}

static unsigned bit_of(int code)
{
        unsigned bit = 1;

        for (size_t i = 0; options[i].code != code; i++)
                bit <<= 1;

        return bit;
}

/* The arguments of ping are an interface and an address; its options have limits of their own. */
static int check_ping(const struct ctl_options *parsed)
{
        struct address address;

        if (parsed->query.n_names > 1) {
                warnx("ping takes an INTERFACE and an ADDRESS, or pings those of all instances");
                return EX_USAGE;
        }
        if (parsed->query.n_names == 1 && address_parse(&address, parsed->query.names[0]) >= 0) {
                warnx("'%s' is an address; as in: tunechoctl ping INTERFACE %s", parsed->query.names[0],
                      parsed->query.names[0]);
                return EX_USAGE;
        }
        if (parsed->ping.address &&
            (address_parse(&address, parsed->ping.address) < 0 || !address_is_unicast(&address))) {
                warnx("'%s' is not a unicast address", parsed->ping.address);
                return EX_USAGE;
        }
        if (parsed->ping.address && parsed->ping.source.family != AF_UNSPEC &&
            parsed->ping.source.family != address.family) {
                warnx("--source has another family than '%s'", parsed->ping.address);
                return EX_USAGE;
        }
        if (parsed->count > PING_COUNT_MAX) {
                warnx("--count of ping is a number from 1 to %u", PING_COUNT_MAX);
                return EX_USAGE;
        }
        if (parsed->ping.from.family != AF_UNSPEC &&
            (parsed->given & ~(bit_of(OPTION_FROM) | bit_of(OPTION_JSON) | bit_of(OPTION_DIRECTORY))) != 0) {
                warnx("--from goes with --json and --directory only, as no ping is sent");
                return EX_USAGE;
        }
        if (parsed->json && parsed->ping.nagios) {
                warnx("--json does not go with --nagios");
                return EX_USAGE;
        }

        return 0;
}

static bool is_given(const struct ctl_options *parsed, int code)
{
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                if (options[i].code == code)
                        return parsed->given & 1U << i;

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
                    belongs_to(options[i].command, parsed->command))
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
        if (strcmp(parsed->command, "ping") == 0 && check_ping(parsed) > 0)
                return EX_USAGE;

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
