/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the data plane records, and the control plane takes; and when it is woken up. */

#include "engine/records.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "unit.h"

static struct records *records;

static int set_up(void **state)
{
        (void) state;
        return records_new(&records, 4711);
}

static int tear_down(void **state)
{
        (void) state;
        records = records_free(records);
        return records ? -1 : 0;
}

/* An echo request of a ping with this number, from a host with this number. */
static struct record request(uint16_t host, uint16_t identifier, uint16_t sequence)
{
        return (struct record) {
                .packet = { .source = { AF_INET, .bytes = { 10, 0, (uint8_t) (host >> 8), (uint8_t) host } },
                            .destination = { AF_INET, .bytes = { 198, 18, 0, 2 } },
                            .protocol = 1,
                            .hop_limit = 64,
                            .has_icmp = true,
                            .type = 8,
                            .is_echo = true,
                            .identifier = identifier,
                            .sequence = sequence },
                .size = 84,
                .verdict = VERDICT_REPLY,
        };
}

static void add(uint64_t now, uint16_t host, uint16_t identifier, uint16_t sequence)
{
        struct record record = request(host, identifier, sequence);

        records_add(records, now, &record, 1, 0);
}

static void add_dropped(void)
{
        const struct record record = { .size = 3, .verdict = VERDICT_MALFORMED };

        records_add(records, 1, &record, 1, 0);
}

static bool is_woken(void)
{
        struct pollfd fd = { .fd = records_fd(records), .events = POLLIN };

        return poll(&fd, 1, 0) == 1;
}

static void test_arming(void **state)
{
        (void) state;

        assert_false(is_woken());
        add_dropped();
        assert_false(is_woken());

        /* What came before is not a reason, what comes first is, whatever its verdict. */
        records_arm(records);
        assert_false(is_woken());
        add_dropped();
        assert_true(is_woken());
        records_arm(records);
        assert_false(is_woken());
        add(1, 1, 1, 1);
        assert_true(is_woken());

        records_disarm(records);
        assert_false(is_woken());
        add_dropped();
        assert_false(is_woken());
}

static void test_two_packets_wake_once(void **state)
{
        const struct record both[] = { request(1, 1, 1), request(1, 1, 2) };
        eventfd_t n = 0;

        (void) state;

        records_arm(records);
        add_dropped();
        add_dropped();
        records_add(records, 1, both, 2, 0);
        assert_int_equal(eventfd_read(records_fd(records), &n), 0);
        assert_int_equal(n, 1);
        assert_false(is_woken());
}

/* An exchange that moved no packet does not wake, even with replies that were refused. */
static void test_no_packet_wakes_not(void **state)
{
        struct counters counters;

        (void) state;

        records_arm(records);
        records_add(records, 1, NULL, 0, 0);
        assert_false(is_woken());
        records_add(records, 1, NULL, 0, 2);
        assert_false(is_woken());
        records_counters(records, &counters);
        assert_int_equal(counters.unsent, 2);
        add_dropped();
        assert_true(is_woken());
}

/* The end of the data plane does so, armed or not, and does not disarm. */
static void test_wake(void **state)
{
        (void) state;

        records_wake(records);
        assert_true(is_woken());
        records_arm(records);
        records_wake(records);
        assert_true(is_woken());
        records_arm(records);
        assert_false(is_woken());
        add_dropped();
        assert_true(is_woken());
}

static void test_counters(void **state)
{
        struct record batch[3] = { request(1, 1, 1), request(1, 1, 2), { .verdict = VERDICT_NOT_ECHO } };
        struct counters counters;

        (void) state;

        records_counters(records, &counters);
        assert_int_equal(counters_packets(&counters), 0);
        records_add(records, 1, batch, 3, 1);
        records_add(records, 2, batch, 1, 0);
        records_add(records, 2, batch, 2, 2);
        records_counters(records, &counters);
        assert_int_equal(counters.verdicts[VERDICT_REPLY], 5);
        assert_int_equal(counters.verdicts[VERDICT_NOT_ECHO], 1);
        assert_int_equal(counters_packets(&counters), 6);
        assert_int_equal(counters_replies(&counters), 5);
        assert_int_equal(counters.unsent, 3);
}

static void assert_packets(size_t first, size_t n, uint64_t lost)
{
        struct record packets[RECORDS_PACKETS_MAX];
        uint64_t n_lost = UINT64_MAX;

        assert_int_equal(records_take_packets(records, packets, &n_lost), n);
        assert_int_equal(n_lost, lost);
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(packets[i].packet.sequence, first + i);
                assert_int_equal(packets[i].size, 84);
                assert_int_equal(packets[i].verdict, VERDICT_REPLY);
        }
}

/* The first ones in their order, and a count of the others. */
static void test_packets(void **state)
{
        (void) state;

        records_select(records, true, false);
        assert_packets(0, 0, 0);
        for (uint16_t i = 0; i < 3; i++)
                add(1, 1, 1, i);
        assert_packets(0, 3, 0);
        assert_packets(0, 0, 0);

        for (uint16_t i = 0; i < RECORDS_PACKETS_MAX; i++)
                add(1, 1, 1, i);
        assert_packets(0, RECORDS_PACKETS_MAX, 0);

        for (uint16_t i = 0; i < RECORDS_PACKETS_MAX + 5; i++)
                add(1, 1, 1, i);
        assert_packets(0, RECORDS_PACKETS_MAX, 5);
        add(1, 1, 1, 77);
        assert_packets(77, 1, 0);
}

#define REPORTS_MAX 16

static size_t collect(uint64_t now, struct session_report reports[static REPORTS_MAX], struct session_sum *sum)
{
        return records_collect_sessions(records, now, reports, REPORTS_MAX, sum);
}

/* One that is idle is reported, the other goes on; in the end all are. */
static void test_sessions(void **state)
{
        struct session_report reports[REPORTS_MAX];
        struct session_sum sum;

        (void) state;

        records_select(records, false, true);
        assert_int_equal(records_sessions_due(records), UINT64_MAX);
        add(1000, 1, 1, 0);
        add(2000, 2, 1, 0);
        add(3000, 1, 1, 1);
        add_dropped();
        assert_int_equal(records_sessions_count(records), 2);

        assert_int_equal(records_sessions_due(records), 0);
        assert_int_equal(collect(3000, reports, &sum), 2);
        assert_int_equal(reports[0].event, SESSION_OPENED);
        assert_int_equal(reports[1].event, SESSION_OPENED);
        assert_int_equal(records_sessions_due(records), 2000 + SESSION_IDLE_USEC);

        assert_int_equal(collect(2000 + SESSION_IDLE_USEC - 1, reports, &sum), 0);
        assert_int_equal(collect(2000 + SESSION_IDLE_USEC, reports, &sum), 1);
        assert_int_equal(reports[0].event, SESSION_IDLE);
        assert_int_equal(reports[0].session.source.bytes[3], 2);
        assert_int_equal(reports[0].session.requests, 1);
        assert_int_equal(sum.sessions, 0);
        assert_int_equal(records_sessions_count(records), 1);

        records_finish_sessions(records);
        assert_int_equal(records_sessions_due(records), 0);
        assert_int_equal(collect(2001 + SESSION_IDLE_USEC, reports, &sum), 1);
        assert_int_equal(reports[0].event, SESSION_STOPPED);
        assert_int_equal(reports[0].session.source.bytes[3], 1);
        assert_int_equal(reports[0].session.requests, 2);
        assert_int_equal(records_sessions_count(records), 0);
        assert_int_equal(records_sessions_due(records), UINT64_MAX);
}

/* More sessions than the table holds: of the first evicted ones there are reports, of the others the sum. */
static void test_evicted_sessions(void **state)
{
        const unsigned n_more = 7, n = SESSIONS_MAX + SESSION_REPORTS_MAX + n_more;
        struct session_report reports[REPORTS_MAX];
        unsigned n_evicted = 0, n_stopped = 0;
        struct session_sum sum, total = { 0 };
        struct session_totals totals;
        size_t collected;

        (void) state;

        records_select(records, false, true);
        for (uint16_t host = 0; host < n; host++) {
                add(host, host, 1, 0);
                add(host, host, 1, 1);
        }
        assert_int_equal(records_sessions_count(records), SESSIONS_MAX);
        assert_int_equal(records_sessions_due(records), 0);
        records_sessions_totals(records, &totals);
        assert_int_equal(totals.opened, n);
        assert_int_equal(totals.evicted, n - SESSIONS_MAX);
        records_finish_sessions(records);

        /* A part at a time, without losing any. */
        do {
                collected = collect(n, reports, &sum);
                total.sessions += sum.sessions;
                total.requests += sum.requests;
                for (size_t i = 0; i < collected; i++) {
                        n_evicted += reports[i].event == SESSION_EVICTED;
                        n_stopped += reports[i].event == SESSION_STOPPED;
                        assert_int_equal(reports[i].session.requests, 2);
                }
        } while (collected == REPORTS_MAX);
        assert_int_equal(n_evicted, SESSION_REPORTS_MAX);
        assert_int_equal(n_stopped, SESSIONS_MAX);
        assert_int_equal(total.sessions, n_more);
        assert_int_equal(total.requests, 2 * n_more);
        assert_int_equal(records_sessions_count(records), 0);
        assert_int_equal(records_sessions_due(records), UINT64_MAX);
}

/* What is not selected costs nothing but its counter; sessions that are open go on. */
static void test_selecting(void **state)
{
        struct session_report reports[REPORTS_MAX];
        struct session_sum sum;
        struct counters counters;

        (void) state;

        add(1, 1, 1, 0);
        assert_int_equal(records_sessions_count(records), 0);
        assert_packets(0, 0, 0);

        records_select(records, true, true);
        add(2, 1, 1, 1);
        records_select(records, false, false);
        add(3, 1, 1, 2);
        assert_packets(1, 1, 0);
        assert_int_equal(records_sessions_count(records), 1);
        assert_int_equal(collect(UINT64_MAX, reports, &sum), 1);
        assert_int_equal(reports[0].event, SESSION_IDLE);
        assert_int_equal(reports[0].session.requests, 1);

        records_counters(records, &counters);
        assert_int_equal(counters_packets(&counters), 3);
}

/* That the reply to a request of this host cannot be delivered. */
static struct icmp_error refusal(uint16_t host, uint16_t identifier)
{
        struct record of = request(host, identifier, 0);

        return (struct icmp_error) {
                .reporter = { AF_INET, .bytes = { 192, 0, 2, 1 } },
                .type = 3,
                .code = 1,
                .source = of.packet.destination,
                .destination = of.packet.source,
                .identifier = identifier,
        };
}

/* An error about a reply is counted in the session of its request, and kept in order up to a limit. */
static void test_errors(void **state)
{
        struct icmp_error errors[RECORDS_ERRORS_MAX], error = refusal(1, 7);
        struct session_report reports[REPORTS_MAX];
        uint64_t n_lost = UINT64_MAX;
        struct session_sum sum;

        (void) state;

        assert_int_equal(records_take_errors(records, errors, &n_lost), 0);
        assert_int_equal(n_lost, 0);

        records_select(records, false, true);
        add(1, 1, 7, 0);
        add(1, 1, 8, 0);
        for (uint16_t i = 0; i < RECORDS_ERRORS_MAX + 3; i++) {
                error.sequence = i;
                records_add_error(records, 2, &error);
        }
        assert_int_equal(records_take_errors(records, errors, &n_lost), RECORDS_ERRORS_MAX);
        assert_int_equal(n_lost, 3);
        for (uint16_t i = 0; i < RECORDS_ERRORS_MAX; i++)
                assert_int_equal(errors[i].sequence, i);
        assert_int_equal(records_take_errors(records, errors, &n_lost), 0);
        assert_int_equal(n_lost, 0);

        assert_int_equal(records_refusals(records), RECORDS_ERRORS_MAX + 3);

        /* The reply to a ping that was not seen here is forged, unless no ping is recorded. */
        error = refusal(1, 9);
        records_add_error(records, 2, &error);
        assert_int_equal(records_refusals(records), RECORDS_ERRORS_MAX + 3);
        assert_int_equal(records_take_errors(records, errors, &n_lost), 0);
        records_select(records, false, false);
        records_add_error(records, 2, &error);
        assert_int_equal(records_refusals(records), RECORDS_ERRORS_MAX + 4);
        assert_int_equal(records_take_errors(records, errors, &n_lost), 1);

        records_finish_sessions(records);
        assert_int_equal(collect(3, reports, &sum), 2);
        for (unsigned i = 0; i < 2; i++) {
                bool refused = reports[i].session.identifier == 7;

                assert_int_equal(reports[i].session.refused, refused ? RECORDS_ERRORS_MAX + 3 : 0);
        }
}

static void test_free_nothing(void **state)
{
        (void) state;
        assert_null(records_free(NULL));
}

#define with_records(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                with_records(test_arming),
                with_records(test_two_packets_wake_once),
                with_records(test_no_packet_wakes_not),
                with_records(test_wake),
                with_records(test_counters),
                with_records(test_packets),
                with_records(test_sessions),
                with_records(test_evicted_sessions),
                with_records(test_selecting),
                with_records(test_errors),
                cmocka_unit_test(test_free_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
