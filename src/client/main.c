/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * tunechoctl: reads the status of running instances and prints it. The folder has a file for each command,
 * and what the commands share: the options, the reader of instances, the forms of the output. The client
 * must not need a privilege, change anything, trust what a socket sends, wait outside of its event loop (but
 * for an HTTP connection, the kernel's answer to a netlink request, and the replies to its pings, with a
 * limit), or include more than the contract in tunecho/ and what lies in common/ and net/, of which it uses
 * what asks the kernel.
 */

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "client/command.h"
#include "client/ctl.h"
#include "common/interface.h"
#include "common/util.h"

static const struct {
        const char *name;
        int (*run)(const struct ctl_options *options);
        const char *help;
} commands[] = { /* the first one is the default */
        { "status", ctl_status, "state, addresses to ping, and counters; the default" },
        { "metrics", ctl_metrics, "the counters for Prometheus" },
        { "sessions", ctl_sessions, "the pings that are running" },
        { "watch", ctl_watch, "the counters as they change, until q is pressed" },
        { "ping", ctl_ping, "whether pings are answered, and if not, why" },
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
        const char *names[ARRAY_SIZE(commands)], *similar;

        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                names[i] = commands[i].name;
        similar = command_find_similar(name, names, ARRAY_SIZE(names));
        if (similar) {
                fprintf(stderr, "tunechoctl: '%s' is not a command; did you mean '%s'?\n", name, similar);
                return EX_USAGE;
        }

        fprintf(stderr, "tunechoctl: '%s' is not a command; commands are:", name);
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                fprintf(stderr, "%s %s", i > 0 ? "," : "", commands[i].name);
        if (interface_is_name(name))
                fprintf(stderr, "; as in: tunechoctl status %s", name);
        (void) fputc('\n', stderr);
        return EX_USAGE;
}

static int run(struct ctl_options *options)
{
        size_t i = 0;
        int r;

        while (i < ARRAY_SIZE(commands) && strcmp(options->command, commands[i].name) != 0)
                i++;
        if (i == ARRAY_SIZE(commands)) {
                if (!command_is_instance(options->command, options->query.directory))
                        return print_usage_error(options->command);

                /* As with the default command: the word is the first of the names. */
                i = 0;
                options->command = commands[i].name;
                options->query.names--;
                options->query.n_names++;
        }

        r = ctl_options_check(options);
        return r > 0 ? r : commands[i].run(options);
}

int main(int argc, char *argv[])
{
        struct ctl_options options;
        int r;

        /* The encoding of characters is the terminal's; numbers have the format of C. */
        (void) setlocale(LC_CTYPE, "");

        /* execve(2) keeps an ignored signal ignored, and waitpid(2) would not return the status of a child. */
        (void) signal(SIGCHLD, SIG_DFL);

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
