/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Why it is unknown how many requests of a ping are missing, in a word and in a phrase. */

#include "common/unknown.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"

static const struct {
        const char *name, *text;
} rows[] = {
        [SESSION_KNOWN] = { "known", "" },
        [SESSION_EVERY_NTH] = { "every-nth", NULL }, /* has a number */
        [SESSION_ELSEWHERE] = { "elsewhere", "numbers go elsewhere, too" },
        [SESSION_NO_COUNT] = { "no-count", "numbers do not count" },
        [SESSION_TOO_FEW] = { "too-few", "too few requests" },
        [SESSION_MIXED] = { "mixed", "two pings with this identifier" },
};

_Static_assert(ARRAY_SIZE(rows) == _SESSION_UNKNOWN_MAX, "every reason needs a row");

/**
 * session_unknown_name() - name why the number of missing requests is unknown
 * @unknown: the reason
 */
const char *session_unknown_name(enum session_unknown unknown)
{
        return rows[unknown].name;
}

/**
 * session_unknown_find() - find a reason by its name
 * @name: the name
 *
 * Return: the reason, or _SESSION_UNKNOWN_MAX if none has this name.
 */
enum session_unknown session_unknown_find(const char *name)
{
        enum session_unknown unknown = 0;

        while (unknown < _SESSION_UNKNOWN_MAX && strcmp(rows[unknown].name, name) != 0)
                unknown++;

        return unknown;
}

/**
 * session_unknown_text() - describe why the number of missing requests is unknown
 * @text: set to the description
 * @size: of @text in bytes
 * @unknown: the reason
 * @step: from one number to the next
 *
 * Return: @text, such as "every 2nd number".
 */
const char *session_unknown_text(char *text, size_t size, enum session_unknown unknown, uint64_t step)
{
        static const char *const endings[10] = { "th", "st", "nd", "rd", "th", "th", "th", "th", "th", "th" };
        bool teen = step / 10 % 10 == 1;

        if (rows[unknown].text)
                (void) snprintf(text, size, "%s", rows[unknown].text);
        else
                (void) snprintf(text, size, "every %" PRIu64 "%s number", step,
                                endings[teen ? 0 : step % 10]);
        return text;
}
