/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Ping sessions against a slow model, which remembers every sequence number there was. */

#include "packet/session.h"

#include <stdlib.h>
#include <string.h>

#include "packet/reflect.h"
#include "unit.h"

#define SECOND UINT64_C(1000000)

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

static struct session_change add(struct sessions *sessions, uint64_t now, const struct packet_info *packet)
{
        struct session_change change;

        sessions_add(sessions, now, packet, 84, &change);
        return change;
}

static struct session close_one(struct sessions *sessions)
{
        const struct session *session = sessions_close_oldest(sessions);

        assert_non_null(session);
        return *session;
}

/* A stream with loss, duplicates, reordering and wraps; what the numbers say, counted the slow way. */
static void check_stream(uint64_t *random, unsigned n, unsigned loss, unsigned twice, unsigned late)
{
        struct sessions *sessions = sessions_new(*random);
        bool *seen = calloc(n, sizeof(*seen));
        uint64_t requests = 0, duplicates = 0, reordered = 0, distinct = 0;
        uint16_t first = (uint16_t) random_word(random);
        int64_t lowest = -1, highest = -1;
        struct session session;

        assert_non_null(sessions);
        assert_non_null(seen);
        for (unsigned i = 0; i < n; i++) {
                unsigned copies = random_word(random) % 100 < twice ? 2 : 1;
                int64_t sequence = i;

                if (random_word(random) % 100 < loss)
                        continue;
                if (random_word(random) % 100 < late)
                        sequence -= random_word(random) % 40;
                if (sequence < 0)
                        continue;

                for (unsigned copy = 0; copy < copies; copy++) {
                        struct packet_info packet = request(1, 7, (uint16_t) (first + sequence));

                        assert_false(add(sessions, i, &packet).closed);
                        requests++;
                        if (seen[sequence])
                                duplicates++;
                        else if (sequence < highest)
                                reordered++;
                        distinct += !seen[sequence];
                        seen[sequence] = true;
                        if (lowest < 0 || sequence < lowest)
                                lowest = sequence;
                        if (sequence > highest)
                                highest = sequence;
                }
        }

        session = close_one(sessions);
        assert_int_equal(session.requests, requests);
        assert_int_equal(session.duplicates, duplicates);
        assert_int_equal(session.reordered, reordered);
        assert_int_equal(session_missing(&session), (uint64_t) (highest - lowest + 1) - distinct);
        assert_int_equal(session.bytes, 84 * requests);
        free(seen);
        sessions_free(sessions);
}

static void test_streams(void **state)
{
        uint64_t random = 1;

        (void) state;

        check_stream(&random, 100, 0, 0, 0);
        for (unsigned i = 0; i < 200; i++)
                check_stream(&random, 500, random_word(&random) % 30, random_word(&random) % 20,
                             random_word(&random) % 20);
        check_stream(&random, 200000, 10, 5, 5); /* the 16 bits wrap three times */
}

static void test_ranges(void **state)
{
        struct sessions *sessions = sessions_new(1);
        struct session_change change;
        struct packet_info packet;
        struct session session;

        (void) state;

        for (uint16_t i = 0; i < 3; i++) {
                packet = request(1, 7, i);
                packet.hop_limit = (uint8_t) (60 + i);
                packet.is_fragment = i == 1;
                sessions_add(sessions, i * SECOND, &packet, 100U + i, &change);
                assert_int_equal(change.opened != NULL, i == 0);
        }
        session = close_one(sessions);
        assert_int_equal(session.size_min, 100);
        assert_int_equal(session.size_max, 102);
        assert_int_equal(session.hop_limit_min, 60);
        assert_int_equal(session.hop_limit_max, 62);
        assert_int_equal(session.fragmented, 1);
        assert_int_equal(session.latest - session.opened, 2 * SECOND);
        sessions_free(sessions);
}

/* Source, destination and identifier tell sessions apart; nothing else does. */
static void test_keys(void **state)
{
        struct sessions *sessions = sessions_new(1);
        struct packet_info packets[] = { request(1, 7, 1), request(1, 7, 2), request(2, 7, 1),
                                         request(1, 8, 1), request(1, 7, 1) };

        (void) state;

        packets[4].destination.bytes[3] = 3;
        for (size_t i = 0; i < ARRAY_SIZE(packets); i++)
                assert_int_equal(add(sessions, 0, &packets[i]).opened != NULL, i != 1);
        assert_int_equal(sessions_count(sessions), 4);
        assert_int_equal(close_one(sessions).requests, 2);
        sessions_free(sessions);
}

static void test_idle(void **state)
{
        struct sessions *sessions = sessions_new(1);
        struct packet_info first = request(1, 1, 1), second = request(2, 1, 1);
        const struct session *session;

        (void) state;

        assert_true(sessions_idle_at(sessions) == UINT64_MAX);
        assert_null(sessions_close_idle(sessions, 100 * SECOND));
        (void) add(sessions, 1 * SECOND, &first);
        (void) add(sessions, 2 * SECOND, &second);
        (void) add(sessions, 5 * SECOND, &first);

        assert_true(sessions_idle_at(sessions) == 12 * SECOND);
        assert_null(sessions_close_idle(sessions, 12 * SECOND - 1));
        session = sessions_close_idle(sessions, 12 * SECOND);
        assert_non_null(session);
        assert_true(address_equal(&session->source, &second.source));
        assert_null(sessions_close_idle(sessions, 12 * SECOND));

        /* Time that goes back neither closes nor keeps open. */
        (void) add(sessions, 3 * SECOND, &first);
        assert_true(sessions_idle_at(sessions) == 15 * SECOND);
        session = sessions_close_idle(sessions, 15 * SECOND);
        assert_non_null(session);
        assert_int_equal(session->requests, 3);
        assert_int_equal(sessions_count(sessions), 0);
        sessions_free(sessions);
}

/* Past the limit, the session that was quiet for longest goes. */
static void test_full(void **state)
{
        struct sessions *sessions = sessions_new(1);
        struct packet_info busy = request(1, 0, 1);

        (void) state;

        (void) add(sessions, 0, &busy);
        for (unsigned i = 1; i < 100000; i++) {
                struct packet_info packet = request(2, (uint16_t) i, 1);
                struct session_change change;

                packet.source.bytes[2] = (uint8_t) (i >> 16);
                change = add(sessions, i, &packet);
                assert_int_equal(change.closed != NULL, i >= SESSIONS_MAX);
                if (change.closed)
                        assert_int_not_equal(change.closed->source.bytes[3], 1);
                if (i % 100 == 0) {
                        busy.sequence++;
                        assert_null(add(sessions, i, &busy).opened);
                }
                assert_int_equal(sessions_count(sessions), i < SESSIONS_MAX ? i + 1 : SESSIONS_MAX);
        }
        for (unsigned i = 0; i < SESSIONS_MAX; i++)
                (void) close_one(sessions);
        assert_int_equal(sessions_count(sessions), 0);
        sessions_free(sessions);
}

/* Sequence numbers far back belong to a ping that was started again with the same identifier. */
static void test_another_ping(void **state)
{
        struct sessions *sessions = sessions_new(1);
        struct session_change change;
        struct packet_info packet;

        (void) state;

        for (uint16_t i = 1; i <= 2000; i++) {
                packet = request(1, 7, i);
                (void) add(sessions, i, &packet);
        }
        packet.sequence = 2000 - SESSION_WINDOW + 1;
        assert_null(add(sessions, 3000, &packet).closed);
        packet.sequence = 1;
        change = add(sessions, 3001, &packet);
        assert_non_null(change.closed);
        assert_non_null(change.opened);
        assert_int_equal(change.closed->requests, 2001);
        assert_int_equal(change.closed->duplicates, 1);
        assert_int_equal(session_missing(change.closed), 0);
        assert_int_equal(close_one(sessions).requests, 1);
        sessions_free(sessions);
}

/* Those who share source and identifier with a session to another destination, at any time of its life. */
static void test_shared(void **state)
{
        struct sessions *sessions = sessions_new(1);
        struct packet_info packets[] = { request(1, 7, 1), request(1, 8, 1), request(2, 7, 1),
                                         request(1, 7, 2) };
        bool shared[] = { true, false, false, true };

        (void) state;

        packets[3].destination.bytes[3] = 3;
        for (size_t i = 0; i < ARRAY_SIZE(packets); i++)
                (void) add(sessions, 0, &packets[i]);
        for (size_t i = 0; i < ARRAY_SIZE(packets); i++)
                assert_int_equal(close_one(sessions).shared, shared[i]);

        /* One that follows another does not share with it. */
        (void) add(sessions, 0, &packets[0]);
        assert_false(close_one(sessions).shared);
        (void) add(sessions, 0, &packets[3]);
        assert_false(close_one(sessions).shared);
        sessions_free(sessions);
}

/* The same as a table, the slow way: the sessions in the order of their latest request. */
struct slow_session {
        struct packet_info packet; /* the latest request */
        uint64_t opened, latest, requests;
        bool shared;
};

static struct {
        struct slow_session sessions[SESSIONS_MAX];
        unsigned count;
} slow;

static struct slow_session slow_take(unsigned i)
{
        struct slow_session taken = slow.sessions[i];

        slow.count--;
        memmove(&slow.sessions[i], &slow.sessions[i + 1], (slow.count - i) * sizeof(taken));
        return taken;
}

static bool same_sender(const struct packet_info *a, const struct packet_info *b)
{
        return a->identifier == b->identifier && address_equal(&a->source, &b->source);
}

static struct slow_session slow_find(uint64_t now, const struct packet_info *packet)
{
        struct slow_session new = { .packet = *packet, .opened = now, .latest = now };

        for (unsigned i = 0; i < slow.count; i++)
                if (same_sender(&slow.sessions[i].packet, packet) &&
                    address_equal(&slow.sessions[i].packet.destination, &packet->destination))
                        return slow_take(i);

        return new;
}

/* Returns whether a session had to go. */
static bool slow_add(uint64_t now, const struct packet_info *packet, struct slow_session *ret_gone)
{
        struct slow_session session = slow_find(now, packet);
        bool full = slow.count == SESSIONS_MAX;

        if (full)
                *ret_gone = slow_take(0);
        for (unsigned i = 0; i < slow.count && session.requests == 0; i++)
                if (same_sender(&slow.sessions[i].packet, packet))
                        slow.sessions[i].shared = session.shared = true;

        session.requests++;
        session.packet = *packet;
        if (now > session.latest)
                session.latest = now;
        slow.sessions[slow.count++] = session;
        return full;
}

static void assert_same(const struct session *session, const struct slow_session *expected)
{
        assert_true(address_equal(&session->source, &expected->packet.source));
        assert_true(address_equal(&session->destination, &expected->packet.destination));
        assert_int_equal(session->identifier, expected->packet.identifier);
        assert_int_equal(session->opened, expected->opened);
        assert_int_equal(session->latest, expected->latest);
        assert_int_equal(session->requests, expected->requests);
        assert_int_equal(session->shared, expected->shared);
        assert_int_equal(session->duplicates + 1, expected->requests);
        assert_int_equal(session_missing(session), 0);
}

/* Random requests of both families and of more pings than the table has room for; the clock stands still,
 * goes on, jumps, and goes back. */
static void test_table(void **state)
{
        struct sessions *sessions = sessions_new(7);
        uint64_t random = 3, now = 100 * SECOND;
        unsigned evicted = 0, idle = 0, shared = 0;

        (void) state;

        slow.count = 0;
        for (unsigned i = 0; i < 50000; i++) {
                uint32_t word = random_word(&random), when = random_word(&random) % 1024;
                struct packet_info packet = request((uint8_t) (word % 5), word >> 8 & 15, 1);
                struct session_change change;
                struct slow_session gone;
                const struct session *session;

                packet.destination.bytes[3] = (uint8_t) (word >> 16 & 7);
                if (word >> 31 & 1)
                        packet.source.family = packet.destination.family = AF_INET6;
                if (when == 0)
                        now += 11 * SECOND;
                else if (when < 300)
                        now += when * 10;
                else if (when < 400)
                        now -= when;

                while (slow.count > 0 && now >= slow.sessions[0].latest + SESSION_TIMEOUT_USEC) {
                        session = sessions_close_idle(sessions, now);
                        gone = slow_take(0);
                        assert_non_null(session);
                        assert_same(session, &gone);
                        idle++;
                }
                assert_null(sessions_close_idle(sessions, now));

                change = add(sessions, now, &packet);
                assert_int_equal(change.closed != NULL, slow_add(now, &packet, &gone));
                if (change.closed) {
                        assert_same(change.closed, &gone);
                        shared += gone.shared;
                        evicted++;
                }
                assert_int_equal(sessions_count(sessions), slow.count);
        }

        /* The test itself did what it is to. */
        assert_in_range(evicted, 1000, 49000);
        assert_in_range(idle, 1000, 49000);
        assert_in_range(shared, 100, evicted);
        while (slow.count > 0) {
                struct slow_session gone = slow_take(0);
                struct session session = close_one(sessions);

                assert_same(&session, &gone);
        }
        sessions_free(sessions);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_streams),
                cmocka_unit_test(test_ranges),
                cmocka_unit_test(test_keys),
                cmocka_unit_test(test_idle),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_another_ping),
                cmocka_unit_test(test_shared),
                cmocka_unit_test(test_table),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
