/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fuzzes sessions_parse() and status_parse(). An input is what an instance sends to a client.
 *
 * What is accepted can be printed on a terminal, and is the same when it is written and parsed again.
 */

#include <errno.h>
#include <string.h>

#include "common/util.h"
#include "fuzz.h"
#include "tunecho/sessions.h"
#include "tunecho/status.h"

static char *copy_text(const uint8_t *data, size_t size)
{
        char *text = calloc(1, size + 1);

        must(text != NULL, "there is memory");
        if (size > 0)
                memcpy(text, data, size);
        return text;
}

static void check_texts(const struct protocol_key *keys, const void *values)
{
        const char *text;

        for (const struct protocol_key *key = keys; key->name; key++)
                for (size_t i = 0; key->size > 0 && (text = protocol_get_text(values, key, i)); i++) {
                        must(strlen(text) < key->size, "a text is within its field");
                        for (; *text != '\0'; text++)
                                must((*text > ' ' || (*text == ' ' && key->has_blanks)) && *text <= '~',
                                     "a text is printable");
                }
}

static void check_sessions(const struct sessions *sessions)
{
        _cleanup_(freep) char *text = malloc(SESSIONS_TEXT_MAX);
        _cleanup_(freep) struct sessions *again = malloc(sizeof(*again));
        size_t used;

        must(text && again, "there is memory");
        must(sessions->n <= SESSIONS_ROWS_MAX && sessions->n <= sessions->open, "there are not more than said");
        check_texts(sessions_keys, sessions);
        used = (size_t) sessions_format_head(sessions, text, SESSIONS_TEXT_MAX);
        for (size_t i = 0; i < sessions->n; i++) {
                check_texts(session_row_keys, &sessions->rows[i]);
                used += (size_t) session_row_format(&sessions->rows[i], text + used, SESSIONS_TEXT_MAX - used);
        }

        must(used < SESSIONS_TEXT_MAX, "the text is not too long for a client");
        must(sessions_parse(again, text, used) == 0, "what is written can be parsed");
        must(memcmp(again, sessions, sizeof(*again)) == 0, "it is the same");
}

static void check_status(const struct status *status)
{
        char text[STATUS_TEXT_MAX];
        struct status again;
        int size;

        check_texts(status_keys, status);
        size = status_format(status, text, sizeof(text));
        must(size > 0, "the text fits");
        if (counters_packets(&status->counters) != status->packets)
                return; /* with verdicts that this client does not know */
        must(status_parse(&again, text, (size_t) size) == 0, "what is written can be parsed");
        must(memcmp(&again, status, sizeof(again)) == 0, "it is the same");
}

const char *fuzz_outcome(const uint8_t *data, size_t size)
{
        static struct sessions sessions;
        _cleanup_(freep) char *text = copy_text(data, size), *other = copy_text(data, size);
        struct status status;
        int r, s;

        r = status_parse(&status, other, size);
        must(r == 0 || r == -EBADMSG, "a status is valid or not");
        if (r == 0)
                check_status(&status);

        s = sessions_parse(&sessions, text, size);
        must(s == 0 || s == -EBADMSG, "sessions are valid or not");
        if (s == 0)
                check_sessions(&sessions);

        must(r < 0 || s < 0, "no text is both");
        return r == 0 ? "status" : s == 0 ? "sessions" : "bad";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        (void) fuzz_outcome(data, size);
        return 0;
}
