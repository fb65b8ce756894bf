/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The part of the daemon that tells what packets were seen: single ones, drops, ping sessions. However many
 * there are, the journal gets no more than it bears; what finds no place is told as a number.
 */

#include <inttypes.h>
#include <stdio.h>

#include "daemon/daemon-private.h"
#include "common/util.h"

#define SECOND_USEC UINT64_C(1000000)

/* Entries from one tick to the next, which is a second later. */
#define PACKET_ENTRIES_MAX 100

/* Between two entries for drops of one verdict. */
#define DROPS_PAUSE_USEC UINT64_C(60000000)

static void report_packet(struct daemon *daemon, const struct packet_info *packet, size_t size,
                          enum verdict verdict)
{
        if (daemon->reports.packet_entries == PACKET_ENTRIES_MAX) {
                daemon->reports.packets_left_out++;
                return;
        }

        daemon->reports.packet_entries++;
        journal_send_packet(daemon->journal, packet, size, verdict);
}

static void report_left_out(struct daemon *daemon)
{
        struct journal_fields fields = { 0 };

        if (daemon->reports.packets_left_out == 0)
                return;

        journal_add(&fields, "TUNECHO_LEFT_OUT=%" PRIu64, daemon->reports.packets_left_out);
        journal_send(daemon->journal, MESSAGE_PACKETS_LEFT_OUT, &fields, 0,
                     "%" PRIu64 " packets of '%s' have no entry", daemon->reports.packets_left_out,
                     daemon->config->interface);
        daemon->reports.packets_left_out = 0;
}

static uint64_t untold_drops(const struct daemon *daemon, enum verdict verdict)
{
        if (verdict_is_silent(verdict))
                return 0;

        return engine_counters(daemon->engine)->verdicts[verdict] - daemon->reports.drops[verdict].told;
}

/* Whether there may be another entry now. A clock that goes back admits none until it has caught up. */
static bool pace_admits(struct pace *pace, uint64_t now)
{
        uint64_t *oldest = &pace->when[pace->oldest];

        if (*oldest > 0 && now < *oldest + SECOND_USEC)
                return false;

        *oldest = now;
        pace->oldest = (pace->oldest + 1) % SESSION_ENTRIES_MAX;
        return true;
}

/* The first drop at once, then one entry a minute at most. */
static void report_drops(struct daemon *daemon, uint64_t now, enum verdict verdict, bool last)
{
        struct drops *drops = &daemon->reports.drops[verdict];
        uint64_t n = untold_drops(daemon, verdict);

        if (n == 0 || (!last && drops->told > 0 && now < drops->when + DROPS_PAUSE_USEC))
                return;

        journal_send_drops(daemon->journal, verdict, n);
        drops->told += n;
        drops->when = now;
}

static void add_session(struct journal_fields *fields, const struct session *session)
{
        char text[PREFIX_TEXT_SIZE];

        journal_add(fields, "TUNECHO_SOURCE=%s", address_text(text, &session->source));
        journal_add(fields, "TUNECHO_DESTINATION=%s", address_text(text, &session->destination));
        journal_add(fields, "TUNECHO_IDENTIFIER=%u", session->identifier);
}

static void report_opened(struct daemon *daemon, uint64_t now, const struct session *session)
{
        char source[PREFIX_TEXT_SIZE], destination[PREFIX_TEXT_SIZE];
        struct journal_fields fields = { 0 };

        if (!pace_admits(&daemon->reports.opened, now))
                return;

        add_session(&fields, session);
        journal_send(daemon->journal, MESSAGE_SESSION_OPENED, &fields, 0, "ping %s > %s id %u begins",
                     address_text(source, &session->source),
                     address_text(destination, &session->destination), session->identifier);
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

/* A gap in the numbers is a loss, unless they went elsewhere, too. */
static bool knows_missing(const struct session *session)
{
        return !session->shared || session_missing(session) == 0;
}

static void add_to_sum(struct session_sum *sum, const struct session *session)
{
        sum->sessions++;
        sum->requests += session->requests;
        sum->missing += knows_missing(session) ? session_missing(session) : 0;
        sum->duplicates += session->duplicates;
        sum->reordered += session->reordered;
}

static void add_figures(struct journal_fields *fields, const struct session *session)
{
        journal_add(fields, "TUNECHO_REQUESTS=%" PRIu64, session->requests);
        if (knows_missing(session))
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

        if (knows_missing(session))
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

        if (!knows_missing(session))
                (void) snprintf(text, size, "its numbers went to other destinations, too");
        else if (session_missing(session) == 0)
                (void) snprintf(text, size, "%sif ping lost any, the way back did", begin);
        else
                (void) snprintf(text, size,
                                "%sthe way out lost %" PRIu64 ", if ping lost more, the way back did", begin,
                                session_missing(session));

        return text;
}

static void report_session(struct daemon *daemon, uint64_t now, const struct session *session)
{
        char source[PREFIX_TEXT_SIZE], destination[PREFIX_TEXT_SIZE], figures[160], fragments[48] = "";
        char sizes[40], hops[24], conclusion[128];
        struct journal_fields fields = { 0 };

        if (!pace_admits(&daemon->reports.closed, now)) {
                add_to_sum(&daemon->reports.sum, session);
                return;
        }

        add_session(&fields, session);
        add_figures(&fields, session);
        if (session->fragmented > 0)
                (void) snprintf(fragments, sizeof(fragments), ", %" PRIu64 " in fragments",
                                session->fragmented);
        journal_send(daemon->journal, MESSAGE_SESSION, &fields, 0, "ping %s > %s id %u: %s%s, %s, %s: %s",
                     address_text(source, &session->source),
                     address_text(destination, &session->destination), session->identifier,
                     figures_text(figures, sizeof(figures), session), fragments,
                     range_text(sizes, sizeof(sizes), "", session->size_min, session->size_max, " bytes"),
                     range_text(hops, sizeof(hops), "ttl ", session->hop_limit_min, session->hop_limit_max,
                                ""),
                     conclusion_text(conclusion, sizeof(conclusion), session));
}

static void report_session_sum(struct daemon *daemon)
{
        struct session_sum *sum = &daemon->reports.sum;
        struct journal_fields fields = { 0 };

        if (sum->sessions == 0)
                return;

        journal_add(&fields, "TUNECHO_SESSIONS=%" PRIu64, sum->sessions);
        journal_add(&fields, "TUNECHO_REQUESTS=%" PRIu64, sum->requests);
        journal_add(&fields, "TUNECHO_MISSING=%" PRIu64, sum->missing);
        journal_add(&fields, "TUNECHO_DUPLICATES=%" PRIu64, sum->duplicates);
        journal_add(&fields, "TUNECHO_REORDERED=%" PRIu64, sum->reordered);
        journal_send(daemon->journal, MESSAGE_SESSIONS, &fields, 0,
                     "%" PRIu64 " more %s ended on '%s': %" PRIu64 " requests, %" PRIu64
                     " missing, %" PRIu64 " duplicate, %" PRIu64 " reordered",
                     sum->sessions, sum->sessions == 1 ? "ping" : "pings", daemon->config->interface,
                     sum->requests, sum->missing, sum->duplicates, sum->reordered);
        *sum = (struct session_sum) { 0 };
}

/**
 * daemon_observe() - see a packet; an engine_observer_t
 * @userdata: the daemon
 * @now: when it was read, in microseconds
 * @packet: what was read of it
 * @size: its size in bytes
 * @verdict: what became of it
 */
void daemon_observe(void *userdata, uint64_t now, const struct packet_info *packet, size_t size,
                    enum verdict verdict)
{
        struct daemon *daemon = userdata;
        struct session_change change;

        if (daemon->config->log_packets)
                report_packet(daemon, packet, size, verdict);
        if (!verdict_is_reply(verdict)) {
                report_drops(daemon, now, verdict, false);
                return;
        }
        if (!daemon->config->log_sessions || verdict != VERDICT_REPLY)
                return;

        sessions_add(daemon->reports.sessions, now, packet, size, &change);
        if (change.closed)
                report_session(daemon, now, change.closed);
        if (change.opened)
                report_opened(daemon, now, change.opened);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

/**
 * daemon_report() - tell what has become due
 * @daemon: the daemon
 * @now: the time in microseconds
 *
 * Return: when there will be more, even without another packet, in microseconds; UINT64_MAX for never.
 */
uint64_t daemon_report(struct daemon *daemon, uint64_t now)
{
        struct reports *reports = &daemon->reports;
        const struct session *session;
        uint64_t due;

        report_left_out(daemon);
        report_session_sum(daemon);
        reports->packet_entries = 0;

        while ((session = sessions_close_idle(reports->sessions, now)))
                report_session(daemon, now, session);
        due = reports->sum.sessions > 0 ? now : sessions_idle_at(reports->sessions);

        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                report_drops(daemon, now, v, false);
                if (untold_drops(daemon, v) > 0)
                        due = earlier(due, reports->drops[v].when + DROPS_PAUSE_USEC);
        }

        return due;
}

/**
 * daemon_report_all() - tell all that there is, as the end has come
 * @daemon: the daemon
 */
void daemon_report_all(struct daemon *daemon)
{
        const struct session *session;
        uint64_t now;

        if (sd_event_now(daemon->event, CLOCK_MONOTONIC, &now) < 0)
                now = 0;

        report_left_out(daemon);
        while ((session = sessions_close_oldest(daemon->reports.sessions)))
                report_session(daemon, now, session);
        report_session_sum(daemon);

        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                report_drops(daemon, now, v, true);
}
