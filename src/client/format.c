/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A length of time as a person reads it. */

#include <inttypes.h>

#include "client/print.h"
#include "common/util.h"

/**
 * duration_format() - tell a length of time in its two largest units
 * @text: room for the text
 * @usec: the time in microseconds
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
