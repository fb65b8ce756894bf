/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The command line. It is read twice: for what to do and with which file, and after the files for what
 * replaces their settings.
 */

#include "config/options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "common/interface.h"
#include "config/settings.h"

/* An option that sets what a key of the file sets names the key, and replaces its value. */
static const struct {
        char letter; /* or 0 */
        const char *name;
        const char *argument; /* or NULL */
        const char *key;      /* or NULL */
        const char *help;
} options[] = {
        { 'c', "config", "FILE", NULL, "read FILE instead of " TUNECHO_CONFIG_DIR "/INTERFACE.conf" },
        { 'a', "address", "ADDR[/LEN]", "Address", "address of this host; repeatable" },
        { 'p', "peer", "ADDR", "Peer", "address of the peer; at most one for each family" },
        { 'm', "mtu", "BYTES", "MTUBytes", "68 to 65535 (1280 at least where there is an IPv6 address)" },
        { 'e', "engine", "NAME", "Type", "auto, io_uring or syscall" },
        { 0, "check", NULL, NULL, "print the settings that would be used, and exit" },
        { 0, "user", "NAME", NULL, "run as this user after a start as root; without it, as nobody" },
        { 'h', "help", NULL, NULL, "print this help, and exit" },
        { 'V', "version", NULL, NULL, "print the version, and exit" },
};

static const struct origin command_line = { 0 };

static void report_option(struct loader *loader, bool lacks_argument, const char *name)
{
        char text[TEXT_SIZE];

        (void) text_escape(text, sizeof(text), name);
        error_add(&loader->errors, &command_line,
                  lacks_argument ? "option '%s' needs an argument" : "unknown option '%s'", text);
}

/* Returns the row of options[] that getopt_long() found, or -1 at the end, or -EINVAL. */
static int next_option(struct loader *loader, int argc, char *argv[])
{
        struct option longs[ARRAY_SIZE(options) + 1] = { 0 };
        char letters[2 * ARRAY_SIZE(options) + 2] = ":";
        size_t n = 1;
        int c;

        /* What a long option returns is above every letter. */
        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                longs[i].name = options[i].name;
                longs[i].has_arg = options[i].argument ? required_argument : no_argument;
                longs[i].val = UINT8_MAX + 1 + (int) i;
                if (options[i].letter == 0)
                        continue;
                letters[n++] = options[i].letter;
                if (options[i].argument)
                        letters[n++] = ':';
        }

        opterr = 0;
        c = getopt_long(argc, argv, letters, longs, NULL);
        if (c == -1)
                return -1;
        if (c > UINT8_MAX)
                return c - UINT8_MAX - 1;
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                if (c == options[i].letter)
                        return (int) i;

        if (optopt > 0 && optopt <= UINT8_MAX)
                report_option(loader, c == ':', (const char[]) { '-', (char) optopt, '\0' });
        else
                report_option(loader, c == ':', argv[optind - 1]);
        return -EINVAL;
}

static void check_interface(struct loader *loader, const char *name)
{
        const char *reason = interface_check_name(name);
        char text[TEXT_SIZE];

        /* Entries about a refused name have it in TUNECHO_INTERFACE, truncated to the size of a name. */
        (void) snprintf(loader->config->interface, sizeof(loader->config->interface), "%s", name);
        if (reason)
                error_add(&loader->errors, &command_line, "'%s' %s%s", text_escape(text, sizeof(text), name),
                          reason,
                          strstr(name, "\\x") ? "; it looks escaped: write it unescaped after 'tunecho@'"
                                              : "");
}

/**
 * options_read() - read what to do, and with which interface, file and user
 * @loader: the settings
 * @argc: as main() has it
 * @argv: as main() has it; reordered by getopt_long(3)
 *
 * Return: the file that --config= names, or NULL.
 */
const char *options_read(struct loader *loader, int argc, char *argv[])
{
        struct config *config = loader->config;
        const char *path = NULL;
        int i;

        optind = 0;
        while ((i = next_option(loader, argc, argv)) != -1) {
                if (i < 0)
                        continue;

                if (strcmp(options[i].name, "config") == 0)
                        path = optarg;
                else if (strcmp(options[i].name, "user") == 0)
                        config->user = optarg;
                else if (strcmp(options[i].name, "check") == 0)
                        config->action = CONFIG_CHECK;
                else if (strcmp(options[i].name, "help") == 0)
                        config->action = CONFIG_HELP;
                else if (strcmp(options[i].name, "version") == 0)
                        config->action = CONFIG_VERSION;

                /* What follows the first of these two does not matter. */
                if (config->action == CONFIG_HELP || config->action == CONFIG_VERSION)
                        return path;
        }

        if (argc - optind == 1)
                check_interface(loader, argv[optind]);
        else
                error_add(&loader->errors, &command_line,
                          argc == optind ? "INTERFACE is missing; try --help"
                                         : "more than one INTERFACE; try --help");
        return path;
}

/**
 * options_set() - set what the options set; the first one for a list replaces that of the files
 * @loader: the settings
 * @argc: as main() has it
 * @argv: as main() has it; options_read() has found no error in it
 */
void options_set(struct loader *loader, int argc, char *argv[])
{
        bool replaced[ARRAY_SIZE(options)] = { 0 };
        int i;

        optind = 0;
        while ((i = next_option(loader, argc, argv)) >= 0) {
                if (!options[i].key)
                        continue;

                loader->origin = (struct origin) { .option = options[i].name };
                settings_set_by_option(loader, options[i].key, optarg, !replaced[i]);
                replaced[i] = true;
        }
}

/**
 * config_print_help() - print what --help shows
 * @file: the stream to print to
 */
void config_print_help(FILE *file)
{
        fputs("Usage: tunecho [OPTION]... INTERFACE\n"
              "Answer ping over a TUN device.\n\n",
              file);

        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                char letter[] = { '-', options[i].letter, ',', ' ', '\0' }, name[32];

                (void) snprintf(name, sizeof(name), "--%s%s%s", options[i].name,
                                options[i].argument ? "=" : "",
                                options[i].argument ? options[i].argument : "");
                fprintf(file, "  %4s%-22s %s\n", options[i].letter ? letter : "", name, options[i].help);
        }

        fputs("\nSee tunecho(8) and tunecho.conf(5).\n", file);
}
