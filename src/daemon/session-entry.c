/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The journal entry of a ping session. */

#include "daemon/session-entry.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/util.h"
#include "packet/session.h"

#define SECOND_USEC UINT64_C(1000000)

static void add_session(struct journal_fields *fields, const struct session *session)
{
        char text[PREFIX_TEXT_SIZE];

        journal_add(fields, "TUNECHO_SOURCE=%s", address_text(text, &session->source));
        journal_add(fields, "TUNECHO_DESTINATION=%s", address_text(text, &session->destination));
        journal_add(fields, "TUNECHO_IDENTIFIER=%u", session->identifier);
}

/* "84 bytes", or "84 to 1500 bytes". */
static const char *range_text(char *text, size_t size, const char *before, unsigned min, unsigned max,
                              const char *after)
{
        if (min == max)
                (void) snprintf(text, size, "%s%u%s", before, min, after);
        else
                (void) snprintf(text, size, "%s%u to %u%s", before, min, max, after);

        return text;
}

static void add_figures(struct journal_fields *fields, const struct session *session)
{
        journal_add(fields, "TUNECHO_REQUESTS=%" PRIu64, session->requests);
        if (session_knows_missing(session))
                journal_add(fields, "TUNECHO_MISSING=%" PRIu64, session_missing(session));
        journal_add(fields, "TUNECHO_DUPLICATES=%" PRIu64, session->duplicates);
        journal_add(fields, "TUNECHO_REORDERED=%" PRIu64, session->reordered);
        journal_add(fields, "TUNECHO_SEQUENCE_FIRST=%u", (uint16_t) session->first);
        journal_add(fields, "TUNECHO_SEQUENCE_LAST=%u", (uint16_t) session->last);
        journal_add(fields, "TUNECHO_FRAGMENTED=%" PRIu64, session->fragmented);
        journal_add(fields, "TUNECHO_BYTES=%" PRIu64, session->bytes);
        journal_add(fields, "TUNECHO_LENGTH_MIN=%u", session->size_min);
        journal_add(fields, "TUNECHO_LENGTH_MAX=%u", session->size_max);
        journal_add(fields, "TUNECHO_HOP_LIMIT_MIN=%u", session->hop_limit_min);
        journal_add(fields, "TUNECHO_HOP_LIMIT_MAX=%u", session->hop_limit_max);
        journal_add(fields, "TUNECHO_DURATION_USEC=%" PRIu64, session->latest - session->opened);
}

/* "3 requests in 2 s, 0 missing, 0 duplicate, 0 reordered" */
static const char *figures_text(char *text, size_t size, const struct session *session)
{
        uint64_t seconds = (session->latest - session->opened + SECOND_USEC / 2) / SECOND_USEC;
        char missing[32] = "unknown";

        if (session_knows_missing(session))
                (void) snprintf(missing, sizeof(missing), "%" PRIu64, session_missing(session));
        (void) snprintf(text, size,
                        "%" PRIu64 " %s in %" PRIu64 " s, %s missing, %" PRIu64 " duplicate, %" PRIu64
                        " reordered",
                        session->requests, session->requests == 1 ? "request" : "requests", seconds, missing,
                        session->duplicates, session->reordered);
        return text;
}

/*
 * Which way ping's losses were, as far as what arrived can tell. A ping begins with 0 or 1: what was before
 * another number was lost on the way out, or has an entry of its own.
 */
static const char *conclusion_text(char *text, size_t size, const struct session *session)
{
        uint16_t first = (uint16_t) session->first;
        char begin[32] = "";

        if (first > 1)
                (void) snprintf(begin, sizeof(begin), "begins with seq %u, ", first);

        if (!session_knows_missing(session))
                (void) snprintf(text, size, "its numbers went to other destinations, too");
        else if (session_missing(session) == 0)
                (void) snprintf(text, size, "%sif ping lost any, the way back did", begin);
        else
                (void) snprintf(text, size,
                                "%sthe way out lost %" PRIu64 ", if ping lost more, the way back did", begin,
                                session_missing(session));

        return text;
}

/**
 * session_entry_send() - write the entry of a ping session
 * @journal: where to
 * @session: the session
 */
void session_entry_send(const struct journal *journal, const struct session *session)
{
        char source[PREFIX_TEXT_SIZE], destination[PREFIX_TEXT_SIZE], figures[160], fragments[48] = "";
        char sizes[40], hops[24], conclusion[128];
        struct journal_fields fields = { 0 };

        add_session(&fields, session);
        add_figures(&fields, session);
        if (session->fragmented > 0)
                (void) snprintf(fragments, sizeof(fragments), ", %" PRIu64 " in fragments",
                                session->fragmented);
        journal_send(journal, MESSAGE_SESSION, &fields, 0, "ping %s > %s id %u: %s%s, %s, %s: %s",
                     address_text(source, &session->source),
                     address_text(destination, &session->destination), session->identifier,
                     figures_text(figures, sizeof(figures), session), fragments,
                     range_text(sizes, sizeof(sizes), "", session->size_min, session->size_max, " bytes"),
                     range_text(hops, sizeof(hops), "ttl ", session->hop_limit_min, session->hop_limit_max,
                                ""),
                     conclusion_text(conclusion, sizeof(conclusion), session));
}

/**
 * session_entry_send_sum() - write one entry for many ping sessions
 * @journal: where to
 * @sum: what they have in common
 */
void session_entry_send_sum(const struct journal *journal, const struct session_sum *sum)
{
        struct journal_fields fields = { 0 };

        journal_add(&fields, "TUNECHO_SESSIONS=%" PRIu64, sum->sessions);
        journal_add(&fields, "TUNECHO_REQUESTS=%" PRIu64, sum->requests);
        journal_add(&fields, "TUNECHO_MISSING=%" PRIu64, sum->missing);
        journal_add(&fields, "TUNECHO_DUPLICATES=%" PRIu64, sum->duplicates);
        journal_add(&fields, "TUNECHO_REORDERED=%" PRIu64, sum->reordered);
        journal_send(journal, MESSAGE_SESSIONS, &fields, 0,
                     "%" PRIu64 " more %s ended on '%s': %" PRIu64 " requests, %" PRIu64
                     " missing, %" PRIu64 " duplicate, %" PRIu64 " reordered",
                     sum->sessions, sum->sessions == 1 ? "ping" : "pings", journal->interface, sum->requests,
                     sum->missing, sum->duplicates, sum->reordered);
}
