/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Answers of an instance, and the names of their errors. */

#include "client/snapshot.h"

#include <errno.h>
#include <string.h>

#include "samples.h"
#include "unit.h"

static void test_answers(void **state)
{
        static const struct {
                const char *interface;
                size_t size; /* of the text that is received, in bytes; 0: all */
                int error;
        } rules[] = {
                { "tun0", 0, 0 },
                { "tun1", 0, -EBADMSG },
                { "tun0", 100, -EBADMSG },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct snapshot snapshot = sample_silence(rules[i].interface, -ETIMEDOUT);
                const struct snapshot sample = sample_snapshot("tun0");
                char text[STATUS_TEXT_MAX];
                int size = status_format(&sample.status, text, sizeof(text));

                if (rules[i].size > 0)
                        size = (int) rules[i].size;
                text[size] = '\0';
                snapshot_parse(&snapshot, text, (size_t) size);
                assert_int_equal(snapshot.error, rules[i].error);
                assert_string_equal(snapshot.status.interface, rules[i].interface);
                assert_int_equal(snapshot.status.pid, rules[i].error == 0 ? sample.status.pid : 0);
        }
}

static void test_sessions(void **state)
{
        static struct sessions sample;
        static char text[SESSIONS_TEXT_MAX];
        struct snapshot snapshot = sample_silence("tun0", 0);
        size_t size;

        (void) state;

        sample = sample_sessions("tun0");
        size = (size_t) sessions_format_head(&sample, text, sizeof(text));
        size += (size_t) session_row_format(&sample.rows[0], text + size, sizeof(text) - size);
        snapshot_parse_sessions(&snapshot, text, size);
        assert_int_equal(snapshot.sessions_error, 0);
        assert_int_equal(snapshot.sessions->n, 1);
        free(snapshot.sessions);

        snapshot = sample_silence("tun1", 0);
        size = (size_t) sessions_format_head(&sample, text, sizeof(text));
        snapshot_parse_sessions(&snapshot, text, size);
        assert_int_equal(snapshot.sessions_error, -EBADMSG);
        assert_null(snapshot.sessions);
        snapshot_parse_sessions(&snapshot, text, 0);
        assert_int_equal(snapshot.sessions_error, -ECONNRESET);
        assert_null(snapshot.sessions);
}

static void test_empty(void **state)
{
        struct snapshot snapshot = sample_silence("tun0", 0);
        char text[] = "";

        (void) state;

        snapshot_parse(&snapshot, text, 0);
        assert_int_equal(snapshot.error, -ECONNRESET);
}

static void test_states(void **state)
{
        static const struct {
                int error;
                const char *state;
                bool running;
        } rules[] = {
                { 0, "running", true },
                { -ENOENT, "not-running", false },
                { -ENOTDIR, "not-running", false },
                { -ECONNREFUSED, "not-running", false },
                { -ECONNRESET, "not-running", false },
                { -ETIMEDOUT, "no-answer", true },
                { -EACCES, "no-permission", true },
                { -EPERM, "no-permission", true },
                { -EBADMSG, "bad-answer", true },
                { -ENAMETOOLONG, "error", true },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct snapshot snapshot = sample_snapshot("tun0");

                snapshot.error = rules[i].error;
                assert_string_equal(snapshot_state(&snapshot), rules[i].state);
                assert_int_equal(snapshot_is_running(&snapshot), rules[i].running);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_sessions),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_states),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
