/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The names of the verdicts, and the sums and the text of their counters. */

#include "tunecho/verdict.h"

#include <ctype.h>
#include <string.h>

#include "tunecho/counters.h"
#include "unit.h"

static void test_names(void **state)
{
        (void) state;

        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                const char *name = verdict_name(v);

                assert_non_null(name);
                assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(name));
                assert_in_range(strlen(name), 3, 20);
                for (enum verdict other = 0; other < v; other++)
                        assert_string_not_equal(verdict_name(other), name);
        }
}

/* A journal field is the name, in the field's spelling. */
static void test_fields(void **state)
{
        (void) state;

        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                char field[64] = "TUNECHO_";
                size_t size = strlen(field);

                for (const char *c = verdict_name(v); *c != '\0'; c++)
                        field[size++] = (char) (*c == '-' ? '_' : toupper(*c));
                assert_string_equal(verdict_field(v), field);
        }
}

/* These names are an interface: the manual, dashboards and scripts use them. */
static void test_names_stay(void **state)
{
        static const struct {
                enum verdict verdict;
                const char *name;
        } names[] = {
                { VERDICT_REPLY, "reply" },
                { VERDICT_REPLY_FRAGMENT, "reply-fragment" },
                { VERDICT_MALFORMED, "malformed" },
                { VERDICT_NOT_ICMP, "not-icmp" },
                { VERDICT_ICMP_ERROR, "icmp-error" },
                { VERDICT_HOUSEKEEPING, "housekeeping" },
                { VERDICT_NOT_ECHO, "not-echo" },
                { VERDICT_BAD_IP_CHECKSUM, "bad-ip-checksum" },
                { VERDICT_BAD_ICMP_CHECKSUM, "bad-icmp-checksum" },
                { VERDICT_BAD_SOURCE, "bad-source" },
                { VERDICT_BAD_DESTINATION, "bad-destination" },
                { VERDICT_NOT_OURS, "not-ours" },
                { VERDICT_GROUP_DESTINATION, "group-destination" },
                { VERDICT_SOURCE_ROUTE, "source-route" },
                { VERDICT_BAD_OPTION, "bad-option" },
                { VERDICT_UNSUPPORTED, "unsupported" },
        };

        (void) state;

        assert_int_equal(ARRAY_SIZE(names), _VERDICT_MAX);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                assert_string_equal(verdict_name(names[i].verdict), names[i].name);
}

static void test_replies(void **state)
{
        (void) state;

        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                assert_int_equal(verdict_is_reply(v),
                                 strncmp(verdict_name(v), "reply", strlen("reply")) == 0);
}

/* Every drop but that of normal operation has entries, with an id of their own. */
static void test_entries(void **state)
{
        (void) state;

        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                const char *id = verdict_message_id(v);

                assert_int_equal(verdict_is_silent(v), verdict_is_reply(v) || v == VERDICT_HOUSEKEEPING);
                assert_int_equal(verdict_is_silent(v), id == NULL);
                if (!id)
                        continue;

                assert_int_equal(strlen(id), 32);
                assert_int_equal(strspn(id, "0123456789abcdef"), 32);
                for (enum verdict other = 0; other < v; other++)
                        if (verdict_message_id(other))
                                assert_string_not_equal(id, verdict_message_id(other));
        }
}

static void test_sums(void **state)
{
        struct counters counters = { .unsent = 1000000 };
        uint64_t packets = 0, replies = 0;

        (void) state;

        assert_int_equal(counters_packets(&counters), 0);
        assert_int_equal(counters_replies(&counters), 0);

        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                counters.verdicts[v] = UINT64_C(1) << (2 * v);
                packets += counters.verdicts[v];
                replies += verdict_is_reply(v) ? counters.verdicts[v] : 0;
                assert_int_equal(counters_packets(&counters), packets);
                assert_int_equal(counters_replies(&counters), replies);
        }
}

static void test_text(void **state)
{
        static const struct {
                struct counters counters;
                const char *text;
        } rules[] = {
                { { { 0 }, 0 }, "0 packets, 0 replies, 0 dropped" },
                { { { [VERDICT_REPLY] = 5 }, 0 }, "5 packets, 5 replies, 0 dropped" },
                { { { [VERDICT_REPLY] = 5, [VERDICT_REPLY_FRAGMENT] = 2 }, 0 },
                  "7 packets, 7 replies, 0 dropped" },
                { { { [VERDICT_REPLY] = 10, [VERDICT_NOT_ECHO] = 2 }, 0 },
                  "12 packets, 10 replies, 2 dropped (2 not-echo)" },
                { { { [VERDICT_MALFORMED] = 1, [VERDICT_UNSUPPORTED] = 3 }, 0 },
                  "4 packets, 0 replies, 4 dropped (1 malformed, 3 unsupported)" },
                { { { [VERDICT_REPLY] = 10, [VERDICT_NOT_ICMP] = 1 }, 4 },
                  "11 packets, 10 replies (4 refused by the device), 1 dropped (1 not-icmp)" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                char text[COUNTERS_TEXT_SIZE];

                assert_ptr_equal(counters_text(text, &rules[i].counters), text);
                assert_string_equal(text, rules[i].text);
        }
}

/* The largest counters, for every verdict: the text is complete and fits. */
static void check_size(uint64_t each)
{
        struct counters counters = { .unsent = UINT64_MAX };
        char *text = malloc(COUNTERS_TEXT_SIZE);

        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                counters.verdicts[v] = each;

        assert_non_null(text);
        (void) counters_text(text, &counters);
        assert_in_range(strlen(text), 100, COUNTERS_TEXT_SIZE - 1);
        assert_int_equal(text[strlen(text) - 1], ')');
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                if (!verdict_is_reply(v))
                        assert_non_null(strstr(text, verdict_name(v)));
        free(text);
}

static void test_text_fits(void **state)
{
        (void) state;

        check_size(UINT64_MAX / _VERDICT_MAX);
        check_size(UINT64_C(1000000000000000000));
}

/* The clause after "dropped as malformed: " in an entry; no two verdicts share one. */
static void test_meanings(void **state)
{
        (void) state;

        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                const char *meaning = verdict_meaning(v);

                assert_non_null(meaning);
                assert_in_range(strlen(meaning), 20, 100);
                assert_true(meaning[strlen(meaning) - 1] != '.');
                for (enum verdict other = 0; other < v; other++)
                        assert_string_not_equal(meaning, verdict_meaning(other));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_names_stay),
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_meanings),
                cmocka_unit_test(test_replies),
                cmocka_unit_test(test_entries),
                cmocka_unit_test(test_sums),
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_text_fits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
