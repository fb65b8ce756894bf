/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The sessions in the protocol: what the daemon writes, valid and invalid texts for the client; and reasons. */

#include "tunecho/sessions.h"

#include <errno.h>
#include <string.h>

#include "common/unknown.h"
#include "unit.h"

#define TEXT_SIZE 8192

static struct sessions sessions;

static const struct session_row sample_row = {
        .source = "198.18.0.1",
        .destination = "198.18.0.2",
        .identifier = 4711,
        .requests = 90,
        .missing = 10,
        .step = PROTOCOL_NONE,
        .sequence_first = 1,
        .sequence_last = 100,
        .bytes = 7560,
        .length_min = 84,
        .length_max = 84,
        .hop_limit_min = 64,
        .hop_limit_max = 64,
        .duration_usec = 99000000,
        .idle_usec = 500000,
        .refused = 2,
        .reporter = "192.0.2.9",
        .reason = "host unreachable",
        .type = 3,
        .code = 1,
        .path_mtu = PROTOCOL_NONE,
};

/* Two sessions, the second of which has no addresses, and no number of missing requests. */
static size_t format_sample(char text[static TEXT_SIZE])
{
        const struct sessions head = { .interface = "tun0", .recording = "yes", .addresses = "yes", .open = 3 };
        struct session_row other = sample_row;
        size_t used;

        other.source[0] = other.destination[0] = other.reporter[0] = other.reason[0] = '\0';
        other.missing = other.type = other.code = PROTOCOL_NONE;
        other.step = 2;
        other.refused = 0;
        strcpy(other.unknown, "every-nth");

        used = (size_t) sessions_format_head(&head, text, TEXT_SIZE);
        used += (size_t) session_row_format(&sample_row, text + used, TEXT_SIZE - used);
        used += (size_t) session_row_format(&other, text + used, TEXT_SIZE - used);
        return used;
}

/* Parse a copy of exactly the size of the text, so that a sanitizer detects a read beyond it. */
static int parse(const char *text, size_t size)
{
        char *copy = exact_copy(text, size + 1);
        int r;

        r = sessions_parse(&sessions, copy, size);
        free(copy);
        return r;
}

/* The sample, with the first @from replaced by @to. */
static int parse_changed(const char *from, const char *to)
{
        char text[TEXT_SIZE], result[2 * TEXT_SIZE], *found;

        (void) format_sample(text);
        found = strstr(text, from);
        assert_non_null(found);
        (void) snprintf(result, sizeof(result), "%.*s%s%s", (int) (found - text), text, to,
                        found + strlen(from));
        return parse(result, strlen(result));
}

/* The text itself, as other clients parse it, too. */
static void test_format(void **state)
{
        static const char begin[] =
                "TUNECHO_INTERFACE=tun0\nTUNECHO_RECORDING=yes\nTUNECHO_ADDRESSES=yes\nTUNECHO_SESSIONS=3\n\n"
                "TUNECHO_SOURCE=198.18.0.1\nTUNECHO_DESTINATION=198.18.0.2\nTUNECHO_IDENTIFIER=4711\n"
                "TUNECHO_REQUESTS=90\nTUNECHO_MISSING=10\nTUNECHO_DUPLICATES=0\nTUNECHO_REORDERED=0\n"
                "TUNECHO_SEQUENCE_FIRST=1\nTUNECHO_SEQUENCE_LAST=100\nTUNECHO_FRAGMENTED=0\n"
                "TUNECHO_LATER_FRAGMENTS=0\nTUNECHO_BYTES=7560\nTUNECHO_LENGTH_MIN=84\n"
                "TUNECHO_LENGTH_MAX=84\nTUNECHO_HOP_LIMIT_MIN=64\nTUNECHO_HOP_LIMIT_MAX=64\n"
                "TUNECHO_DURATION_USEC=99000000\nTUNECHO_IDLE_USEC=500000\nTUNECHO_REFUSED=2\n"
                "TUNECHO_REPORTER=192.0.2.9\nTUNECHO_REASON=host unreachable\nTUNECHO_TYPE=3\nTUNECHO_CODE=1\n"
                "\nTUNECHO_IDENTIFIER=4711\nTUNECHO_REQUESTS=90\nTUNECHO_UNKNOWN=every-nth\nTUNECHO_STEP=2\n";
        char text[TEXT_SIZE];
        size_t size = format_sample(text);

        (void) state;

        assert_int_equal(size, strlen(text));
        assert_memory_equal(text, begin, strlen(begin));
        assert_string_equal(text + size - 2, "\n\n");
}

static void test_format_is_bounded(void **state)
{
        char text[TEXT_SIZE];
        size_t length = (size_t) session_row_format(&sample_row, text, sizeof(text));

        (void) state;

        for (size_t size = 0; size <= length + 1; size++) {
                char *buffer = malloc(size);

                assert_true(buffer || size == 0);
                assert_int_equal(session_row_format(&sample_row, buffer, size),
                                 size > length ? (int) length : -ENOBUFS);
                free(buffer);
        }
}

static void test_whole(void **state)
{
        char text[TEXT_SIZE];
        size_t size = format_sample(text);

        (void) state;

        assert_int_equal(parse(text, size), 0);
        assert_string_equal(sessions.interface, "tun0");
        assert_int_equal(sessions.open, 3);
        assert_int_equal(sessions.n, 2);
        assert_memory_equal(&sessions.rows[0], &sample_row, sizeof(sample_row));
        assert_string_equal(sessions.rows[1].source, "");
        assert_string_equal(sessions.rows[1].unknown, "every-nth");
        assert_true(sessions.rows[1].missing == PROTOCOL_NONE);
        assert_int_equal(sessions.rows[1].step, 2);
}

/* A text that is cut off between two records has fewer sessions; else it is invalid. */
static void test_every_prefix(void **state)
{
        char text[TEXT_SIZE], whole[TEXT_SIZE];
        size_t size = format_sample(whole);
        unsigned n_valid = 0;

        (void) state;

        for (size_t i = 0; i < size; i++) {
                bool ends = i > 1 && whole[i - 1] == '\n' && whole[i - 2] == '\n';

                memcpy(text, whole, i);
                text[i] = '\0';
                assert_int_equal(parse(text, i), ends ? 0 : -EBADMSG);
                n_valid += ends;
        }
        assert_int_equal(n_valid, 2);
}

static void test_good_and_bad(void **state)
{
        static const struct {
                const char *from, *to;
                bool is_good;
        } rules[] = {
                { "TUNECHO_REQUESTS", "TUNECHO_NEW=x y z\nTUNECHO_REQUESTS", true }, /* a newer daemon */
                { "TUNECHO_RECORDING=yes", "TUNECHO_RECORDING=no", true },
                { "TUNECHO_ADDRESSES=yes", "TUNECHO_ADDRESSES=no", true },
                { "TUNECHO_REQUESTS=90", "TUNECHO_REQUESTS=18446744073709551615", true },
                { "TUNECHO_UNKNOWN=every-nth", "TUNECHO_UNKNOWN=new-reason", true },

                { "TUNECHO_RECORDING=yes", "TUNECHO_RECORDING=maybe", false },
                { "TUNECHO_ADDRESSES=yes\n", "", false },
                { "TUNECHO_SESSIONS=3", "TUNECHO_SESSIONS=1", false }, /* there are more */
                { "TUNECHO_INTERFACE=tun0", "TUNECHO_INTERFACE=a-name-too-long-for-one", false },
                { "TUNECHO_REQUESTS=90\n", "", false },
                { "TUNECHO_REQUESTS=90", "TUNECHO_REQUESTS=-1", false },
                { "TUNECHO_REQUESTS=90", "TUNECHO_REQUESTS=18446744073709551616", false },
                { "TUNECHO_REQUESTS=90", "TUNECHO_REQUESTS=90\nTUNECHO_REQUESTS=90", false },
                { "TUNECHO_REQUESTS=90", "TUNECHO_REQUESTS", false },
                { "TUNECHO_REQUESTS=90", "=90", false },
                { "198.18.0.1", "198.18.0 1", false },
                { "198.18.0.1", "\033[31m", false },
                { "198.18.0.1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false },
                { "host unreachable", "host\tunreachable", false },
                { "\n\n", "\n\n\n", false }, /* a record without a key */
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                if (parse_changed(rules[i].from, rules[i].to) != (rules[i].is_good ? 0 : -EBADMSG))
                        fail_msg("'%s' instead of '%s'", rules[i].to, rules[i].from);

        assert_int_equal(parse("", 0), -EBADMSG);
        assert_int_equal(parse("a\0b", 3), -EBADMSG);
}

/* As many as there can be, each as long as it can be; one more is refused. */
static void test_most(void **state)
{
        struct sessions head = { .interface = "tun0", .recording = "yes", .addresses = "yes",
                                 .open = SESSIONS_ROWS_MAX };
        struct session_row row = sample_row;
        char *text = malloc(SESSIONS_TEXT_MAX);
        size_t used;

        (void) state;

        for (const struct protocol_key *key = session_row_keys; key->name; key++) {
                char *field = (char *) &row + key->offset;

                if (key->size > 0)
                        memset(field, 'x', key->size - 1);
                else
                        memcpy(field, &(uint64_t) { UINT64_MAX - 1 }, sizeof(uint64_t));
        }

        used = (size_t) sessions_format_head(&head, text, SESSIONS_TEXT_MAX);
        for (unsigned i = 0; i < SESSIONS_ROWS_MAX; i++)
                used += (size_t) session_row_format(&row, text + used, SESSIONS_TEXT_MAX - used);
        assert_in_range(used, 1, SESSIONS_TEXT_MAX - 1);
        assert_int_equal(parse(text, used), 0);
        assert_int_equal(sessions.n, SESSIONS_ROWS_MAX);
        assert_memory_equal(&sessions.rows[SESSIONS_ROWS_MAX - 1], &row, sizeof(row));

        head.open = SESSIONS_ROWS_MAX + 1;
        used = (size_t) sessions_format_head(&head, text, SESSIONS_TEXT_MAX);
        for (unsigned i = 0; i <= SESSIONS_ROWS_MAX; i++)
                used += (size_t) session_row_format(&row, text + used, SESSIONS_TEXT_MAX - used);
        assert_int_equal(parse(text, used), -EBADMSG);
        free(text);
}

static void test_reasons(void **state)
{
        static const struct {
                unsigned step;
                const char *text;
        } steps[] = {
                { 2, "every 2nd number" },   { 3, "every 3rd number" },   { 10, "every 10th number" },
                { 11, "every 11th number" }, { 21, "every 21st number" }, { 112, "every 112th number" },
        };
        char text[64];

        (void) state;

        for (enum session_unknown unknown = 0; unknown < _SESSION_UNKNOWN_MAX; unknown++)
                assert_int_equal(session_unknown_find(session_unknown_name(unknown)), unknown);
        assert_int_equal(session_unknown_find("new-reason"), _SESSION_UNKNOWN_MAX);
        assert_string_equal(session_unknown_text(text, sizeof(text), SESSION_TOO_FEW, 0), "too few requests");
        for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
                assert_string_equal(session_unknown_text(text, sizeof(text), SESSION_EVERY_NTH, steps[i].step),
                                    steps[i].text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format),       cmocka_unit_test(test_format_is_bounded),
                cmocka_unit_test(test_whole),        cmocka_unit_test(test_every_prefix),
                cmocka_unit_test(test_good_and_bad), cmocka_unit_test(test_most),
                cmocka_unit_test(test_reasons),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
