/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What an instance sends, whole and broken. */

#include "client/snapshot.h"

#include <errno.h>
#include <string.h>

#include "samples.h"
#include "unit.h"

/* Parse a copy of exactly the text's size, so that a sanitizer sees what is read beyond it. */
static int parse(struct snapshot *snapshot, const char *interface, const char *text)
{
        char *copy = exact_copy(text, strlen(text) + 1);
        int r;

        *snapshot = sample_silence(interface, -ETIMEDOUT);
        r = snapshot_parse(snapshot, copy);
        free(copy);
        return r;
}

/* The text of a good snapshot, with @from replaced by @to. */
static const char *changed(const char *from, const char *to)
{
        static char result[2 * SNAPSHOT_TEXT_MAX];
        const struct snapshot snapshot = sample_snapshot("tun0");
        char text[SNAPSHOT_TEXT_MAX], *found;

        sample_text(text, &snapshot);
        found = strstr(text, from);
        assert_non_null(found);
        (void) snprintf(result, sizeof(result), "%.*s%s%s", (int) (found - text), text, to,
                        found + strlen(from));
        return result;
}

static void test_whole(void **state)
{
        const struct snapshot expected = sample_snapshot("tun0");
        char text[SNAPSHOT_TEXT_MAX];
        struct snapshot snapshot;

        (void) state;

        sample_text(text, &expected);
        assert_int_equal(parse(&snapshot, "tun0", text), 0);
        assert_memory_equal(&snapshot, &expected, sizeof(expected));
}

/* Nothing that is shorter is taken for the whole; but a verdict that is 0 anyway is not missed. */
static void test_every_prefix(void **state)
{
        struct snapshot snapshot, expected = sample_snapshot("tun0");
        char text[SNAPSHOT_TEXT_MAX];

        (void) state;

        sample_text(text, &expected);
        for (size_t size = strlen(text) - 1; size > 0; size--) {
                text[size] = '\0';
                assert_int_equal(parse(&snapshot, "tun0", text), -EBADMSG);
                assert_int_equal(snapshot.error, -ETIMEDOUT);
        }
        assert_int_equal(parse(&snapshot, "tun0", ""), -EBADMSG);
}

static void test_good(void **state)
{
        static const struct {
                const char *from, *to;
        } rules[] = {
                { "TUNECHO_MTU", "TUNECHO_NEW=x y z\nTUNECHO_MTU" },         /* a newer daemon */
                { "TUNECHO_MTU", "TUNECHO_NEW=\nTUNECHO_MTU" },              /* that has little to say */
                { "TUNECHO_PING=198.18.0.2\nTUNECHO_PING=2001:2::2\n", "" }, /* no peer */
                { "TUNECHO_PING=2001:2::2\n", "" },
                { "TUNECHO_SESSIONS=3", "TUNECHO_SESSIONS=18446744073709551615" },
                { "TUNECHO_PACKETS=", "TUNECHO_PACKETS=9" }, /* with verdicts that we do not know */
                { "TUNECHO_VERSION=0.1.0", "TUNECHO_VERSION=1.0~rc1+\"dfsg\"" },
        };
        struct snapshot snapshot;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                if (parse(&snapshot, "tun0", changed(rules[i].from, rules[i].to)) != 0 || snapshot.error != 0)
                        fail_msg("'%s' is not taken", rules[i].to);
}

static void test_bad(void **state)
{
        static const struct {
                const char *from, *to;
        } rules[] = {
                { "=tun0", "=tun1" },
                { "=tun0", "=" },
                { "=tun0", "=tun0tun0tun0tun0" },
                { "TUNECHO_PID=4711\n", "" },
                { "TUNECHO_PID=4711", "TUNECHO_PID=" },
                { "TUNECHO_PID=4711", "TUNECHO_PID=-4711" },
                { "TUNECHO_PID=4711", "TUNECHO_PID= 4711" },
                { "TUNECHO_PID=4711", "TUNECHO_PID=4711 " },
                { "TUNECHO_PID=4711", "TUNECHO_PID=0x4711" },
                { "TUNECHO_PID=4711", "TUNECHO_PID=18446744073709551616" },
                { "TUNECHO_REPLY=1000", "TUNECHO_REPLY=many" },
                { "TUNECHO_REPLY=1000\n", "" }, /* then they do not add up */
                { "TUNECHO_STATE=running", "TUNECHO_STATE=run\033[2Jning" },
                { "TUNECHO_STATE=running", "TUNECHO_STATE=run ning" },
                { "TUNECHO_STATE=running", "TUNECHO_STATE=r\xc3\xbcnning" },
                { "TUNECHO_STATE=running", "TUNECHO_STATE=running-and-running-and-running" },
                { "TUNECHO_STATE=running", "TUNECHO_STATE" },
                { "TUNECHO_PING=198.18.0.2", "TUNECHO_PING=" },
                { "TUNECHO_PING=198.18.0.2", "TUNECHO_PING=198.18.0.2\nTUNECHO_PING=198.18.0.3" },
                { "TUNECHO_MTU", "HTTP/1.1 400 Bad Request\nTUNECHO_MTU" },
                { "TUNECHO_MTU", "\nTUNECHO_MTU" },
        };
        struct snapshot snapshot;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                if (parse(&snapshot, "tun0", changed(rules[i].from, rules[i].to)) != -EBADMSG)
                        fail_msg("'%s' is taken", rules[i].to);
}

/* A daemon that does not have the last verdict yet: what it has adds up. */
static void test_older_daemon(void **state)
{
        struct snapshot snapshot, older = sample_snapshot("tun0");
        char text[SNAPSHOT_TEXT_MAX], *last;

        (void) state;

        older.counters.verdicts[_VERDICT_MAX - 1] = 0;
        older.packets = counters_packets(&older.counters);
        sample_text(text, &older);
        last = strstr(text, verdict_field(_VERDICT_MAX - 1));
        assert_non_null(last);
        *last = '\0';
        assert_int_equal(parse(&snapshot, "tun0", text), 0);
        assert_memory_equal(&snapshot, &older, sizeof(older));
}

static bool is_printable(const char *text, size_t room)
{
        size_t size = strnlen(text, room);

        for (size_t i = 0; i < size; i++)
                if (text[i] <= ' ' || text[i] > '~')
                        return false;

        return size < room;
}

/* Whatever becomes of the text on its way, what is taken of it can be shown. */
static void test_any_bytes(void **state)
{
        const struct snapshot good = sample_snapshot("tun0");
        uint64_t random = 4711;
        unsigned n_taken = 0;

        (void) state;

        for (unsigned i = 0; i < 20000; i++) {
                char text[SNAPSHOT_TEXT_MAX];
                struct snapshot snapshot;
                size_t size;

                sample_text(text, &good);
                size = strlen(text);
                for (unsigned change = 0; change <= i % 4; change++)
                        text[random_word(&random) % size] = (char) (random_word(&random) % UINT8_MAX + 1);
                if (i % 8 == 7)
                        text[random_word(&random) % size] = '\0';

                if (parse(&snapshot, "tun0", text) < 0)
                        continue;

                n_taken++;
                assert_string_equal(snapshot.interface, "tun0");
                assert_true(is_printable(snapshot.state, sizeof(snapshot.state)));
                assert_true(is_printable(snapshot.engine, sizeof(snapshot.engine)));
                assert_true(is_printable(snapshot.version, sizeof(snapshot.version)));
                for (size_t peer = 0; peer < SNAPSHOT_MAX_PEERS; peer++)
                        assert_true(is_printable(snapshot.peers[peer], sizeof(snapshot.peers[peer])));
        }

        assert_in_range(n_taken, 1, 10000);
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
                cmocka_unit_test(test_whole),
                cmocka_unit_test(test_every_prefix),
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_older_daemon),
                cmocka_unit_test(test_any_bytes),
                cmocka_unit_test(test_states),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
