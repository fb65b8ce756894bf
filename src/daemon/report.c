/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Reports what the data plane recorded: single packets, drops, ping sessions, the totals for
 * `systemctl status`. The first packet after a pause is reported at once, later ones once a second; without
 * packets nothing wakes up. However many packets there are, the journal gets a limited number of
 * entries, and what is suppressed is counted in one.
 */

#include "daemon/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "common/util.h"
#include "daemon/ratelimit.h"
#include "daemon/service.h"
#include "engine/records.h"

#define SECOND_USEC UINT64_C(1000000)

/* Between two reports while there are packets. */
#define PERIOD_USEC SECOND_USEC

/* What was reported of the drops of one verdict. */
struct drops {
        uint64_t reported; /* how many */
        struct ratelimit limit;
};

struct report {
        struct records *records;
        const struct journal *journal;
        sd_event_source *wake, *timer;
        report_handler_t on_records;
        void *userdata;

        bool packets; /* an entry for each is wanted */
        struct ratelimit packet_limit;
        uint64_t n_suppressed; /* packets without an entry */

        struct drops drops[_VERDICT_MAX];

        struct session_reporter *sessions;

        const char *notice;   /* in front of the totals, or "" */
        uint64_t n_in_status; /* packets as systemd has them */
};

static void report_packets(struct report *report, uint64_t now)
{
        struct record packets[RECORDS_PACKETS_MAX];
        uint64_t n_lost;
        size_t n;

        n = records_take_packets(report->records, packets, &n_lost);
        for (size_t i = 0; i < n; i++) {
                if (ratelimit_check(&report->packet_limit, now))
                        journal_send_packet(report->journal, &packets[i].packet, packets[i].size,
                                            packets[i].verdict);
                else
                        n_lost++;
        }

        report->n_suppressed += n_lost;
}

static void report_suppressed(struct report *report)
{
        struct journal_fields fields = { 0 };

        if (report->n_suppressed == 0)
                return;

        journal_add(&fields, "TUNECHO_LEFT_OUT=%" PRIu64, report->n_suppressed);
        journal_send(report->journal, MESSAGE_PACKETS_SUPPRESSED, &fields, 0,
                     "%" PRIu64 " packets of '%s' have no entry", report->n_suppressed,
                     report->journal->interface);
        report->n_suppressed = 0;
}

/* Returns when the drops that are not reported yet may be. */
static uint64_t report_drops(struct report *report, uint64_t now, enum verdict verdict, uint64_t n)
{
        struct drops *drops = &report->drops[verdict];

        if (verdict_is_silent(verdict) || n <= drops->reported)
                return UINT64_MAX;
        if (!ratelimit_check(&drops->limit, now))
                return ratelimit_next(&drops->limit);

        journal_send_drops(report->journal, verdict, n - drops->reported);
        drops->reported = n;
        return UINT64_MAX;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

/* Reports the drops of all verdicts. ICMP errors about replies have entries of their own. */
static uint64_t report_all_drops(struct report *report, uint64_t now)
{
        struct counters counters;
        uint64_t due = UINT64_MAX, *errors = &counters.verdicts[VERDICT_ICMP_ERROR], refusals;

        /* In this order: an error is recorded before its packet is counted. */
        records_counters(report->records, &counters);
        refusals = records_refusals(report->records);
        *errors -= earlier(*errors, refusals);
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                due = earlier(due, report_drops(report, now, v, counters.verdicts[v]));

        return due;
}

/* Reports what is due. Returns when there will be more even without a packet, UINT64_MAX for never. */
static uint64_t report_due(struct report *report, uint64_t now)
{
        uint64_t due;

        report_packets(report, now);
        due = report_all_drops(report, now);
        if (report->n_suppressed > 0)
                due = now;
        return earlier(due, session_reporter_report(report->sessions, now));
}

/* Returns whether systemd has the totals. */
static bool report_status(struct report *report)
{
        char text[REPORT_STATUS_SIZE];
        struct counters counters;
        uint64_t packets;

        records_counters(report->records, &counters);
        packets = counters_packets(&counters);
        if (packets != report->n_in_status && service_send_status(report_status_text(report, text)))
                report->n_in_status = packets;

        return packets == report->n_in_status;
}

static int set_timer(struct report *report, uint64_t usec)
{
        int r;

        r = sd_event_source_set_time(report->timer, usec);
        if (r < 0)
                return r;

        return sd_event_source_set_enabled(report->timer, SD_EVENT_ONESHOT);
}

/* The next report is a period later; only single packets are reported at once, up to their limit. */
static int on_wake(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        struct report *report = userdata;
        uint64_t now;
        int enabled, r;

        (void) source;
        (void) fd;
        (void) events;

        r = sd_event_now(sd_event_source_get_event(report->wake), CLOCK_MONOTONIC, &now);
        if (r < 0)
                return r;

        if (report->packets && ratelimit_next(&report->packet_limit) <= now)
                records_arm(report->records);
        else
                records_disarm(report->records);
        (void) report_due(report, now);
        report->on_records(report->userdata);

        /* With single packets it may run already. */
        r = sd_event_source_get_enabled(report->timer, &enabled);
        if (r < 0)
                return r;

        return enabled == SD_EVENT_OFF || !report->packets ? set_timer(report, now + PERIOD_USEC) : 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        struct report *report = userdata;
        uint64_t now, due;
        int r;

        (void) source;
        (void) usec;

        r = sd_event_now(sd_event_source_get_event(report->timer), CLOCK_MONOTONIC, &now);
        if (r < 0)
                return r;

        /* This clears a wake-up that came since the loop looked, so its handler is called in any case. */
        records_arm(report->records);
        report->on_records(report->userdata);
        report_suppressed(report);
        session_reporter_report_sum(report->sessions);
        due = report_due(report, now);
        if (!report_status(report))
                due = now;
        if (due == UINT64_MAX)
                return 0;

        return set_timer(report, due > now + PERIOD_USEC ? due : now + PERIOD_USEC);
}

static int attach(struct report *report, sd_event *event)
{
        int r;

        r = sd_event_add_io(event, &report->wake, records_fd(report->records), EPOLLIN, on_wake, report);
        if (r < 0)
                return r;

        r = sd_event_add_time(event, &report->timer, CLOCK_MONOTONIC, 0, 0, on_timer, report);
        if (r < 0)
                return r;

        return sd_event_source_set_enabled(report->timer, SD_EVENT_OFF);
}

/**
 * report_new() - begin to report
 * @ret_report: set to the report, which report_free() frees
 * @event: the event loop
 * @records: what the data plane records; must outlive the report
 * @journal: where to report; must outlive the report
 * @on_records: called after each wake-up by the data plane, and with each report
 * @userdata: passed to @on_records
 *
 * Return: 0, -ENOMEM, or a negative errno of sd_event_add_io(3) or sd_event_add_time(3).
 */
int report_new(struct report **ret_report, sd_event *event, struct records *records,
               const struct journal *journal, report_handler_t on_records, void *userdata)
{
        struct report *report = calloc(1, sizeof(*report));
        int r;

        if (!report)
                return -ENOMEM;

        report->records = records;
        report->journal = journal;
        report->on_records = on_records;
        report->userdata = userdata;
        report->notice = "";
        report->packet_limit = (struct ratelimit) { .interval = SECOND_USEC, .burst = 100 };
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                report->drops[v].limit = (struct ratelimit) { .interval = 60 * SECOND_USEC, .burst = 1 };

        report->sessions = session_reporter_new(records, journal);
        r = report->sessions ? attach(report, event) : -ENOMEM;
        if (r < 0) {
                report_free(report);
                return r;
        }

        records_arm(records);
        *ret_report = report;
        return 0;
}

/**
 * report_free() - end reporting
 * @report: the report, or NULL
 *
 * Return: NULL.
 */
struct report *report_free(struct report *report)
{
        if (!report)
                return NULL;

        sd_event_source_unref(report->timer);
        sd_event_source_unref(report->wake);
        session_reporter_free(report->sessions);
        free(report);
        return NULL;
}

/**
 * report_select() - say what is reported beside the drops
 * @report: the report
 * @packets: whether each packet is
 * @sessions: which ping sessions are
 */
void report_select(struct report *report, bool packets, enum config_sessions sessions)
{
        report->packets = packets;
        session_reporter_select(report->sessions, sessions);
        records_select(report->records, packets, sessions != CONFIG_SESSIONS_NONE);
}

/**
 * report_watch_sessions() - set the handler for what happens to ping sessions
 * @report: the report
 * @on_session: the handler
 * @userdata: passed to it
 */
void report_watch_sessions(struct report *report, session_handler_t on_session, void *userdata)
{
        session_reporter_watch(report->sessions, on_session, userdata);
}

/**
 * report_set_notice() - put something in front of the totals in `systemctl status`
 * @report: the report
 * @notice: the text, which must outlive the report; "" for nothing
 */
void report_set_notice(struct report *report, const char *notice)
{
        report->notice = notice;
}

/**
 * report_update_status() - send the line for `systemctl status`, although no packet came
 * @report: the report
 */
void report_update_status(struct report *report)
{
        int enabled;

        report->n_in_status = UINT64_MAX;
        if (report_status(report))
                return;

        /* systemd has no space for it now. */
        if (sd_event_source_get_enabled(report->timer, &enabled) >= 0 && enabled == SD_EVENT_OFF)
                (void) set_timer(report, monotonic_usec() + PERIOD_USEC);
}

/**
 * report_status_text() - format the line for `systemctl status`
 * @report: the report
 * @text: filled in
 *
 * Return: @text.
 */
const char *report_status_text(struct report *report, char text[static REPORT_STATUS_SIZE])
{
        char totals[COUNTERS_TEXT_SIZE];
        struct counters counters;

        records_counters(report->records, &counters);
        (void) snprintf(text, REPORT_STATUS_SIZE, "%s%s", report->notice, counters_text(totals, &counters));
        return text;
}

/**
 * report_totals() - write an entry with the totals
 * @report: the report
 * @message: which entry
 * @what: the words between the interface and the totals
 */
void report_totals(struct report *report, enum message message, const char *what)
{
        struct journal_fields fields = { 0 };
        char text[COUNTERS_TEXT_SIZE];
        struct counters counters;

        records_counters(report->records, &counters);
        journal_add_counters(&fields, &counters);
        journal_send(report->journal, message, &fields, 0, "'%s' %s: %s", report->journal->interface, what,
                     counters_text(text, &counters));
}

/**
 * report_rest() - report everything that is left, at the end
 * @report: the report, whose data plane has stopped
 */
void report_rest(struct report *report)
{
        uint64_t now = monotonic_usec();

        report_packets(report, now);
        report_suppressed(report);
        records_finish_sessions(report->records);
        (void) session_reporter_report(report->sessions, now);
        session_reporter_report_sum(report->sessions);

        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                report->drops[v].limit.n = 0;
        (void) report_all_drops(report, now);
}
