/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The checksum against RFC 1071 computed byte by byte, and the update against a full recomputation.
 *
 * The module is included, not linked: four thousand million updates for each sum need to be inlined.
 */

#include "packet/checksum.c"

#include <arpa/inet.h>
#include <stdlib.h>

#include "model.h"
#include "unit.h"

/* Words that cause carries and the two zeros of one's complement. */
static const uint16_t edges[] = { 0x0000, 0x0001, 0x00ff, 0x0100, 0x7fff, 0x8000, 0xff00, 0xfffe, 0xffff };

/* A checksum in the byte order of memory, as the module has it. */
static uint16_t slow_checksum(const void *data, size_t size)
{
        return htons((uint16_t) ~slow_sum(0, data, size));
}

static uint16_t checksum_of(const void *data, size_t size)
{
        return checksum_finish(checksum_add(0, data, size));
}

/* One's complement has two zeros: these are the same number. */
static bool is_same_number(uint16_t a, uint16_t b)
{
        return a % UINT16_MAX == b % UINT16_MAX;
}

static void test_finish_every_sum(void **state)
{
        (void) state;

        for (uint32_t sum = 0; sum <= UINT16_MAX; sum++) {
                assert_int_equal(checksum_finish(sum), (uint16_t) ~sum);

                /* The same sum with a carry in every place that there is. */
                for (unsigned shift = 16; shift < 64; shift += 16) {
                        uint32_t folded = sum + 1 > UINT16_MAX ? 1 : sum + 1;

                        assert_int_equal(checksum_finish(sum + (UINT64_C(1) << shift)), (uint16_t) ~folded);
                }
        }
}

static void test_finish_any_sum(void **state)
{
        static const uint64_t sums[] = {
                UINT16_MAX,
                UINT32_MAX,
                UINT64_MAX,
                UINT64_MAX - 1,
                UINT64_C(0xffffffff00000000),
                UINT64_C(0xffff0000ffff0000),
                UINT64_C(0x00000001ffffffff),
                UINT64_C(0xfffffffffffeffff),
                UINT64_C(0xffffffff0000ffff),
        };
        uint64_t random = 1;

        (void) state;

        for (size_t i = 0; i < 1000000; i++) {
                uint64_t sum = (uint64_t) random_word(&random) << 32 | random_word(&random);

                if (i < ARRAY_SIZE(sums))
                        sum = sums[i];
                assert_int_equal(checksum_finish(sum),
                                 (uint16_t) ~(sum % UINT16_MAX == 0 ? UINT16_MAX : sum % UINT16_MAX));
        }
}

/* Every sum that data can have, each made in three ways. */
static void test_add_every_sum(void **state)
{
        (void) state;

        for (uint32_t word = 0; word <= UINT16_MAX; word++) {
                uint8_t high = (uint8_t) (word >> 8), low = (uint8_t) word;
                const uint8_t alone[] = { high, low };
                const uint8_t apart[] = { high, 0, 0, 0, 0, 0, 0, low };
                const uint8_t carried[] = { 0xff, 0xff, high, low, 0xff, 0xff };

                assert_int_equal(checksum_of(alone, sizeof(alone)), htons((uint16_t) ~word));
                assert_int_equal(checksum_of(apart, sizeof(apart)), htons((uint16_t) ~word));
                assert_int_equal(checksum_of(carried, sizeof(carried)),
                                 htons((uint16_t) ~(word == 0 ? UINT16_MAX : word)));
        }
}

static void fill_zero(uint8_t *data, size_t size)
{
        memset(data, 0x00, size);
}

static void fill_ones(uint8_t *data, size_t size)
{
        memset(data, 0xff, size);
}

static void fill_count(uint8_t *data, size_t size)
{
        for (size_t i = 0; i < size; i++)
                data[i] = (uint8_t) i;
}

static void fill_random(uint8_t *data, size_t size)
{
        uint64_t random = 1 + size;

        random_bytes(&random, data, size);
}

static void (*const fills[])(uint8_t *data, size_t size) = { fill_zero, fill_ones, fill_count, fill_random };

/* Each buffer ends where the data does. */
static void test_add_sizes_and_alignments(void **state)
{
        (void) state;

        for (size_t fill = 0; fill < ARRAY_SIZE(fills); fill++)
                for (size_t alignment = 0; alignment < 8; alignment++)
                        for (size_t size = 0; size <= 200; size++) {
                                uint8_t *buffer = malloc(alignment + size);

                                assert_non_null(buffer);
                                fills[fill](buffer + alignment, size);
                                assert_int_equal(checksum_of(buffer + alignment, size),
                                                 slow_checksum(buffer + alignment, size));
                                free(buffer);
                        }
}

static void test_add_long_data(void **state)
{
        static const size_t sizes[] = { 1500, 9000, 65507, 65534, 65535, 65536, 1 << 20 };

        (void) state;

        for (size_t fill = 0; fill < ARRAY_SIZE(fills); fill++)
                for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                        uint8_t *data = malloc(sizes[i]);

                        assert_non_null(data);
                        fills[fill](data, sizes[i]);
                        assert_int_equal(checksum_of(data, sizes[i]), slow_checksum(data, sizes[i]));
                        free(data);
                }
}

/* The largest payload of a packet, with a checksum that is known without computation. */
static void test_add_loses_no_carry(void **state)
{
        static uint8_t ones[65535];
        uint64_t sum = 0;

        (void) state;

        fill_ones(ones, sizeof(ones));
        assert_int_equal(checksum_of(ones, sizeof(ones) - 1), 0x0000);
        assert_int_equal(checksum_of(ones, sizeof(ones)), htons(0x00ff));

        for (unsigned i = 0; i < 1000; i++)
                sum = checksum_add(sum, ones, sizeof(ones) - 1);
        assert_int_equal(checksum_finish(sum), 0x0000);
}

static void test_add_in_parts(void **state)
{
        uint8_t data[101];

        (void) state;

        fill_random(data, sizeof(data));
        for (size_t first = 0; first <= sizeof(data); first += 2)
                for (size_t second = first; second <= sizeof(data); second += 2) {
                        uint64_t sum = checksum_add(0, data, first);

                        sum = checksum_add(sum, data + first, second - first);
                        sum = checksum_add(sum, data + second, sizeof(data) - second);
                        assert_int_equal(checksum_finish(sum), slow_checksum(data, sizeof(data)));
                }
}

/* The checksum of data that contains its own checksum is zero, and with every other checksum it is not. */
static void test_add_verifies(void **state)
{
        uint8_t data[60];
        uint16_t checksum;

        (void) state;

        fill_random(data, sizeof(data));
        memset(data + 10, 0, sizeof(checksum));
        checksum = checksum_of(data, sizeof(data));

        for (uint32_t other = 0; other <= UINT16_MAX; other++) {
                uint16_t written = (uint16_t) other;

                memcpy(data + 10, &written, sizeof(written));
                assert_int_equal(checksum_of(data, sizeof(data)) == 0, is_same_number(written, checksum));
        }
}

/*
 * Every pair of words, old and new, in data whose other words have the sum @rest; 0 is that of zeros alone.
 * Of the old words only every @stride-th, and those at the edges.
 */
static void check_every_pair(uint16_t rest, uint32_t stride)
{
        static uint16_t expected[UINT16_MAX + 1];
        uint32_t n_zeros = 0;

        for (uint32_t word = 0; word <= UINT16_MAX; word++) {
                const uint8_t data[] = { (uint8_t) (rest >> 8), (uint8_t) rest, (uint8_t) (word >> 8),
                                         (uint8_t) word };
                uint16_t in_memory;

                memcpy(&in_memory, data + 2, sizeof(in_memory));
                expected[in_memory] = slow_checksum(data, sizeof(data));
        }

        for (uint32_t before = 0; before <= UINT16_MAX; before++) {
                uint16_t checksum = expected[before];
                uint32_t difference = 0;

                if (before % stride != 0 && before % 0x7fff > 2)
                        continue;

                for (uint32_t after = 0; after <= UINT16_MAX; after++)
                        difference |=
                                (uint32_t) checksum_update(checksum, (uint16_t) before, (uint16_t) after) ^
                                expected[after];
                if (difference == 0)
                        continue;

                /* The two differ only in the representation of zero, which depends on the data. */
                for (uint32_t after = 0; after <= UINT16_MAX; after++) {
                        uint16_t updated = checksum_update(checksum, (uint16_t) before, (uint16_t) after);

                        if (updated == expected[after])
                                continue;

                        assert_true(is_same_number(updated, expected[after]));
                        assert_int_equal(checksum_normalize_zero(updated, rest == 0 && after == 0),
                                         expected[after]);
                        n_zeros++;
                }
        }

        /* Equation 3 is wrong about data that becomes all zero, and about nothing else. */
        assert_int_equal(n_zeros > 0, rest == 0);
}

static void test_update_every_pair_in_zero_data(void **state)
{
        (void) state;
        check_every_pair(0x0000, UNIT_STRIDE);
}

static void test_update_every_pair_at_sum_7fff(void **state)
{
        (void) state;
        check_every_pair(0x7fff, UNIT_STRIDE);
}

static void test_update_every_pair_at_sum_ffff(void **state)
{
        (void) state;
        check_every_pair(0xffff, UNIT_STRIDE);
}

static void test_update_many_pairs_at_many_sums(void **state)
{
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
                check_every_pair(edges[i], 1009);
}

static void test_update_at_every_sum(void **state)
{
        (void) state;

        for (uint32_t rest = 0; rest <= UINT16_MAX; rest++)
                for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
                        for (size_t j = 0; j < ARRAY_SIZE(edges); j++) {
                                uint16_t before[] = { (uint16_t) rest, edges[i] },
                                         after[] = { (uint16_t) rest, edges[j] };
                                uint16_t updated = checksum_update(slow_checksum(before, sizeof(before)),
                                                                   edges[i], edges[j]);

                                assert_int_equal(checksum_normalize_zero(updated, rest == 0 && edges[j] == 0),
                                                 slow_checksum(after, sizeof(after)));
                        }
}

/* The example of RFC 1624 section 4, which RFC 1141 gets wrong. */
static void test_update_example_of_rfc_1624(void **state)
{
        (void) state;
        assert_int_equal(checksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
        assert_int_equal(checksum_update(htons(0xdd2f), htons(0x5555), htons(0x3285)), 0x0000);
}

/* RFC 1624, erratum 4782. */
static void test_update_with_the_same_word(void **state)
{
        (void) state;

        for (uint32_t checksum = 0; checksum <= UINT16_MAX; checksum++)
                for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
                        assert_int_equal(checksum_update((uint16_t) checksum, edges[i], edges[i]), checksum);
}

/* An error in the old checksum is the same error in the updated one. */
static void test_update_keeps_every_error(void **state)
{
        (void) state;

        for (uint32_t checksum = 0; checksum <= UINT16_MAX; checksum++)
                for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
                        for (size_t j = 0; j < ARRAY_SIZE(edges); j++) {
                                uint16_t before[] = { 0x1234, edges[i], (uint16_t) checksum };
                                uint16_t after[] = { 0x1234, edges[j], 0 };

                                after[2] = checksum_update(before[2], before[1], after[1]);
                                assert_true(is_same_number(slow_checksum(before, sizeof(before)),
                                                           slow_checksum(after, sizeof(after))));
                        }
}

static void test_update_range(void **state)
{
        uint64_t random = 1;

        (void) state;

        for (size_t size = 0; size <= 64; size += 2)
                for (size_t alignment = 0; alignment < 8; alignment++)
                        for (unsigned round = 0; round < 50; round++) {
                                uint8_t *before = malloc(alignment + size),
                                        *after = malloc(2 * alignment + size);
                                uint16_t checksum, updated;
                                bool is_zero;

                                assert_non_null(before);
                                assert_non_null(after);
                                random_bytes(&random, before + alignment, size);
                                random_bytes(&random, after + 2 * alignment, size);
                                /* Some words stay, as most of a header's do, and some become zero. */
                                for (size_t i = 0; i < size; i++) {
                                        if (round % 3 == 1 && random_word(&random) % 2 == 0)
                                                after[2 * alignment + i] = before[alignment + i];
                                        if (round % 5 == 1)
                                                after[2 * alignment + i] = 0;
                                }

                                checksum = slow_checksum(before + alignment, size);
                                updated = checksum_update_range(checksum, before + alignment,
                                                                after + 2 * alignment, size);
                                is_zero = slow_sum(0, after + 2 * alignment, size) == 0;
                                assert_int_equal(checksum_normalize_zero(updated, is_zero),
                                                 slow_checksum(after + 2 * alignment, size));
                                assert_int_equal(checksum_update_range(checksum, before + alignment,
                                                                       before + alignment, size),
                                                 checksum);
                                free(before);
                                free(after);
                        }
}

static void test_normalize_zero(void **state)
{
        (void) state;

        assert_int_equal(checksum_normalize_zero(0x0000, true), 0xffff);
        assert_int_equal(checksum_normalize_zero(0xffff, true), 0xffff);
        assert_int_equal(checksum_normalize_zero(0x0000, false), 0x0000);
        assert_int_equal(checksum_normalize_zero(0xffff, false), 0x0000);
        for (uint32_t checksum = 1; checksum < UINT16_MAX; checksum++) {
                assert_int_equal(checksum_normalize_zero((uint16_t) checksum, true), checksum);
                assert_int_equal(checksum_normalize_zero((uint16_t) checksum, false), checksum);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_finish_every_sum),
                cmocka_unit_test(test_finish_any_sum),
                cmocka_unit_test(test_add_every_sum),
                cmocka_unit_test(test_add_sizes_and_alignments),
                cmocka_unit_test(test_add_long_data),
                cmocka_unit_test(test_add_loses_no_carry),
                cmocka_unit_test(test_add_in_parts),
                cmocka_unit_test(test_add_verifies),
                cmocka_unit_test(test_update_every_pair_in_zero_data),
                cmocka_unit_test(test_update_every_pair_at_sum_7fff),
                cmocka_unit_test(test_update_every_pair_at_sum_ffff),
                cmocka_unit_test(test_update_many_pairs_at_many_sums),
                cmocka_unit_test(test_update_at_every_sum),
                cmocka_unit_test(test_update_example_of_rfc_1624),
                cmocka_unit_test(test_update_with_the_same_word),
                cmocka_unit_test(test_update_keeps_every_error),
                cmocka_unit_test(test_update_range),
                cmocka_unit_test(test_normalize_zero),
        };
        int failures;

        failures = cmocka_run_group_tests(tests, NULL, NULL);

        /* Not before, where only the version of the protocol may be. */
        if (UNIT_STRIDE > 1)
                print_message("# a slow build: only every %dth old word is tested, and those at the edges\n",
                              UNIT_STRIDE);

        return failures;
}
