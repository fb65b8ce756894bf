/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What there is to report of ping sessions, and when. */

#include "packet/session.h"

#include "common/util.h"
#include "packet/session-table.h"

static struct numbering_summary summarize(const struct session_entry *entry)
{
        struct numbering_summary numbers = numbering_summarize(&entry->numbering, entry->session.requests);

        if (entry->is_mixed) {
                numbers.unknown = SESSION_MIXED;
                numbers.missing = 0;
        }
        return numbers;
}

static void write_report(struct session_report *report, enum session_event event,
                         const struct session_entry *entry)
{
        *report = (struct session_report) { .event = event, .session = entry->session };
        report->session.numbers = summarize(entry);
        if (entry->drops_from != entry->session.latest)
                report->session.dropped = 0;
}

static void add_to_sum(struct session_sum *sum, const struct session_entry *entry)
{
        const struct session *session = &entry->session;
        struct numbering_summary numbers;

        sum->sessions++;
        sum->requests += session->requests;
        sum->refused += session->refused;
        if (session->requests == 1)
                return;

        numbers = summarize(entry);
        sum->missing += numbers.missing;
        sum->duplicates += numbers.duplicates;
        sum->reordered += numbers.reordered;
}

/**
 * session_table_push() - keep a report until it is collected
 * @table: the table; if it has SESSION_REPORTS_MAX of them, the session is added to the sum
 * @event: what happened
 * @entry: the session
 * @quiet_usec: as in struct session_report
 * @between: likewise
 */
void session_table_push(struct session_table *table, enum session_event event,
                        const struct session_entry *entry, uint64_t quiet_usec, uint64_t between)
{
        struct session_report *report;

        if (table->n_reports == SESSION_REPORTS_MAX) {
                if (event != SESSION_RESUMED)
                        add_to_sum(&table->sum, entry);
                return;
        }

        report = &table->reports[(table->first_report + table->n_reports++) % SESSION_REPORTS_MAX];
        write_report(report, event, entry);
        report->quiet_usec = quiet_usec;
        report->between = between;
}

static uint64_t idle_at(const struct session_entry *entry)
{
        return entry->session.latest + entry->idle_usec;
}

static uint64_t interim_at(const struct session_entry *entry)
{
        return entry->interim + SESSION_INTERIM_USEC;
}

/* Writes what is due of one session, if anything is. */
static bool collect_one(struct session_table *table, uint64_t now, struct session_entry *entry,
                        struct session_report *report)
{
        bool stopped = table->is_finished;

        if (entry->is_idle)
                return false;

        if (stopped || now >= idle_at(entry)) {
                write_report(report, stopped ? SESSION_STOPPED : SESSION_IDLE, entry);
                session_set_idle(table, entry, true);
        } else if (!entry->is_announced) {
                write_report(report, SESSION_OPENED, entry);
        } else if (now >= interim_at(entry)) {
                write_report(report, SESSION_INTERIM, entry);
                entry->interim = now;
        } else {
                return false;
        }

        entry->is_announced = true;
        return true;
}

/**
 * session_table_collect() - collect the reports that are due
 * @table: the table
 * @now: the time in microseconds
 * @reports: set to them
 * @max: how many there may be
 *
 * Return: how many there are. If that is @max there may be more.
 */
size_t session_table_collect(struct session_table *table, uint64_t now, struct session_report *reports,
                             size_t max)
{
        struct session_entry *entry;
        size_t n = 0;

        while (n < max && table->n_reports > 0) {
                reports[n++] = table->reports[table->first_report];
                table->first_report = (table->first_report + 1) % SESSION_REPORTS_MAX;
                table->n_reports--;
        }

        TAILQ_FOREACH_REVERSE (entry, &table->order, session_order, order) {
                if (n == max)
                        break;
                n += collect_one(table, now, entry, &reports[n]);
        }

        return n;
}

/**
 * session_table_collect_sum() - collect the sum of the sessions that have no report
 * @table: the table
 * @ret_sum: set to it
 */
void session_table_collect_sum(struct session_table *table, struct session_sum *ret_sum)
{
        *ret_sum = table->sum;
        table->sum = (struct session_sum) { 0 };
}

/**
 * session_table_finish() - end all sessions
 * @table: the table, to which nothing is added from then on
 *
 * session_table_collect() reports those that are open as SESSION_STOPPED.
 */
void session_table_finish(struct session_table *table)
{
        table->is_finished = true;
}

/**
 * session_table_next() - find out when the next report is due, if no request comes
 * @table: the table
 *
 * Return: the time in microseconds; 0 for now, UINT64_MAX for never.
 */
uint64_t session_table_next(const struct session_table *table)
{
        const struct session_entry *entry;
        uint64_t next = UINT64_MAX;

        if (table->n_reports > 0 || table->sum.sessions > 0)
                return 0;

        TAILQ_FOREACH (entry, &table->order, order) {
                if (entry->is_idle)
                        continue;
                if (!entry->is_announced || table->is_finished)
                        return 0;

                next = idle_at(entry) < next ? idle_at(entry) : next;
                next = interim_at(entry) < next ? interim_at(entry) : next;
        }

        return next;
}

/**
 * session_table_copy() - copy all sessions that are open
 * @table: the table
 * @reports: set to them, the one with the latest request first, with SESSION_OPENED
 * @max: how many there may be; SESSIONS_MAX are enough
 *
 * Return: how many there are.
 */
size_t session_table_copy(const struct session_table *table, struct session_report *reports, size_t max)
{
        const struct session_entry *entry;
        size_t n = 0;

        TAILQ_FOREACH (entry, &table->order, order)
                if (!entry->is_idle && n < max)
                        write_report(&reports[n++], SESSION_OPENED, entry);

        return n;
}

/**
 * session_event_name() - name an event of a session
 * @event: the event
 */
const char *session_event_name(enum session_event event)
{
        static const char *const names[] = {
                [SESSION_OPENED] = "opened",   [SESSION_IDLE] = "idle",       [SESSION_RESUMED] = "resumed",
                [SESSION_INTERIM] = "interim", [SESSION_EVICTED] = "evicted", [SESSION_STOPPED] = "stopped",
        };

        _Static_assert(ARRAY_SIZE(names) == _SESSION_EVENT_MAX, "every event needs a name");
        return names[event];
}
