/* SPDX-License-Identifier: GPL-2.0-or-later */

/* However the events come, no interval has more than the burst, wherever it begins. */

#include "daemon/ratelimit.h"

#include "unit.h"

static void test_burst(void **state)
{
        struct ratelimit limit = { .interval = 1000, .burst = 3 };

        (void) state;

        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(ratelimit_next(&limit), 0);
                assert_true(ratelimit_check(&limit, 50));
        }
        assert_false(ratelimit_check(&limit, 50));
        assert_int_equal(ratelimit_next(&limit), 1050);
        assert_false(ratelimit_check(&limit, 1049));

        /* What was refused does not count. */
        for (unsigned i = 0; i < 3; i++)
                assert_true(ratelimit_check(&limit, 1050));
        assert_false(ratelimit_check(&limit, 1051));
}

static void test_window_moves(void **state)
{
        struct ratelimit limit = { .interval = 1000, .burst = 2 };

        (void) state;

        assert_true(ratelimit_check(&limit, 0));
        assert_true(ratelimit_check(&limit, 600));
        assert_int_equal(ratelimit_next(&limit), 1000);
        assert_true(ratelimit_check(&limit, 1000));
        assert_int_equal(ratelimit_next(&limit), 1600);
        assert_false(ratelimit_check(&limit, 1500));
        assert_true(ratelimit_check(&limit, 1600));
        assert_int_equal(ratelimit_next(&limit), 2000);

        /* A long pause allows one burst, not more. */
        assert_true(ratelimit_check(&limit, 1000000));
        assert_true(ratelimit_check(&limit, 1000000));
        assert_false(ratelimit_check(&limit, 1000000));
}

static void test_one(void **state)
{
        struct ratelimit limit = { .interval = 60000000, .burst = 1 };

        (void) state;

        assert_true(ratelimit_check(&limit, 7));
        assert_int_equal(ratelimit_next(&limit), 60000007);
        assert_false(ratelimit_check(&limit, 60000006));
        assert_true(ratelimit_check(&limit, 60000007));
}

/* Against every event that was allowed: random times, and the largest burst. */
static void test_random(void **state)
{
        static uint64_t allowed[100000];

        (void) state;

        for (unsigned burst = 1; burst <= RATELIMIT_BURST_MAX; burst += 33) {
                struct ratelimit limit = { .interval = 5000, .burst = burst };
                uint64_t random = burst, now = 0;
                size_t n = 0;

                for (unsigned i = 0; i < ARRAY_SIZE(allowed); i++) {
                        bool expected;

                        now += random_word(&random) % 200;
                        expected = n < burst || now - allowed[n - burst] >= limit.interval;
                        assert_int_equal(ratelimit_next(&limit) <= now, expected);
                        assert_int_equal(ratelimit_check(&limit, now), expected);
                        if (expected)
                                allowed[n++] = now;
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_burst),
                cmocka_unit_test(test_window_moves),
                cmocka_unit_test(test_one),
                cmocka_unit_test(test_random),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
