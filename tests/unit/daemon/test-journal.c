/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Log messages: text on stderr, entries with fields, and the catalogue that explains them. */

#include "daemon/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "packet/reflect.h"
#include "unit.h"

#define CATALOGUE_MAX (256 * 1024)

/* The catalogue's text, until the program ends. */
static const char *catalogue(void)
{
        static char text[CATALOGUE_MAX];
        const char *source = getenv("TUNECHO_SOURCE");
        char path[4096];
        FILE *file;

        if (!source)
                fail_msg("TUNECHO_SOURCE= does not tell where the sources are");

        (void) snprintf(path, sizeof(path), "%s/systemd/tunecho.catalog", source);
        file = fopen(path, "re");
        assert_non_null(file);
        assert_in_range(fread(text, 1, sizeof(text) - 1, file), 1, sizeof(text) - 2);
        fclose(file);
        return text;
}

/* How often the entry of an id begins in the catalogue. */
static unsigned count_entries(const char *text, const char *id)
{
        char heading[64];
        unsigned n = 0;

        (void) snprintf(heading, sizeof(heading), "\n-- %s\n", id);
        for (const char *found = strstr(text, heading); found; found = strstr(found + 1, heading))
                n++;

        return n;
}

/* The ids of all kinds of entries: of the messages, and of the drops by their verdict. */
static const struct ids {
        const char *items[(size_t) _MESSAGE_MAX + (size_t) _VERDICT_MAX];
        size_t n;
} * all_ids(void)
{
        static struct ids ids;

        ids.n = 0;
        for (enum message m = 0; m < _MESSAGE_MAX; m++)
                ids.items[ids.n++] = message_id(m);
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                if (!verdict_is_silent(v))
                        ids.items[ids.n++] = verdict_message_id(v);

        return &ids;
}

static void test_ids(void **state)
{
        const struct ids *ids = all_ids();

        (void) state;

        for (size_t i = 0; i < ids->n; i++) {
                assert_non_null(ids->items[i]);
                assert_int_equal(strlen(ids->items[i]), 32);
                assert_int_equal(strspn(ids->items[i], "0123456789abcdef"), 32);
                for (size_t other = 0; other < i; other++)
                        assert_string_not_equal(ids->items[other], ids->items[i]);
        }
}

static void test_catalogue_has_every_id(void **state)
{
        const struct ids *ids = all_ids();

        (void) state;

        for (size_t i = 0; i < ids->n; i++)
                if (count_entries(catalogue(), ids->items[i]) != 1)
                        fail_msg("%s is there %u times", ids->items[i],
                                 count_entries(catalogue(), ids->items[i]));
}

static void test_catalogue_has_no_other_id(void **state)
{
        unsigned n = 0;

        (void) state;

        for (const char *entry = strstr(catalogue(), "\n-- "); entry; entry = strstr(entry + 1, "\n-- "))
                n++;
        assert_int_equal(n, all_ids()->n);
}

/* The headers of an entry: subject, origin and documentation. */
static void test_catalogue_has_headers(void **state)
{
        (void) state;

        for (const char *entry = strstr(catalogue(), "\n-- "); entry; entry = strstr(entry + 1, "\n-- ")) {
                const char *end = strstr(entry + 1, "\n-- "), *empty = strstr(entry + 1, "\n\n");
                static const char *const headers[] = { "\nSubject: ", "\nDefined-By: tunecho\n",
                                                       "\nDocumentation: man:tunecho" };

                assert_non_null(empty);
                for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
                        const char *header = strstr(entry, headers[i]);

                        if (!header || header > empty)
                                fail_msg("%.36s has no %s", entry + 1, headers[i] + 1);
                }

                /* Then what happened, what it means, and what to do. */
                assert_in_range((size_t) ((end ? end : entry + strlen(entry)) - empty), 80, 4000);
        }
}

/* What the children below are to do; a child has a copy of it. */
static struct {
        const char *interface;
        const char *stream, *invocation; /* of the environment; NULL: not set */
        bool stream_is_stderr;
        enum message message;
        int error;
        const char *text;
        struct packet_info packet;
        size_t size;
        enum verdict verdict;
} sent;

static const char *set_environment(void)
{
        const char *stream = sent.stream;
        char identity[64];
        struct stat status;

        if (unsetenv("JOURNAL_STREAM") < 0 || unsetenv("INVOCATION_ID") < 0 ||
            fstat(STDERR_FILENO, &status) < 0)
                return "no environment";

        (void) snprintf(identity, sizeof(identity), "%ju:%ju", (uintmax_t) status.st_dev,
                        (uintmax_t) status.st_ino);
        if (sent.stream_is_stderr)
                stream = identity;
        if (stream && setenv("JOURNAL_STREAM", stream, 1) < 0)
                return "cannot set JOURNAL_STREAM";
        if (sent.invocation && setenv("INVOCATION_ID", sent.invocation, 1) < 0)
                return "cannot set INVOCATION_ID";

        return NULL;
}

static const char *tell(void)
{
        struct journal journal;
        const char *wrong;

        wrong = set_environment();
        if (wrong)
                return wrong;

        journal_init(&journal);
        if (journal.native != sent.stream_is_stderr)
                return "the journal is somewhere else";

        journal.interface = sent.interface;
        if (sent.size > 0)
                journal_send_packet(&journal, &sent.packet, sent.size, sent.verdict);
        else
                journal_send(&journal, sent.message, NULL, sent.error, "%s: %m", sent.text);
        return NULL;
}

static void assert_tells(child_function function, const char *expected)
{
        char text[8192];
        const char *failure = in_child(function, text, sizeof(text));

        if (failure)
                fail_msg("%s", failure);
        assert_string_equal(text, expected);
}

static void assert_told(const char *expected)
{
        assert_tells(tell, expected);
}

/* Lines on stderr: with their level for systemd, without for a terminal. */
static void test_text(void **state)
{
        static const struct {
                const char *stream, *invocation;
                enum message message;
                const char *text;
        } rules[] = {
                { NULL, NULL, MESSAGE_READY, "it works: Success\n" },
                { NULL, "0123456789abcdef0123456789abcdef", MESSAGE_READY, "<6>it works: Success\n" },
                { NULL, "0123456789abcdef0123456789abcdef", MESSAGE_SETTINGS_WRONG,
                  "<3>it works: Success\n" },
                { NULL, "0123456789abcdef0123456789abcdef", MESSAGE_IPV6_OFF, "<4>it works: Success\n" },
                { "1:1", NULL, MESSAGE_READY, "<6>it works: Success\n" },
                { "", NULL, MESSAGE_READY, "<6>it works: Success\n" },
                { "1:1", "0123456789abcdef0123456789abcdef", MESSAGE_DEVICE_LOST, "<3>it works: Success\n" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                memset(&sent, 0, sizeof(sent));
                sent.stream = rules[i].stream;
                sent.invocation = rules[i].invocation;
                sent.message = rules[i].message;
                sent.text = "it works";
                assert_told(rules[i].text);
        }
}

static void test_error_in_text(void **state)
{
        char expected[128];

        (void) state;

        memset(&sent, 0, sizeof(sent));
        sent.error = -ENODEV;
        sent.text = "no";
        (void) snprintf(expected, sizeof(expected), "no: %s\n", strerror(ENODEV));
        assert_told(expected);
}

/* A file's line may be quoted in a message, which is one line nevertheless, and orders no terminal about. */
static void test_control_characters(void **state)
{
        char text[256] = "", expected[512] = "";

        (void) state;

        for (int c = 1; c < 256; c++) {
                text[c - 1] = (char) c;
                expected[c - 1] = (char) (c < ' ' || c == 0x7f ? '?' : c);
        }
        memset(&sent, 0, sizeof(sent));
        sent.text = text;
        strcat(expected, ": Success\n");
        assert_told(expected);
}

static void test_long_text(void **state)
{
        static char text[5000];
        char got[8192];

        (void) state;

        memset(text, 'x', sizeof(text) - 1);
        memset(&sent, 0, sizeof(sent));
        sent.text = text;
        assert_null(in_child(tell, got, sizeof(got)));
        assert_in_range(strlen(got), 500, sizeof(text));
        assert_int_equal(strspn(got, "x"), strlen(got) - 1);
        assert_int_equal(got[strlen(got) - 1], '\n');
}

static const char *tell_a_terminal(void)
{
        _cleanup_(close_fdp) int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        _cleanup_(close_fdp) int end = -1;
        struct journal journal;
        const char *wrong;

        if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0)
                return "no terminal";

        end = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (end < 0 || dup2(end, STDERR_FILENO) < 0)
                return "no other end of the terminal";

        wrong = set_environment();
        if (wrong)
                return wrong;

        journal_init(&journal);
        return journal.native || journal.prefixed ? "a person sees levels" : NULL;
}

static void test_terminal(void **state)
{
        (void) state;

        memset(&sent, 0, sizeof(sent));
        sent.invocation = "0123456789abcdef0123456789abcdef";
        assert_null(in_child(tell_a_terminal, NULL, 0));
}

static void test_text_of_packets(void **state)
{
        static const struct {
                struct packet_info packet;
                size_t size;
                enum verdict verdict;
                const char *text;
        } rules[] = {
                { { .source = { AF_INET, .bytes = { 198, 18, 0, 1 } },
                    .destination = { AF_INET, .bytes = { 198, 18, 0, 2 } },
                    .protocol = 1,
                    .hop_limit = 64,
                    .has_icmp = true,
                    .type = 8,
                    .is_echo = true,
                    .identifier = 4711,
                    .sequence = 65535 },
                  84,
                  VERDICT_REPLY,
                  "198.18.0.1 > 198.18.0.2: icmp type 8 code 0 id 4711 seq 65535, 84 bytes, ttl 64: "
                  "reply\n" },
                { { .source = { AF_INET6, .bytes = { 0x20, 0x01, 0, 2, [15] = 1 } },
                    .destination = { AF_INET6, .bytes = { 0xff, 0x02, [15] = 2 } },
                    .protocol = 58,
                    .hop_limit = 255,
                    .has_icmp = true,
                    .type = 133 },
                  56,
                  VERDICT_HOUSEKEEPING,
                  "2001:2::1 > ff02::2: icmpv6 type 133 code 0, 56 bytes, ttl 255: housekeeping\n" },
                { { .source = { AF_INET, .bytes = { 198, 18, 0, 1 } },
                    .destination = { AF_INET, .bytes = { 198, 18, 0, 2 } },
                    .protocol = 17,
                    .hop_limit = 1,
                    .is_fragment = true },
                  1500,
                  VERDICT_NOT_ICMP,
                  "198.18.0.1 > 198.18.0.2: udp fragment, 1500 bytes, ttl 1: not-icmp\n" },
                { { .source = { AF_INET, .bytes = { 198, 18, 0, 1 } },
                    .destination = { AF_INET, .bytes = { 198, 18, 0, 2 } },
                    .protocol = 255 },
                  20,
                  VERDICT_NOT_ICMP,
                  "198.18.0.1 > 198.18.0.2: protocol 255, 20 bytes, ttl 0: not-icmp\n" },
                { { .source = { AF_INET6, .bytes = { [15] = 2 } },
                    .destination = { AF_INET6, .bytes = { [15] = 3 } },
                    .protocol = 59,
                    .hop_limit = 2 },
                  40,
                  VERDICT_NOT_ICMP,
                  "::2 > ::3: protocol 59, 40 bytes, ttl 2: not-icmp\n" },
                { { .protocol = 0 }, 3, VERDICT_MALFORMED, "3 bytes without an IP header: malformed\n" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                memset(&sent, 0, sizeof(sent));
                sent.packet = rules[i].packet;
                sent.size = rules[i].size;
                sent.verdict = rules[i].verdict;
                assert_told(rules[i].text);
        }
}

static const char *tell_drops(void)
{
        struct journal journal;
        const char *wrong;

        wrong = set_environment();
        if (wrong)
                return wrong;

        journal_init(&journal);
        journal.interface = "tun0";
        journal_send_drops(&journal, VERDICT_NOT_OURS, 1);
        journal_send_drops(&journal, VERDICT_BAD_ICMP_CHECKSUM, UINT64_MAX);
        return NULL;
}

static void test_text_of_drops(void **state)
{
        (void) state;

        memset(&sent, 0, sizeof(sent));
        sent.invocation = "0123456789abcdef0123456789abcdef";
        assert_tells(tell_drops,
                     "<5>'tun0' dropped 1 packet as not-ours: Destination= does not contain the "
                     "destination address\n"
                     "<5>'tun0' dropped 18446744073709551615 packets as bad-icmp-checksum: the checksum "
                     "does not match the message: corruption, or checksum offload\n");
}

/* An entry's own fields, of which some are more than there is room for. */
static void test_fields_have_room(void **state)
{
        struct journal_fields fields = { 0 };
        struct counters counters = { .unsent = UINT64_MAX };
        char large[5000];

        (void) state;

        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                counters.verdicts[v] = UINT64_MAX / _VERDICT_MAX;

        /* The totals, with everything that every entry has, and as much again. */
        journal_add_counters(&fields, &counters);
        assert_int_equal(fields.n_items, _VERDICT_MAX + 4);
        assert_in_range(fields.n_items + 5, 0, JOURNAL_MAX_FIELDS);
        assert_in_range(fields.used, 1, sizeof(fields.text) - 1500);
        for (size_t i = 0; i < fields.n_items; i++) {
                const char *text = fields.items[i].iov_base;
                size_t name = strcspn(text, "=");

                assert_in_range(name, 1, fields.items[i].iov_len - 2);
                assert_int_equal(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), name);
                assert_memory_equal(text, "TUNECHO_", strlen("TUNECHO_"));
        }

        memset(large, 'x', sizeof(large));
        large[sizeof(large) - 1] = '\0';
        memset(&fields, 0, sizeof(fields));
        journal_add(&fields, "LARGE=%s", large);
        assert_int_equal(fields.n_items, 0);
        journal_add(&fields, "SMALL=%d", 1);
        assert_int_equal(fields.n_items, 1);
        assert_int_equal(fields.items[0].iov_len, strlen("SMALL=1"));
        assert_memory_equal(fields.items[0].iov_base, "SMALL=1", strlen("SMALL=1"));

        memset(&fields, 0, sizeof(fields));
        for (unsigned i = 0; i < 2 * JOURNAL_MAX_FIELDS; i++)
                journal_add(&fields, "FIELD=%u", i);
        assert_int_equal(fields.n_items, JOURNAL_MAX_FIELDS);
        for (unsigned i = 0; i < JOURNAL_MAX_FIELDS; i++) {
                char expected[32];

                (void) snprintf(expected, sizeof(expected), "FIELD=%u", i);
                assert_int_equal(fields.items[i].iov_len, strlen(expected));
                assert_memory_equal(fields.items[i].iov_base, expected, strlen(expected));
        }

        /* Up to the last byte, and not beyond. */
        memset(&fields, 0, sizeof(fields));
        journal_add(&fields, "A=%.*s", (int) sizeof(fields.text) - 3, large);
        assert_int_equal(fields.n_items, 1);
        assert_int_equal(fields.used, sizeof(fields.text) - 1);
        journal_add(&fields, "B=");
        assert_int_equal(fields.n_items, 1);
}

static void test_counters_add_up(void **state)
{
        static const char *const expected[] = {
                "TUNECHO_PACKETS=15",
                "TUNECHO_REPLIES=11",
                "TUNECHO_DROPPED=4",
                "TUNECHO_UNSENT=2",
                "TUNECHO_REPLY=10",
                "TUNECHO_REPLY_FRAGMENT=1",
                "TUNECHO_NOT_ECHO=4",
                "TUNECHO_MALFORMED=0",
        };
        struct counters counters = {
                .verdicts = { [VERDICT_REPLY] = 10, [VERDICT_REPLY_FRAGMENT] = 1, [VERDICT_NOT_ECHO] = 4 },
                .unsent = 2,
        };
        struct journal_fields fields = { 0 };

        (void) state;

        journal_add_counters(&fields, &counters);
        for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
                bool found = false;

                for (size_t n = 0; n < fields.n_items; n++)
                        found = found ||
                                (fields.items[n].iov_len == strlen(expected[i]) &&
                                 memcmp(fields.items[n].iov_base, expected[i], strlen(expected[i])) == 0);
                if (!found)
                        fail_msg("%s", expected[i]);
        }
}

/* Makes /run an empty place of the child's own, where no journal listens but the child. */
static const char *hide_journal(void)
{
        const char *wrong = become_root(CLONE_NEWNS);

        if (wrong)
                return wrong;
        if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("none", "/run", "tmpfs", 0, NULL) < 0)
                return "no mount namespace";

        return mkdir("/run/systemd", 0755) < 0 || mkdir("/run/systemd/journal", 0755) < 0
                       ? "cannot write to it"
                       : NULL;
}

static bool has_field(const char *entry, const char *field)
{
        size_t size = strlen(field);

        for (const char *found = strstr(entry, field); found; found = strstr(found + 1, field))
                if ((found == entry || found[-1] == '\n') && found[size] == '\n')
                        return true;

        return false;
}

/* What the journal gets, in its own protocol: lines of NAME=VALUE. */
static const char *listen_to_entries(void)
{
        static const struct sockaddr_un address = { AF_UNIX, "/run/systemd/journal/socket" };
        static const char *const expected[] = {
                "MESSAGE=a device: No such device",
                "PRIORITY=3",
                "TUNECHO_INTERFACE=tun0",
                "ERRNO=19",
                "OWN=1",
                "SYSLOG_IDENTIFIER=test-daemon-journal",
        };
        struct journal_fields fields = { 0 };
        _cleanup_(close_fdp) int fd = -1;
        static char entry[8192];
        struct journal journal;
        const char *wrong;
        char id[64];
        ssize_t size;

        wrong = hide_journal();
        if (wrong)
                return wrong;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return "nothing to listen to";

        wrong = set_environment();
        if (wrong)
                return wrong;

        journal_init(&journal);
        if (!journal.native)
                return "not the journal's";

        journal.interface = "tun0";
        journal_add(&fields, "OWN=%d", 1);
        journal_send(&journal, MESSAGE_DEVICE_FAILED, &fields, -ENODEV, "a device: %m");

        size = recv(fd, entry, sizeof(entry) - 1, 0);
        if (size <= 0)
                return "no entry";
        for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
                if (!has_field(entry, expected[i]))
                        return expected[i];

        (void) snprintf(id, sizeof(id), "MESSAGE_ID=%s", message_id(MESSAGE_DEVICE_FAILED));
        if (!has_field(entry, id))
                return "MESSAGE_ID=";

        /* No entry has the place in the source, and one without an interface has no TUNECHO_INTERFACE. */
        if (strstr(entry, "CODE_FILE"))
                return "CODE_FILE=";

        journal_send_drops(&journal, VERDICT_MALFORMED, 3);
        size = recv(fd, entry, sizeof(entry) - 1, 0);
        if (size <= 0)
                return "no entry for drops";
        entry[size] = '\0';
        (void) snprintf(id, sizeof(id), "MESSAGE_ID=%s", verdict_message_id(VERDICT_MALFORMED));
        if (!has_field(entry, id) || !has_field(entry, "PRIORITY=5") ||
            !has_field(entry, "TUNECHO_VERDICT=malformed") || !has_field(entry, "TUNECHO_DROPPED=3"))
                return "a field of the drops";

        journal.interface = "";
        journal_send(&journal, MESSAGE_READY, NULL, 0, "ready");
        size = recv(fd, entry, sizeof(entry) - 1, 0);
        if (size <= 0)
                return "no second entry";
        entry[size] = '\0';
        if (!has_field(entry, "PRIORITY=6") || strstr(entry, "TUNECHO_INTERFACE") || strstr(entry, "ERRNO"))
                return "an unexpected field";

        return NULL;
}

static void test_entry_with_fields(void **state)
{
        (void) state;

        memset(&sent, 0, sizeof(sent));
        sent.stream_is_stderr = true;
        assert_tells(listen_to_entries, "");
}

static const char *tell_nobody(void)
{
        const char *wrong = hide_journal();

        return wrong ? wrong : tell();
}

/* Without a journal the text goes to stderr. */
static void test_entry_without_journal(void **state)
{
        (void) state;

        memset(&sent, 0, sizeof(sent));
        sent.stream_is_stderr = true;
        sent.text = "it works";
        assert_tells(tell_nobody, "<6>it works: Success\n");
}

int main(void)
{
        struct CMUnitTest tests[] = {
                cmocka_unit_test(test_entry_with_fields),
                cmocka_unit_test(test_entry_without_journal),
                cmocka_unit_test(test_ids),
                cmocka_unit_test(test_catalogue_has_every_id),
                cmocka_unit_test(test_catalogue_has_no_other_id),
                cmocka_unit_test(test_catalogue_has_headers),
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_error_in_text),
                cmocka_unit_test(test_control_characters),
                cmocka_unit_test(test_long_text),
                cmocka_unit_test(test_terminal),
                cmocka_unit_test(test_text_of_packets),
                cmocka_unit_test(test_text_of_drops),
                cmocka_unit_test(test_fields_have_room),
                cmocka_unit_test(test_counters_add_up),
        };
        bool possible = in_child(hide_journal, NULL, 0) == NULL;

        skip_unless(possible, &tests[0], "needs user namespaces or root");
        skip_unless(possible, &tests[1], "needs user namespaces or root");
        return cmocka_run_group_tests(tests, NULL, NULL);
}
