/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The status protocol: what the daemon writes, and valid and invalid texts for the client. */

#include "tunecho/status.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

static struct status sample_status(void)
{
        struct status status = {
                .interface = "tun0",
                .state = "running",
                .ping = { "198.18.0.2", "2001:2::2" },
                .version = "0.1.0",
                .engine = "io_uring",
                .pid = 4711,
                .mtu = 1500,
                .uptime_usec = 192123456,
                .sessions = 3,
                .sessions_opened = 300,
                .sessions_evicted = 30,
                .refused = 13,
        };

        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                status.counters.verdicts[v] = 1000 - 10 * (uint64_t) v;
        status.packets = counters_packets(&status.counters);
        status.replies = counters_replies(&status.counters);
        status.dropped = status.packets - status.replies;
        return status;
}

/* Parse a copy of exactly the size of the text, so that a sanitizer detects a read beyond it. */
static int parse(struct status *ret_status, const char *text, size_t size)
{
        char *copy = exact_copy(text, size + 1);
        int r;

        r = status_parse(ret_status, copy, size);
        free(copy);
        return r;
}

/* The text of the sample, with @from replaced by @to. */
static const char *changed(const char *from, const char *to)
{
        static char result[2 * STATUS_TEXT_MAX];
        const struct status status = sample_status();
        char text[STATUS_TEXT_MAX], *found;

        assert_true(status_format(&status, text, sizeof(text)) > 0);
        found = strstr(text, from);
        assert_non_null(found);
        (void) snprintf(result, sizeof(result), "%.*s%s%s", (int) (found - text), text, to,
                        found + strlen(from));
        return result;
}

/* The text itself, as other clients parse it, too. */
static void test_format(void **state)
{
        static const char begin[] = "TUNECHO_INTERFACE=tun0\nTUNECHO_STATE=running\nTUNECHO_PING=198.18.0.2\n"
                                    "TUNECHO_PING=2001:2::2\nTUNECHO_VERSION=0.1.0\n"
                                    "TUNECHO_ENGINE=io_uring\nTUNECHO_PID=4711\nTUNECHO_MTU=1500\n"
                                    "TUNECHO_UPTIME_USEC=192123456\nTUNECHO_SESSIONS=3\n"
                                    "TUNECHO_SESSIONS_OPENED=300\nTUNECHO_SESSIONS_EVICTED=30\n"
                                    "TUNECHO_PACKETS=107\nTUNECHO_REPLIES=100\nTUNECHO_DROPPED=7\n"
                                    "TUNECHO_UNSENT=18446744073709551615\nTUNECHO_REFUSED=13\n"
                                    "TUNECHO_REPLY=100\n";
        struct status status = sample_status();
        char text[STATUS_TEXT_MAX];
        int size;

        (void) state;

        status.counters = (struct counters) { .unsent = UINT64_MAX };
        status.counters.verdicts[VERDICT_REPLY] = status.replies = 100;
        status.counters.verdicts[VERDICT_MALFORMED] = status.dropped = 7;
        status.packets = 107;
        size = status_format(&status, text, sizeof(text));
        assert_int_equal(size, strlen(text));
        assert_memory_equal(text, begin, strlen(begin));
        assert_non_null(strstr(text, "\nTUNECHO_MALFORMED=7\n"));
        assert_string_equal(text + strlen(text) - 1, "\n");

        status.ping[1][0] = '\0';
        assert_true(status_format(&status, text, sizeof(text)) > 0);
        assert_non_null(strstr(text, "\nTUNECHO_PING=198.18.0.2\nTUNECHO_VERSION="));
}

/* Nothing is written behind the end of the buffer, whatever its size. */
static void test_format_is_bounded(void **state)
{
        const struct status status = sample_status();
        char text[STATUS_TEXT_MAX];
        size_t length = (size_t) status_format(&status, text, sizeof(text));

        (void) state;

        for (size_t size = 0; size <= length + 1; size++) {
                char *buffer = malloc(size);

                assert_true(buffer || size == 0);
                assert_int_equal(status_format(&status, buffer, size),
                                 size > length ? (int) length : -ENOBUFS);
                free(buffer);
        }
}

static void test_whole(void **state)
{
        const struct status expected = sample_status();
        char text[STATUS_TEXT_MAX];
        struct status status;
        int size;

        (void) state;

        size = status_format(&expected, text, sizeof(text));
        assert_int_equal(parse(&status, text, (size_t) size), 0);
        assert_memory_equal(&status, &expected, sizeof(expected));
}

static void test_every_prefix(void **state)
{
        const struct status sample = sample_status();
        struct status status = { .pid = 1 };
        char text[STATUS_TEXT_MAX];
        int size;

        (void) state;

        size = status_format(&sample, text, sizeof(text));
        while (--size >= 0) {
                text[size] = '\0';
                assert_int_equal(parse(&status, text, (size_t) size), -EBADMSG);
                assert_int_equal(status.pid, 1);
        }
}

static void test_good(void **state)
{
        static const struct {
                const char *from, *to;
        } rules[] = {
                { "TUNECHO_MTU", "TUNECHO_NEW=x y z\nTUNECHO_MTU" },         /* a newer daemon */
                { "TUNECHO_MTU", "TUNECHO_NEW=\nTUNECHO_MTU" },              /* with an empty value */
                { "TUNECHO_PING=198.18.0.2\nTUNECHO_PING=2001:2::2\n", "" }, /* no peer */
                { "TUNECHO_PING=2001:2::2\n", "" },
                { "TUNECHO_SESSIONS=3", "TUNECHO_SESSIONS=18446744073709551615" },
                { "TUNECHO_PACKETS=", "TUNECHO_PACKETS=9" }, /* with unknown verdicts */
                { "TUNECHO_VERSION=0.1.0", "TUNECHO_VERSION=1.0~rc1+\"dfsg\"" },
        };
        struct status status;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                const char *text = changed(rules[i].from, rules[i].to);

                if (parse(&status, text, strlen(text)) != 0)
                        fail_msg("'%s' is refused", rules[i].to);
        }
}

static void test_bad(void **state)
{
        static const struct {
                const char *from, *to;
        } rules[] = {
                { "=tun0", "=" },
                { "=tun0", "=tun0tun0tun0tun0" },
                { "TUNECHO_PID=4711\n", "" },
                { "TUNECHO_PID=4711\n", "TUNECHO_PID=4711\nTUNECHO_PID=4711\n" },
                { "TUNECHO_PID=4711", "TUNECHO_PID=" },
                { "TUNECHO_PID=4711", "TUNECHO_PID=-4711" },
                { "TUNECHO_PID=4711", "TUNECHO_PID= 4711" },
                { "TUNECHO_PID=4711", "TUNECHO_PID=4711 " },
                { "TUNECHO_PID=4711", "TUNECHO_PID=0x4711" },
                { "TUNECHO_PID=4711", "TUNECHO_PID=18446744073709551616" },
                { "TUNECHO_REPLY=1000", "TUNECHO_REPLY=many" },
                { "TUNECHO_REPLY=1000\n", "" }, /* the sum is wrong */
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
        struct status status;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                const char *text = changed(rules[i].from, rules[i].to);

                if (parse(&status, text, strlen(text)) != -EBADMSG)
                        fail_msg("'%s' is accepted", rules[i].to);
        }
}

/* It lacks the last verdict; the others add up to its packets. */
static void test_older_daemon(void **state)
{
        struct status status, older = sample_status();
        char text[STATUS_TEXT_MAX], *last;

        (void) state;

        older.counters.verdicts[_VERDICT_MAX - 1] = 0;
        older.packets = counters_packets(&older.counters);
        assert_true(status_format(&older, text, sizeof(text)) > 0);
        last = strstr(text, verdict_field(_VERDICT_MAX - 1));
        assert_non_null(last);
        *last = '\0';
        assert_int_equal(parse(&status, text, strlen(text)), 0);
        assert_memory_equal(&status, &older, sizeof(older));
}

/* The texts of a status can be printed: they have an end, and no control characters. */
static bool is_printable(const struct status *status, const struct protocol_key *key)
{
        for (size_t i = 0; i < key->max && key->size > 0; i++) {
                const char *text = (const char *) status + key->offset + i * key->size;

                if (strnlen(text, key->size) == key->size)
                        return false;
                for (; *text != '\0'; text++)
                        if (*text <= ' ' || *text > '~')
                                return false;
        }

        return true;
}

/* Whichever bytes change, and however long it is, what is accepted can be printed. */
static void test_any_bytes(void **state)
{
        const struct status sample = sample_status();
        uint64_t random = 4711;
        unsigned n_accepted = 0;

        (void) state;

        for (unsigned i = 0; i < 20000; i++) {
                char text[STATUS_TEXT_MAX];
                struct status status;
                size_t size = (size_t) status_format(&sample, text, sizeof(text));

                for (unsigned change = 0; change <= i % 4; change++)
                        text[random_word(&random) % size] = (char) (random_word(&random) % UINT8_MAX + 1);
                if (i % 8 == 7)
                        text[random_word(&random) % size] = '\0';

                if (parse(&status, text, size) < 0)
                        continue;

                assert_int_not_equal(i % 8, 7);
                n_accepted++;
                for (const struct protocol_key *key = status_keys; key->name; key++)
                        assert_true(is_printable(&status, key));
        }

        assert_in_range(n_accepted, 1, 10000);
}

/* Every key has a name of its own, in both forms, and a place of its own in the struct. */
static void test_keys(void **state)
{
        (void) state;

        for (const struct protocol_key *key = status_keys; key->name; key++) {
                size_t size = key->size > 0 ? key->max * key->size : sizeof(uint64_t);

                assert_true(key->max > 0 && key->offset + size <= sizeof(struct status));
                for (const struct protocol_key *other = status_keys; other != key; other++) {
                        assert_string_not_equal(other->name, key->name);
                        assert_string_not_equal(other->json, key->json);
                        assert_int_not_equal(other->offset, key->offset);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_keys),
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_format_is_bounded),
                cmocka_unit_test(test_whole),
                cmocka_unit_test(test_every_prefix),
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_older_daemon),
                cmocka_unit_test(test_any_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
