/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Reports why the daemon ends, or why a reload is refused. */

#include "daemon/fail.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "daemon/service.h"

/**
 * fail() - report a failure to the journal and to systemd
 * @journal: the journal
 * @status: the status to exit with, of sysexits(3)
 * @message: which MESSAGE_ID= and priority the entry has
 * @error: a negative errno, which %m in @format prints, or 0
 * @format: printf(3)-like, the text of the entry and of the "Status:" line of `systemctl status`
 *
 * Return: @status.
 */
int fail(const struct journal *journal, int status, enum message message, int error, const char *format, ...)
{
        char text[JOURNAL_MESSAGE_SIZE];
        va_list arguments;

        errno = -error;
        va_start(arguments, format);
        (void) vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);

        journal_send(journal, message, NULL, error, "%s", text);
        service_send_failed(text, error);
        return status;
}
