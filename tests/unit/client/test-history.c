/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Rates and changes from one refresh to the next. */

#include <errno.h>
#include <math.h>
#include <string.h>

#include "client/history.h"
#include "samples.h"
#include "unit.h"

#define SECOND UINT64_C(1000000)

/* An instance with these two counters. */
static struct snapshot counted(uint64_t pid, uint64_t uptime_usec, uint64_t replies, uint64_t malformed)
{
        struct snapshot snapshot = sample_snapshot("tun0");

        snapshot.status.pid = pid;
        snapshot.status.uptime_usec = uptime_usec;
        snapshot.status.counters = (struct counters) { 0 };
        snapshot.status.counters.verdicts[VERDICT_REPLY] = replies;
        snapshot.status.counters.verdicts[VERDICT_MALFORMED] = malformed;
        snapshot.status.packets = replies + malformed;
        snapshot.status.replies = replies;
        snapshot.status.dropped = malformed;
        return snapshot;
}

static void refresh(struct history *history, struct snapshot snapshot)
{
        history_add(history, &snapshot);
}

static void assert_counter(const struct history *history, enum counter counter, uint64_t change,
                           double per_second)
{
        assert_int_equal(history->change[counter], change);
        assert_true(isnan(per_second) ? isnan(history->per_second[counter])
                                      : history->per_second[counter] == per_second);
}

static void test_counters(void **state)
{
        struct snapshot snapshot = sample_snapshot("tun0");

        (void) state;

        snapshot.status.counters.unsent = 17;
        assert_int_equal(counter_get(&snapshot.status, COUNTER_PACKETS), snapshot.status.packets);
        assert_int_equal(counter_get(&snapshot.status, COUNTER_REPLIES), snapshot.status.replies);
        assert_int_equal(counter_get(&snapshot.status, COUNTER_DROPPED), snapshot.status.dropped);
        assert_int_equal(counter_get(&snapshot.status, COUNTER_UNSENT), 17);
        assert_string_equal(counter_name(COUNTER_UNSENT), "unsent");
        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                assert_int_equal(counter_get(&snapshot.status, COUNTER_VERDICTS + (unsigned) v),
                                 snapshot.status.counters.verdicts[v]);
                assert_string_equal(counter_name(COUNTER_VERDICTS + (unsigned) v), verdict_name(v));
        }
}

/* The time is the instance's own, two seconds here. */
static void test_rates(void **state)
{
        struct history history = { 0 };

        (void) state;

        refresh(&history, counted(1, 10 * SECOND, 1000, 10));
        assert_true(history.answered);
        assert_counter(&history, COUNTER_PACKETS, 0, NAN);
        assert_int_equal(history.n_packets, 0);

        refresh(&history, counted(1, 12 * SECOND, 1100, 13));
        assert_counter(&history, COUNTER_PACKETS, 103, 51.5);
        assert_counter(&history, COUNTER_REPLIES, 100, 50);
        assert_counter(&history, COUNTER_DROPPED, 3, 1.5);
        assert_counter(&history, COUNTER_VERDICTS + (unsigned) VERDICT_MALFORMED, 3, 1.5);
        assert_counter(&history, COUNTER_VERDICTS + (unsigned) VERDICT_NOT_ECHO, 0, 0);

        refresh(&history, counted(1, 13 * SECOND, 1100, 13));
        assert_counter(&history, COUNTER_PACKETS, 103, 0);
        assert_int_equal(history.n_packets, 2);
        assert_true(history.packets[0] == 51.5 && history.packets[1] == 0);
        assert_int_equal(history.restarts, 0);
}

/* The counters begin at 0 again: of another process, or of one whose uptime or packets decrease. */
static void test_restart(void **state)
{
        struct history history = { 0 };

        (void) state;

        refresh(&history, counted(1, 10 * SECOND, 1000, 10));
        refresh(&history, counted(1, 11 * SECOND, 1100, 10));
        refresh(&history, counted(2, 20 * SECOND, 5000, 0));
        assert_int_equal(history.restarts, 1);
        assert_counter(&history, COUNTER_PACKETS, 5100, 250);
        assert_counter(&history, COUNTER_DROPPED, 0, 0);

        refresh(&history, counted(2, 1 * SECOND, 7000, 1));
        assert_int_equal(history.restarts, 2);
        assert_counter(&history, COUNTER_REPLIES, 12100, 7000);
        assert_counter(&history, COUNTER_DROPPED, 1, 1);

        refresh(&history, counted(2, 2 * SECOND, 10, 1));
        assert_int_equal(history.restarts, 3);
        assert_counter(&history, COUNTER_REPLIES, 12110, 5);
}

/* While an instance does not answer there are no rates; what it counts meanwhile is added later. */
static void test_silence(void **state)
{
        struct history history = { 0 };

        (void) state;

        refresh(&history, sample_silence("tun0", -ENOENT));
        assert_false(history.answered);
        refresh(&history, counted(1, 1 * SECOND, 100, 0));
        assert_counter(&history, COUNTER_PACKETS, 0, NAN);

        refresh(&history, sample_silence("tun0", -ETIMEDOUT));
        assert_true(history.answered);
        assert_int_equal(history.now.error, -ETIMEDOUT);
        assert_int_equal(history.last.packets, 100);
        assert_counter(&history, COUNTER_PACKETS, 0, NAN);

        refresh(&history, counted(1, 5 * SECOND, 140, 0));
        assert_counter(&history, COUNTER_PACKETS, 40, 10);
        assert_int_equal(history.n_packets, 3);
        assert_true(isnan(history.packets[0]) && isnan(history.packets[1]) && history.packets[2] == 10);
}

static void test_no_time_has_passed(void **state)
{
        struct history history = { 0 };

        (void) state;

        refresh(&history, counted(1, SECOND, 100, 0));
        refresh(&history, counted(1, SECOND, 101, 0));
        assert_counter(&history, COUNTER_PACKETS, 1, NAN);
}

/* The oldest are removed. */
static void test_full(void **state)
{
        struct history history = { 0 };

        (void) state;

        for (uint64_t i = 0; i <= HISTORY_MAX + 10; i++)
                refresh(&history, counted(1, i * SECOND, i * i, 0));

        assert_int_equal(history.n_packets, HISTORY_MAX);
        for (size_t i = 0; i < HISTORY_MAX; i++)
                assert_true(history.packets[i] == (double) (2 * (i + 10) + 1));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_counters),
                cmocka_unit_test(test_rates),
                cmocka_unit_test(test_restart),
                cmocka_unit_test(test_silence),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_no_time_has_passed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
