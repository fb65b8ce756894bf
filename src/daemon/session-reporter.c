/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Reports ping sessions and the ICMP errors that refuse their replies. Each kind of entry has a limit, and
 * the sessions that are suppressed have one entry with their sums.
 */

#include "daemon/session-reporter.h"

#include <stdlib.h>

#include "common/util.h"
#include "daemon/ratelimit.h"
#include "daemon/session-entry.h"
#include "engine/records.h"

#define SECOND_USEC UINT64_C(1000000)

/* Between two entries for ICMP errors of one kind. */
#define REFUSAL_USEC (10 * SECOND_USEC)

/* ICMP errors of one kind about replies: who sends them, type and code. */
struct refusal {
        struct address reporter;
        uint8_t type, code;
        uint64_t latest; /* when they had an entry, in microseconds; or 0 */
        uint64_t n_suppressed;
};

struct session_reporter {
        struct records *records;
        const struct journal *journal;
        enum config_sessions sessions; /* which have entries */
        session_handler_t on_session;  /* or NULL */
        void *userdata;

        struct ratelimit session_limit;
        struct session_sum sum; /* of sessions without an entry */

        struct refusal refusals[16];
        struct ratelimit refusal_limit; /* of all kinds together, as errors can be forged */
};

/**
 * session_reporter_new() - begin to report sessions
 * @records: what the data plane records; must outlive the reporter
 * @journal: where to report; must outlive the reporter
 *
 * Return: the reporter, which session_reporter_free() frees, or NULL without memory.
 */
struct session_reporter *session_reporter_new(struct records *records, const struct journal *journal)
{
        struct session_reporter *reporter = calloc(1, sizeof(*reporter));

        if (!reporter)
                return NULL;

        reporter->records = records;
        reporter->journal = journal;
        reporter->session_limit = (struct ratelimit) { .interval = SECOND_USEC, .burst = 10 };
        reporter->refusal_limit = (struct ratelimit) { .interval = SECOND_USEC, .burst = 10 };
        return reporter;
}

/**
 * session_reporter_free() - end reporting
 * @reporter: the reporter, or NULL
 *
 * Return: NULL.
 */
struct session_reporter *session_reporter_free(struct session_reporter *reporter)
{
        free(reporter);
        return NULL;
}

/**
 * session_reporter_watch() - set the handler for what happens to sessions
 * @reporter: the reporter
 * @on_session: the handler
 * @userdata: passed to it
 */
void session_reporter_watch(struct session_reporter *reporter, session_handler_t on_session, void *userdata)
{
        reporter->on_session = on_session;
        reporter->userdata = userdata;
}

static void notify(struct session_reporter *reporter, enum session_event event, const struct session *session)
{
        if (reporter->on_session)
                reporter->on_session(reporter->userdata, event, session);
}

/**
 * session_reporter_select() - say which sessions have entries
 * @reporter: the reporter
 * @sessions: which
 */
void session_reporter_select(struct session_reporter *reporter, enum config_sessions sessions)
{
        reporter->sessions = sessions;
}

/* What Sessions=loss has entries for. */
static bool shows_loss(const struct session *session)
{
        const struct numbering_summary *numbers = &session->numbers;

        return (numbers->unknown == SESSION_KNOWN && numbers->missing > 0) || numbers->duplicates > 0 ||
               numbers->reordered > 0 || session->refused > 0;
}

static bool is_wanted(const struct session_reporter *reporter, const struct session_report *session)
{
        if (session->event == SESSION_OPENED)
                return false;

        return reporter->sessions == CONFIG_SESSIONS_ALL || session->event == SESSION_RESUMED ||
               shows_loss(&session->session);
}

static void add_sum(struct session_sum *sum, const struct session_sum *more)
{
        sum->sessions += more->sessions;
        sum->requests += more->requests;
        sum->missing += more->missing;
        sum->duplicates += more->duplicates;
        sum->reordered += more->reordered;
        sum->refused += more->refused;
}

static void report_session(struct session_reporter *reporter, uint64_t now,
                           const struct session_report *session)
{
        const struct numbering_summary *numbers = &session->session.numbers;
        struct session_sum one = {
                .sessions = 1,
                .requests = session->session.requests,
                .missing = numbers->unknown == SESSION_KNOWN ? numbers->missing : 0,
                .duplicates = numbers->duplicates,
                .reordered = numbers->reordered,
                .refused = session->session.refused,
        };

        if (!is_wanted(reporter, session))
                return;

        if (ratelimit_check(&reporter->session_limit, now))
                session_entry_send(reporter->journal, session);
        else if (session->event != SESSION_RESUMED && session->event != SESSION_INTERIM)
                add_sum(&reporter->sum, &one);
}

static void report_sessions(struct session_reporter *reporter, uint64_t now)
{
        struct session_report sessions[16];
        struct session_sum sum;
        size_t n;

        do {
                n = records_collect_sessions(reporter->records, now, sessions, ARRAY_SIZE(sessions), &sum);
                for (size_t i = 0; i < n; i++) {
                        report_session(reporter, now, &sessions[i]);
                        notify(reporter, sessions[i].event, &sessions[i].session);
                }
                add_sum(&reporter->sum, &sum);
        } while (n == ARRAY_SIZE(sessions));
}

/* Returns the limit for errors like this one; the kind that was seen first is replaced by a new one. */
static struct refusal *find_refusal(struct session_reporter *reporter, const struct icmp_error *error)
{
        struct refusal *oldest = &reporter->refusals[0];

        for (size_t i = 0; i < ARRAY_SIZE(reporter->refusals); i++) {
                struct refusal *refusal = &reporter->refusals[i];

                if (address_equal(&refusal->reporter, &error->reporter) && refusal->type == error->type &&
                    refusal->code == error->code)
                        return refusal;
                if (refusal->latest < oldest->latest)
                        oldest = refusal;
        }

        *oldest = (struct refusal) { .reporter = error->reporter, .type = error->type, .code = error->code };
        return oldest;
}

static void report_error(struct session_reporter *reporter, uint64_t now, const struct icmp_error *error)
{
        struct refusal *refusal = find_refusal(reporter, error);

        if ((refusal->latest > 0 && now < refusal->latest + REFUSAL_USEC) ||
            !ratelimit_check(&reporter->refusal_limit, now)) {
                refusal->n_suppressed++;
                return;
        }

        session_entry_send_error(reporter->journal, error, refusal->n_suppressed);
        refusal->latest = now;
        refusal->n_suppressed = 0;
        notify(reporter, _SESSION_EVENT_MAX,
               &(struct session) {
                       .source = error->destination,
                       .destination = error->source,
                       .identifier = error->identifier,
               });
}

static void report_errors(struct session_reporter *reporter, uint64_t now)
{
        struct icmp_error errors[RECORDS_ERRORS_MAX];
        uint64_t n_lost;
        size_t n;

        n = records_take_errors(reporter->records, errors, &n_lost);
        for (size_t i = 0; i < n; i++)
                report_error(reporter, now, &errors[i]);

        /* Those that were too many at once count as the last kind that was seen. */
        if (n > 0)
                find_refusal(reporter, &errors[n - 1])->n_suppressed += n_lost;
}

/**
 * session_reporter_report() - report what is due
 * @reporter: the reporter
 * @now: the time of CLOCK_MONOTONIC in microseconds
 *
 * Return: when there will be more, in microseconds; @now if there is a sum, UINT64_MAX for never.
 */
uint64_t session_reporter_report(struct session_reporter *reporter, uint64_t now)
{
        report_errors(reporter, now);
        report_sessions(reporter, now);
        return reporter->sum.sessions > 0 ? now : records_sessions_due(reporter->records);
}

/**
 * session_reporter_report_sum() - report the sessions that have no entry of their own, if there are any
 * @reporter: the reporter
 */
void session_reporter_report_sum(struct session_reporter *reporter)
{
        if (reporter->sum.sessions == 0)
                return;

        session_entry_send_sum(reporter->journal, &reporter->sum);
        reporter->sum = (struct session_sum) { 0 };
}
