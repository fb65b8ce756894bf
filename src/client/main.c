/* SPDX-License-Identifier: GPL-2.0-or-later */

/* From argv to the exit status, for the client. */

#include <locale.h>
#include <stdio.h>

#include "client/ctl.h"

static int print(const struct ctl_options *options)
{
        if (options->command == CTL_HELP)
                ctl_print_help(stdout);
        else
                puts("tunechoctl " TUNECHO_VERSION);

        return ctl_close_output();
}

int main(int argc, char *argv[])
{
        struct ctl_options options;
        int r;

        /* Characters are those of the terminal; numbers stay those of C. */
        (void) setlocale(LC_CTYPE, "");

        r = ctl_options_parse(&options, argc, argv);
        if (r > 0)
                return r;

        switch (options.command) {
        case CTL_STATUS:
                return ctl_status(&options);
        case CTL_METRICS:
                return ctl_metrics(&options);
        case CTL_WATCH:
                return ctl_watch(&options);
        default:
                return print(&options);
        }
}
