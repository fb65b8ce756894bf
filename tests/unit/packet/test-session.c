/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The table of ping sessions: which requests belong together, and what is reported when. */

#include "packet/session.h"

#include <stdlib.h>
#include <string.h>

#include "packet/reflect.h"
#include "unit.h"

#define SECOND UINT64_C(1000000)
#define MINUTE (60 * SECOND)

static struct packet_info request(uint8_t source, uint16_t identifier, uint16_t sequence)
{
        return (struct packet_info) {
                .source = { AF_INET, .bytes = { 198, 18, 0, source } },
                .destination = { AF_INET, .bytes = { 198, 18, 1, 2 } },
                .hop_limit = 64,
                .has_icmp = true,
                .is_echo = true,
                .identifier = identifier,
                .sequence = sequence,
        };
}

static void add(struct session_table *table, uint64_t now, uint8_t source, uint16_t sequence)
{
        struct packet_info packet = request(source, 7, sequence);

        session_table_add(table, now, &packet, 84);
}

/* The only report that is due. */
static struct session_report collect(struct session_table *table, uint64_t now)
{
        struct session_report reports[4] = { 0 };

        assert_int_equal(session_table_collect(table, now, reports, ARRAY_SIZE(reports)), 1);
        return reports[0];
}

static void assert_nothing(struct session_table *table, uint64_t now)
{
        struct session_report report;

        assert_int_equal(session_table_collect(table, now, &report, 1), 0);
}

static struct session_table *new_table(void)
{
        struct session_table *table = session_table_new(4711);

        assert_non_null(table);
        assert_true(session_table_next(table) == UINT64_MAX);
        return table;
}

/* Requests that are dropped keep no session open, and are reported with the one they follow. */
static void test_dropped(void **state)
{
        struct session_table *table = new_table();
        struct packet_info packet = request(1, 7, 2);
        struct session_report report;

        (void) state;

        session_table_drop(table, &packet, VERDICT_BAD_ICMP_CHECKSUM);
        assert_int_equal(session_table_count(table), 0);
        add(table, SECOND, 1, 1);
        assert_int_equal(collect(table, SECOND).session.dropped, 0);

        session_table_drop(table, &packet, VERDICT_BAD_ICMP_CHECKSUM);
        add(table, 3 * SECOND, 1, 3);
        for (unsigned i = 0; i < 4; i++)
                session_table_drop(table, &packet, i < 3 ? VERDICT_BAD_ICMP_CHECKSUM : VERDICT_NOT_OURS);
        packet = request(1, 8, 2);
        session_table_drop(table, &packet, VERDICT_BAD_SOURCE);

        report = collect(table, 13 * SECOND);
        assert_int_equal(report.event, SESSION_IDLE);
        assert_int_equal(report.session.requests, 2);
        assert_int_equal(report.session.dropped, 4);
        assert_int_equal(report.session.dropped_as, VERDICT_NOT_OURS);

        add(table, 14 * SECOND, 1, 9);
        assert_int_equal(collect(table, 14 * SECOND).session.dropped, 0);
        session_table_free(table);
}

/* A ping that ends has a report when it opens, and one ten seconds after its last request. */
static void test_life(void **state)
{
        struct session_table *table = new_table();
        struct session_report report;

        (void) state;

        for (uint16_t i = 1; i <= 3; i++)
                add(table, i * SECOND, 1, i);
        assert_int_equal(session_table_count(table), 1);
        assert_true(session_table_next(table) == 0);

        assert_int_equal(collect(table, 3 * SECOND).event, SESSION_OPENED);
        assert_true(session_table_next(table) == 13 * SECOND);
        assert_nothing(table, 13 * SECOND - 1);

        report = collect(table, 13 * SECOND);
        assert_int_equal(report.event, SESSION_IDLE);
        assert_int_equal(report.session.requests, 3);
        assert_int_equal(report.session.bytes, 3 * 84);
        assert_true(report.session.opened == SECOND && report.session.latest == 3 * SECOND);
        assert_int_equal(report.session.numbers.first, 1);
        assert_int_equal(report.session.numbers.last, 3);
        assert_int_equal(report.session.numbers.unknown, SESSION_KNOWN);
        assert_int_equal(report.session.numbers.missing, 0);

        assert_int_equal(session_table_count(table), 0);
        assert_true(session_table_next(table) == UINT64_MAX);
        assert_nothing(table, 100 * MINUTE);
        session_table_finish(table);
        assert_nothing(table, 100 * MINUTE);
        session_table_free(table);
}

/* One that goes on after a pause says how many numbers lie in it, and does not report a request twice. */
static void test_resume(void **state)
{
        struct session_table *table = new_table();
        struct session_report report;

        (void) state;

        for (uint16_t i = 1; i <= 5; i++)
                add(table, i * SECOND, 1, i);
        assert_int_equal(collect(table, 5 * SECOND).event, SESSION_OPENED);
        assert_int_equal(collect(table, 15 * SECOND).event, SESSION_IDLE);

        for (uint16_t i = 46; i <= 50; i++)
                if (i != 48)
                        add(table, i * SECOND, 1, i);
        assert_int_equal(session_table_count(table), 1);
        report = collect(table, 50 * SECOND);
        assert_int_equal(report.event, SESSION_RESUMED);
        assert_int_equal(report.between, 40);
        assert_true(report.quiet_usec == 41 * SECOND);

        report = collect(table, 60 * SECOND);
        assert_int_equal(report.event, SESSION_IDLE);
        assert_int_equal(report.session.requests, 4);
        assert_int_equal(report.session.numbers.first, 46);
        assert_int_equal(report.session.numbers.missing, 1);

        /* The same identifier, much later or from the beginning, is another ping. */
        add(table, 70 * SECOND, 1, 1);
        report = collect(table, 70 * SECOND);
        assert_int_equal(report.event, SESSION_OPENED);
        assert_int_equal(collect(table, 80 * SECOND).event, SESSION_IDLE);
        add(table, 80 * SECOND + SESSION_RESUME_USEC, 1, 2);
        assert_int_equal(collect(table, 80 * SECOND + SESSION_RESUME_USEC).event, SESSION_OPENED);
        session_table_free(table);
}

/* The pause shows even if nothing collects reports meanwhile. */
static void test_resume_before_report(void **state)
{
        struct session_table *table = new_table();
        struct session_report reports[4];

        (void) state;

        add(table, SECOND, 1, 1);
        add(table, 2 * SECOND, 1, 2);
        add(table, 32 * SECOND, 1, 32);
        assert_int_equal(session_table_collect(table, 32 * SECOND, reports, ARRAY_SIZE(reports)), 2);
        assert_int_equal(reports[0].event, SESSION_IDLE);
        assert_int_equal(reports[0].session.requests, 2);
        assert_int_equal(reports[1].event, SESSION_RESUMED);
        assert_int_equal(reports[1].between, 29);
        session_table_free(table);
}

/* A client whose requests are 15 s apart: after the second one it is a session like any other. */
static void test_slow_client(void **state)
{
        struct session_table *table = new_table();
        struct session_report report;

        (void) state;

        add(table, 0, 1, 7);
        assert_int_equal(collect(table, 0).event, SESSION_OPENED);
        assert_int_equal(collect(table, 10 * SECOND).event, SESSION_IDLE);
        for (uint16_t i = 1; i <= 20; i++) {
                add(table, i * 15 * SECOND, 1, (uint16_t) (7 + i));
                assert_nothing(table, i * 15 * SECOND + 14 * SECOND);
        }
        assert_true(session_table_next(table) == 345 * SECOND);
        report = collect(table, 345 * SECOND);
        assert_int_equal(report.event, SESSION_IDLE);
        assert_int_equal(report.session.requests, 20);
        assert_int_equal(report.session.numbers.missing, 0);
        session_table_free(table);
}

/* A long one is reported every ten minutes, with all that it counted. */
static void test_interim(void **state)
{
        struct session_table *table = new_table();
        unsigned interim = 0;

        (void) state;

        for (uint16_t i = 0; i < 1900; i++) {
                struct session_report report;

                add(table, i * SECOND, 1, i);
                if (session_table_collect(table, i * SECOND, &report, 1) == 0)
                        continue;
                assert_int_equal(report.event, i == 0 ? SESSION_OPENED : SESSION_INTERIM);
                if (i > 0)
                        assert_int_equal(report.session.requests, ++interim * 600 + 1);
        }
        assert_int_equal(interim, 3);
        session_table_finish(table);
        assert_true(session_table_next(table) == 0);
        assert_int_equal(collect(table, 0).event, SESSION_STOPPED);
        assert_true(session_table_next(table) == UINT64_MAX);
        session_table_free(table);
}

static void test_ranges(void **state)
{
        struct session_table *table = new_table();
        struct session_report report;

        (void) state;

        for (uint16_t i = 0; i < 3; i++) {
                struct packet_info packet = request(1, 7, i);

                packet.hop_limit = (uint8_t) (60 + i);
                session_table_add(table, i * SECOND, &packet, 100U + i);
        }
        /* A clock that goes back stands still. */
        add(table, SECOND, 1, 3);
        assert_int_equal(session_table_copy(table, &report, 1), 1);
        assert_int_equal(report.event, SESSION_OPENED);
        assert_int_equal(report.session.size_min, 84);
        assert_int_equal(report.session.size_max, 102);
        assert_int_equal(report.session.hop_limit_min, 60);
        assert_int_equal(report.session.hop_limit_max, 64);
        assert_true(report.session.latest == 2 * SECOND);
        session_table_free(table);
}

/* Source, destination, family and identifier identify a session; nothing else does. */
static void test_keys(void **state)
{
        struct session_table *table = new_table();
        struct packet_info packets[] = { request(1, 7, 1), request(1, 7, 2), request(2, 7, 1),
                                         request(1, 8, 1), request(1, 7, 1), request(1, 7, 1),
                                         request(1, 7, 1) };
        struct session_report reports[8];

        (void) state;

        packets[4].destination.bytes[3] = 3;
        packets[5].source.family = packets[5].destination.family = AF_INET6;
        packets[6].source.family = packets[6].destination.family = AF_INET6;
        packets[6].source.bytes[15] = 1;
        for (size_t i = 0; i < ARRAY_SIZE(packets); i++)
                session_table_add(table, 0, &packets[i], 84);
        assert_int_equal(session_table_count(table), 6);
        assert_int_equal(session_table_copy(table, reports, ARRAY_SIZE(reports)), 6);
        assert_true(address_equal(&reports[0].session.source, &packets[6].source));
        assert_int_equal(reports[5].session.requests, 2);
        session_table_free(table);
}

/* A later fragment belongs to the session of its first one, if that is known, else to one of its ends. */
static void test_fragments(void **state)
{
        struct session_table *table = new_table();
        struct packet_info first[] = { request(1, 7, 1), request(1, 8, 1), request(2, 7, 1) };
        struct packet_info later = { .source = first[0].source,
                                     .destination = first[0].destination,
                                     .is_fragment = true,
                                     .fragment_offset = 1480 };
        struct session_report reports[4];

        (void) state;

        session_table_add(table, 0, &later, 1500); /* of no session at all */
        assert_int_equal(session_table_count(table), 0);

        for (size_t i = 0; i < ARRAY_SIZE(first); i++) {
                first[i].is_fragment = true;
                first[i].fragment_id = (uint32_t) (100 + i);
                session_table_add(table, i, &first[i], 1500);
        }
        later.fragment_id = 100;
        session_table_add(table, 4, &later, 1500);
        session_table_add(table, 4, &later, 60);
        later.fragment_id = 101;
        session_table_add(table, 5, &later, 1500);
        later.source.bytes[3] = 9;
        session_table_add(table, 5, &later, 1500);

        assert_int_equal(session_table_copy(table, reports, ARRAY_SIZE(reports)), 3);
        assert_int_equal(reports[0].session.later_fragments, 0);
        assert_int_equal(reports[1].session.later_fragments, 1);
        assert_int_equal(reports[2].session.later_fragments, 2);
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(reports[i].session.requests, 1);
                assert_int_equal(reports[i].session.fragmented, 1);
                assert_int_equal(reports[i].session.bytes, 1500);
        }
        session_table_free(table);
}

static void test_refusals(void **state)
{
        struct session_table *table = new_table();
        struct packet_info packet = request(1, 7, 1);
        struct session_refusal refusal = { .from = { AF_INET, .bytes = { 192, 0, 2, 1 } },
                                           .type = 3,
                                           .code = 1 };
        struct session_report report;

        (void) state;

        assert_false(session_table_refuse(table, &packet.source, &packet.destination, 7, &refusal));
        session_table_add(table, 0, &packet, 84);
        assert_false(session_table_refuse(table, &packet.source, &packet.destination, 8, &refusal));
        assert_false(session_table_refuse(table, &packet.destination, &packet.source, 7, &refusal));
        assert_true(session_table_refuse(table, &packet.source, &packet.destination, 7, &refusal));
        refusal.code = 4;
        refusal.mtu = 1280;
        assert_true(session_table_refuse(table, &packet.source, &packet.destination, 7, &refusal));

        assert_int_equal(session_table_copy(table, &report, 1), 1);
        assert_int_equal(report.session.refused, 2);
        assert_int_equal(report.session.refusal.code, 4);
        assert_int_equal(report.session.refusal.mtu, 1280);
        assert_true(address_equal(&report.session.refusal.from, &refusal.from));
        session_table_free(table);
}

/* A ping that repeats the numbers of one that is open, and ones that go on beside each other. */
static void test_same_key(void **state)
{
        struct session_table *table = new_table();
        struct session_report reports[4];

        (void) state;

        for (uint16_t i = 1; i <= 100; i++)
                add(table, i * SECOND, 1, i);
        for (uint16_t i = 1; i <= 9; i++)
                add(table, 105 * SECOND + i * SECOND, 1, i);

        assert_int_equal(session_table_copy(table, reports, ARRAY_SIZE(reports)), 2);
        assert_int_equal(reports[0].session.requests, 9);
        assert_int_equal(reports[0].session.bytes, 9 * 84);
        assert_int_equal(reports[0].session.numbers.last, 9);
        assert_true(reports[0].session.opened == 106 * SECOND);
        assert_int_equal(reports[1].session.requests, 100);
        assert_int_equal(reports[1].session.bytes, 100 * 84);
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(reports[i].session.numbers.unknown, SESSION_KNOWN);
                assert_int_equal(reports[i].session.numbers.missing, 0);
                assert_int_equal(reports[i].session.numbers.duplicates, 0);
        }

        /* Which request is whose is a guess then. */
        for (uint16_t i = 0; i < 9; i++) {
                add(table, 115 * SECOND + i * SECOND, 1, (uint16_t) (10 + i));
                add(table, 115 * SECOND + i * SECOND + 1, 1, (uint16_t) (101 + i));
        }
        assert_int_equal(session_table_copy(table, reports, ARRAY_SIZE(reports)), 2);
        session_table_free(table);
}

/* Past the limit, the session that was quiet for longest goes; there are so many reports, and then sums. */
static void test_full(void **state)
{
        struct session_table *table = new_table();
        struct session_report reports[SESSION_REPORTS_MAX + 1];
        struct session_totals totals;
        struct session_sum sum;
        unsigned others = 100000, busy = 0;

        (void) state;

        for (unsigned i = 0; i < others; i++) {
                struct packet_info packet = request(2, (uint16_t) i, 1);

                packet.source.bytes[2] = (uint8_t) (i >> 16);
                session_table_add(table, i, &packet, 84);
                if (i % 100 == 0)
                        add(table, i, 1, (uint16_t) ++busy);
                assert_true(session_table_count(table) <= SESSIONS_MAX);
        }

        assert_true(session_table_next(table) == 0);
        assert_int_equal(session_table_collect(table, others, reports, SESSION_REPORTS_MAX),
                         SESSION_REPORTS_MAX);
        for (size_t i = 0; i < SESSION_REPORTS_MAX; i++) {
                assert_int_equal(reports[i].event, SESSION_EVICTED);
                assert_int_equal(reports[i].session.identifier, i);
        }
        session_table_collect_sum(table, &sum);
        assert_int_equal(sum.sessions, others + 1 - SESSION_REPORTS_MAX - SESSIONS_MAX);
        assert_int_equal(sum.requests, sum.sessions);
        session_table_collect_sum(table, &sum);
        assert_int_equal(sum.sessions, 0);

        session_table_totals(table, &totals);
        assert_int_equal(totals.opened, others + 1);
        assert_int_equal(totals.evicted, others + 1 - SESSIONS_MAX);
        assert_int_equal(session_table_count(table), SESSIONS_MAX);
        for (unsigned i = 0; i < SESSIONS_MAX; i++) {
                assert_int_equal(session_table_collect(table, others, reports, 1), 1);
                assert_int_equal(reports[0].event, SESSION_OPENED);
                if (reports[0].session.source.bytes[3] == 1)
                        assert_int_equal(reports[0].session.requests, busy);
        }
        assert_nothing(table, others);
        session_table_free(table);
}

#define KEYS (5 * 16 * 8)

static unsigned key_of(const struct address *source, const struct address *destination, uint16_t identifier)
{
        return source->bytes[3] * 128U + identifier * 8U + destination->bytes[3];
}

/* Final reports are those that no other one follows; each request is in one of them. */
static void count_reports(struct session_table *table, uint64_t now, uint64_t *requests)
{
        struct session_report reports[16];
        size_t n;

        do {
                n = session_table_collect(table, now, reports, ARRAY_SIZE(reports));
                for (size_t i = 0; i < n; i++) {
                        const struct session *session = &reports[i].session;

                        assert_true(session->numbers.duplicates + session->numbers.reordered <=
                                    session->requests);
                        if (reports[i].event == SESSION_IDLE || reports[i].event == SESSION_EVICTED ||
                            reports[i].event == SESSION_STOPPED)
                                requests[key_of(&session->source, &session->destination,
                                                session->identifier)] += session->requests;
                }
        } while (n == ARRAY_SIZE(reports));
}

/* Random requests of both families and of more pings than the table has entries for; the clock stands still,
 * goes on, jumps, and goes back. */
static void test_table(void **state)
{
        static uint64_t added[KEYS], reported[KEYS];
        struct session_table *table = new_table();
        uint64_t random = 3, now = 100 * SECOND;

        (void) state;

        for (unsigned i = 0; i < 200000; i++) {
                uint32_t word = random_word(&random), when = random_word(&random) % 1024;
                struct packet_info packet =
                        request((uint8_t) (word % 5), word >> 8 & 15, (uint16_t) (i / 300));

                /* One of eight has any number, and one of eight is a little behind. */
                if ((word >> 24 & 7) == 0)
                        packet.sequence = (uint16_t) random_word(&random);
                else if ((word >> 24 & 7) == 1)
                        packet.sequence = (uint16_t) (packet.sequence - random_word(&random) % 20);
                packet.destination.bytes[3] = (uint8_t) (word >> 16 & 7);
                if (packet.identifier % 2)
                        packet.source.family = packet.destination.family = AF_INET6;
                if (when == 0)
                        now += (9 + word % 5) * SECOND;
                else if (when < 300)
                        now += when * 10;
                else if (when < 400)
                        now -= when;

                added[key_of(&packet.source, &packet.destination, packet.identifier)]++;
                session_table_add(table, now, &packet, 84);
                assert_true(session_table_count(table) <= SESSIONS_MAX);
                if (i % 16 == 0)
                        count_reports(table, now, reported);
        }

        session_table_finish(table);
        count_reports(table, now, reported);
        for (unsigned i = 0; i < KEYS; i++) {
                assert_true(added[i] > 0);
                assert_int_equal(added[i], reported[i]);
        }
        assert_int_equal(session_table_count(table), 0);
        session_table_free(table);
}

static void test_names(void **state)
{
        (void) state;

        for (enum session_event event = 0; event < _SESSION_EVENT_MAX; event++)
                assert_non_null(session_event_name(event));
        for (enum session_unknown unknown = 0; unknown < _SESSION_UNKNOWN_MAX; unknown++)
                assert_non_null(session_unknown_name(unknown));
        assert_string_equal(session_event_name(SESSION_IDLE), "idle");
        assert_string_equal(session_unknown_name(SESSION_NO_COUNT), "no-count");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dropped),
                cmocka_unit_test(test_life),
                cmocka_unit_test(test_resume),
                cmocka_unit_test(test_resume_before_report),
                cmocka_unit_test(test_slow_client),
                cmocka_unit_test(test_interim),
                cmocka_unit_test(test_ranges),
                cmocka_unit_test(test_keys),
                cmocka_unit_test(test_fragments),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_same_key),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
