/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * tunechoctl: reads the status of running instances and prints it. The folder has a file for each command,
 * and what the commands share: the options, the reader of instances, the forms of the output. The client
 * must not need a privilege, change anything, trust what a socket sends, wait outside of its event loop (but
 * for an HTTP connection and the kernel's answer to a netlink request, with a limit), or include more than the
 * contract in tunecho/ and what lies in common/ and net/, of which it uses what asks the kernel.
 */

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "client/ctl.h"
#include "common/interface.h"
#include "common/util.h"

static const struct {
        const char *name;
        int (*run)(const struct ctl_options *options);
        const char *help;
} commands[] = {
        { "status", ctl_status, "state, addresses to ping, and counters; the default" },
        { "metrics", ctl_metrics, "the counters for Prometheus" },
        { "sessions", ctl_sessions, "the pings that are running" },
        { "watch", ctl_watch, "the counters as they change, until q is pressed" },
};

static void print_help(void)
{
        fputs("Usage: tunechoctl [OPTION]... [COMMAND [INTERFACE]...]\n"
              "Show the status of running tunecho instances.\n\nCommands:\n",
              stdout);
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                printf("  %-24s %s\n", commands[i].name, commands[i].help);

        fputs("\nOptions:\n", stdout);
        ctl_options_print(stdout);
        fputs("\nSee tunechoctl(1).\n", stdout);
}

static int print_usage_error(const char *name)
{
        fprintf(stderr, "tunechoctl: '%s' is not a command; commands are:", name);
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                fprintf(stderr, "%s %s", i > 0 ? "," : "", commands[i].name);
        if (interface_is_name(name))
                fprintf(stderr, "; as in: tunechoctl status %s", name);
        (void) fputc('\n', stderr);
        return EX_USAGE;
}

static int run(const struct ctl_options *options)
{
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
                if (strcmp(options->command, commands[i].name) != 0)
                        continue;

                r = ctl_options_check(options);
                return r > 0 ? r : commands[i].run(options);
        }

        return print_usage_error(options->command);
}

int main(int argc, char *argv[])
{
        struct ctl_options options;
        int r;

        /* The encoding of characters is the terminal's; numbers have the format of C. */
        (void) setlocale(LC_CTYPE, "");

        r = ctl_options_parse(&options, argc, argv);
        if (r > 0)
                return r;
        if (!options.help && !options.version)
                return run(&options);

        if (options.help)
                print_help();
        else
                puts("tunechoctl " TUNECHO_VERSION);
        return ctl_close_output();
}
