/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Errors, the end of the output, and a format for durations, which the commands share. */

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "client/ctl.h"
#include "client/print.h"
#include "common/util.h"

/**
 * ctl_print_error() - print why a command failed
 * @error: a negative errno
 * @what: the subject of the message
 *
 * Return: the exit status.
 */
int ctl_print_error(int error, const char *what)
{
        errno = -error;
        warn("%s", what);
        return CTL_FAILED;
}

/**
 * ctl_close_output() - write what is buffered, and check that all of the output was written
 *
 * Return: 0 or the exit status.
 */
int ctl_close_output(void)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return 0;

        warnx("the output cannot be written");
        return CTL_FAILED;
}

/**
 * duration_format() - format a duration in its two largest units
 * @text: buffer for the text
 * @usec: the duration in microseconds
 *
 * Return: @text, such as "3d4h", "5m12s" or "7s".
 */
const char *duration_format(char text[static DURATION_TEXT_SIZE], uint64_t usec)
{
        static const struct {
                uint64_t seconds;
                char letter;
        } units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
        uint64_t seconds = usec / 1000000;
        size_t i = 0;

        while (i < ARRAY_SIZE(units) - 1 && seconds < units[i].seconds)
                i++;

        if (i == ARRAY_SIZE(units) - 1)
                (void) snprintf(text, DURATION_TEXT_SIZE, "%" PRIu64 "s", seconds);
        else
                (void) snprintf(text, DURATION_TEXT_SIZE, "%" PRIu64 "%c%" PRIu64 "%c",
                                seconds / units[i].seconds, units[i].letter,
                                seconds % units[i].seconds / units[i + 1].seconds, units[i + 1].letter);
        return text;
}
