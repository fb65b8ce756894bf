/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The journal entries about ping sessions, and about ICMP errors that refuse their replies. */

#include "daemon/session-entry.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/util.h"
#include "packet/icmp-error.h"
#include "packet/session.h"

#define SECOND_USEC UINT64_C(1000000)

static void add_session(struct journal_fields *fields, const struct session *session)
{
        char text[PREFIX_TEXT_SIZE];

        journal_add(fields, "TUNECHO_SOURCE=%s", address_text(text, &session->source));
        journal_add(fields, "TUNECHO_DESTINATION=%s", address_text(text, &session->destination));
        journal_add(fields, "TUNECHO_IDENTIFIER=%u", session->identifier);
}

static void add_figures(struct journal_fields *fields, const struct session *session)
{
        journal_add(fields, "TUNECHO_REQUESTS=%" PRIu64, session->requests);
        if (session->numbers.unknown == SESSION_KNOWN)
                journal_add(fields, "TUNECHO_MISSING=%" PRIu64, session->numbers.missing);
        else
                journal_add(fields, "TUNECHO_UNKNOWN=%s", session_unknown_name(session->numbers.unknown));
        journal_add(fields, "TUNECHO_DUPLICATES=%" PRIu64, session->numbers.duplicates);
        journal_add(fields, "TUNECHO_REORDERED=%" PRIu64, session->numbers.reordered);
        journal_add(fields, "TUNECHO_SEQUENCE_FIRST=%u", session->numbers.first);
        journal_add(fields, "TUNECHO_SEQUENCE_LAST=%u", session->numbers.last);
        journal_add(fields, "TUNECHO_FRAGMENTED=%" PRIu64, session->fragmented);
        journal_add(fields, "TUNECHO_LATER_FRAGMENTS=%" PRIu64, session->later_fragments);
        journal_add(fields, "TUNECHO_REFUSED=%" PRIu64, session->refused);
        journal_add(fields, "TUNECHO_BYTES=%" PRIu64, session->bytes);
        journal_add(fields, "TUNECHO_LENGTH_MIN=%u", session->size_min);
        journal_add(fields, "TUNECHO_LENGTH_MAX=%u", session->size_max);
        journal_add(fields, "TUNECHO_HOP_LIMIT_MIN=%u", session->hop_limit_min);
        journal_add(fields, "TUNECHO_HOP_LIMIT_MAX=%u", session->hop_limit_max);
        journal_add(fields, "TUNECHO_DURATION_USEC=%" PRIu64, session->latest - session->opened);
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

/* "10 missing", or "unknown missing (every 2nd number)" */
static const char *missing_text(char *text, size_t size, const struct numbering_summary *numbers)
{
        char reason[40];

        if (numbers->unknown == SESSION_KNOWN)
                (void) snprintf(text, size, "%" PRIu64 " missing", numbers->missing);
        else
                (void) snprintf(text, size, "unknown missing (%s)",
                                session_unknown_text(reason, sizeof(reason), numbers->unknown, numbers->step));
        return text;
}

/* "3 requests in 2 s, seq 1 to 3, 0 missing, 0 duplicate, 0 reordered" */
static const char *figures_text(char *text, size_t size, const struct session *session)
{
        uint64_t seconds = (session->latest - session->opened + SECOND_USEC / 2) / SECOND_USEC;
        const struct numbering_summary *numbers = &session->numbers;
        char missing[64];

        (void) snprintf(text, size,
                        "%" PRIu64 " %s in %" PRIu64 " s, seq %u to %u, %s, %" PRIu64 " duplicate, %" PRIu64
                        " reordered",
                        session->requests, session->requests == 1 ? "request" : "requests", seconds,
                        numbers->first, numbers->last, missing_text(missing, sizeof(missing), numbers),
                        numbers->duplicates, numbers->reordered);
        return text;
}

/* ", 90 first and 180 later fragments" */
static const char *fragments_text(char *text, size_t size, const struct session *session)
{
        text[0] = '\0';
        if (session->fragmented > 0)
                (void) snprintf(text, size, ", %" PRIu64 " first and %" PRIu64 " later fragments",
                                session->fragmented, session->later_fragments);
        return text;
}

/* ", 3 refused" */
static const char *refused_text(char *text, size_t size, const struct session *session)
{
        text[0] = '\0';
        if (session->refused > 0)
                (void) snprintf(text, size, ", %" PRIu64 " refused", session->refused);
        return text;
}

/* What the client may not know yet; nothing about a ping that was closed for another reason. */
static const char *ending_text(char *text, size_t size, enum session_event event, const struct session *session)
{
        if (event == SESSION_IDLE && session->dropped > 0)
                (void) snprintf(text, size, "; idle 10 s: %" PRIu64 " more %s dropped as %s", session->dropped,
                                session->dropped == 1 ? "request was" : "requests were",
                                verdict_name(session->dropped_as));
        else if (event == SESSION_IDLE)
                (void) snprintf(text, size, "; idle 10 s: if the ping goes on, its requests do not arrive");
        else
                (void) snprintf(text, size, "%s", event == SESSION_INTERIM ? " so far" : "");
        return text;
}

static void send_session(const struct journal *journal, enum session_event event,
                         const struct session *session)
{
        char source[PREFIX_TEXT_SIZE], destination[PREFIX_TEXT_SIZE], figures[240], fragments[80], refused[40],
                sizes[40], hops[24], ending[80];
        struct journal_fields fields = { 0 };

        add_session(&fields, session);
        add_figures(&fields, session);
        journal_add(&fields, "TUNECHO_EVENT=%s", session_event_name(event));
        if (session->dropped > 0) {
                journal_add(&fields, "TUNECHO_DROPPED=%" PRIu64, session->dropped);
                journal_add(&fields, "TUNECHO_VERDICT=%s", verdict_name(session->dropped_as));
        }
        journal_send(journal, MESSAGE_SESSION, &fields, 0, "ping %s > %s id %u: %s%s%s, %s, %s%s",
                     address_text(source, &session->source),
                     address_text(destination, &session->destination), session->identifier,
                     figures_text(figures, sizeof(figures), session),
                     refused_text(refused, sizeof(refused), session),
                     fragments_text(fragments, sizeof(fragments), session),
                     range_text(sizes, sizeof(sizes), "", session->size_min, session->size_max, " bytes"),
                     range_text(hops, sizeof(hops), "ttl ", session->hop_limit_min, session->hop_limit_max,
                                ""),
                     ending_text(ending, sizeof(ending), event, session));
}

static void send_resumed(const struct journal *journal, const struct session_report *report)
{
        char source[PREFIX_TEXT_SIZE], destination[PREFIX_TEXT_SIZE];
        struct journal_fields fields = { 0 };

        add_session(&fields, &report->session);
        journal_add(&fields, "TUNECHO_BETWEEN=%" PRIu64, report->between);
        journal_add(&fields, "TUNECHO_IDLE_USEC=%" PRIu64, report->quiet_usec);
        journal_send(journal, MESSAGE_SESSION_RESUMED, &fields, 0,
                     "ping %s > %s id %u goes on after %" PRIu64 " s, %" PRIu64 " numbers later",
                     address_text(source, &report->session.source),
                     address_text(destination, &report->session.destination), report->session.identifier,
                     report->quiet_usec / SECOND_USEC, report->between);
}

/**
 * session_entry_send() - write an entry about a ping session
 * @journal: where to
 * @report: what there is to report
 */
void session_entry_send(const struct journal *journal, const struct session_report *report)
{
        if (report->event == SESSION_RESUMED)
                send_resumed(journal, report);
        else
                send_session(journal, report->event, &report->session);
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
        journal_add(&fields, "TUNECHO_REFUSED=%" PRIu64, sum->refused);
        journal_send(journal, MESSAGE_SESSIONS, &fields, 0,
                     "%" PRIu64 " more %s ended on '%s': %" PRIu64 " requests, %" PRIu64
                     " missing, %" PRIu64 " duplicate, %" PRIu64 " reordered",
                     sum->sessions, sum->sessions == 1 ? "ping" : "pings", journal->interface, sum->requests,
                     sum->missing, sum->duplicates, sum->reordered);
}

/**
 * session_entry_send_error() - write an entry about an ICMP error that refuses a reply
 * @journal: where to
 * @error: the error
 * @n_suppressed: how many more there were since the last entry of this kind
 */
void session_entry_send_error(const struct journal *journal, const struct icmp_error *error,
                              uint64_t n_suppressed)
{
        char reporter[PREFIX_TEXT_SIZE], source[PREFIX_TEXT_SIZE], destination[PREFIX_TEXT_SIZE];
        struct journal_fields fields = { 0 };
        char mtu[32] = "", more[64] = "";

        (void) address_text(reporter, &error->reporter);
        journal_add(&fields, "TUNECHO_REPORTER=%s", reporter);
        journal_add(&fields, "TUNECHO_SOURCE=%s", address_text(destination, &error->destination));
        journal_add(&fields, "TUNECHO_DESTINATION=%s", address_text(source, &error->source));
        journal_add(&fields, "TUNECHO_IDENTIFIER=%u", error->identifier);
        journal_add(&fields, "TUNECHO_SEQUENCE=%u", error->sequence);
        journal_add(&fields, "TUNECHO_TYPE=%u", error->type);
        journal_add(&fields, "TUNECHO_CODE=%u", error->code);
        if (error->mtu > 0) {
                journal_add(&fields, "TUNECHO_PATH_MTU=%" PRIu32, error->mtu);
                (void) snprintf(mtu, sizeof(mtu), ", MTU %" PRIu32, error->mtu);
        }
        if (n_suppressed > 0) {
                journal_add(&fields, "TUNECHO_LEFT_OUT=%" PRIu64, n_suppressed);
                (void) snprintf(more, sizeof(more), ", %" PRIu64 " more since the last entry", n_suppressed);
        }

        journal_send(journal, MESSAGE_REFUSED, &fields, 0, "%s refuses the reply %s > %s id %u seq %u: %s%s%s",
                     reporter, source, destination, error->identifier, error->sequence,
                     icmp_error_reason_text(icmp_error_reason(error)), mtu, more);
}
