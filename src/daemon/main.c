/* SPDX-License-Identifier: GPL-2.0-or-later */

/* From argv to the exit status. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "config/config.h"
#include "daemon/daemon.h"
#include "daemon/journal.h"
#include "daemon/service.h"

static int print(const struct config *config)
{
        switch (config->action) {
        case CONFIG_HELP:
                config_print_help(stdout);
                break;
        case CONFIG_VERSION:
                puts("tunecho " TUNECHO_VERSION);
                break;
        default:
                config_print(config, stdout);
        }

        return fflush(stdout) == 0 ? EXIT_SUCCESS : EX_OSERR;
}

/* If one of the first three is closed, the next open(2) would return its number. */
static int fill_standard_descriptors(void)
{
        int fd;

        do
                fd = open("/dev/null", O_RDWR | O_NOCTTY);
        while (fd >= 0 && fd <= STDERR_FILENO);

        if (fd >= 0)
                close(fd);
        return fd < 0 ? -errno : 0;
}

int main(int argc, char *argv[])
{
        struct config config = { 0 };
        struct journal journal;
        int r;

        if (fcntl(STDIN_FILENO, F_GETFD) < 0 || fcntl(STDOUT_FILENO, F_GETFD) < 0 ||
            fcntl(STDERR_FILENO, F_GETFD) < 0)
                (void) fill_standard_descriptors();

        journal_init(&journal);

        journal.interface = config.interface;

        r = config_load(&config, argc, argv, journal_send_error, &journal);
        if (r > 0) {
                service_send_failed("The settings are invalid, see the journal", 0);
                return r;
        }

        if (config.action != CONFIG_RUN)
                return print(&config);

        return daemon_run(&config, &journal);
}
