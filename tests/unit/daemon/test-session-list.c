/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The list of open sessions, as a client receives it: what it has, and what a socket without space does. */

#include "daemon/session-list.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/util.h"
#include "engine/records.h"
#include "tunecho/sessions.h"
#include "unit.h"

static struct sessions sessions;

struct served {
        struct session_list *list;
        struct records *records;
        int client, daemon; /* the ends of a connection */
};

/* A request of the n-th client, whose addresses are as long as can be. */
static struct record request(unsigned n, uint16_t sequence)
{
        struct record record = {
                .packet = {
                        .source.family = AF_INET6,
                        .destination.family = AF_INET6,
                        .identifier = (uint16_t) (50000 + n),
                        .sequence = sequence,
                        .hop_limit = 64,
                },
                .size = 84,
                .verdict = VERDICT_REPLY,
        };

        memset(&record.packet.source.ipv6, 0xfd, sizeof(struct in6_addr));
        memset(&record.packet.destination.ipv6, 0xfe, sizeof(struct in6_addr));
        record.packet.source.bytes[15] = (uint8_t) n;
        return record;
}

static void serve(struct served *served, unsigned n_sessions)
{
        uint64_t now = monotonic_usec();
        int ends[2];

        assert_int_equal(records_new(&served->records, 1), 0);
        records_select(served->records, false, true);
        for (uint16_t sequence = 1; sequence <= 3; sequence++)
                for (unsigned i = 0; i < n_sessions; i++) {
                        struct record record = request(i, sequence);

                        records_add(served->records, now, &record, 1, 0);
                }

        served->list = session_list_new("tun0");
        assert_non_null(served->list);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        served->client = ends[0];
        served->daemon = ends[1];
        assert_int_equal(fcntl(served->daemon, F_SETFL, O_NONBLOCK), 0);
}

static void done(struct served *served)
{
        close_fdp(&served->client);
        assert_null(session_list_free(served->list));
        assert_null(records_free(served->records));
}

/* Sends what is none of the list, up to a limit or until the socket takes no more; returns how much, in bytes. */
static size_t fill(struct served *served, size_t limit)
{
        static const char filling[4096];
        int space = SESSIONS_TEXT_MAX;
        size_t filled = 0;
        ssize_t size;

        assert_int_equal(setsockopt(served->daemon, SOL_SOCKET, SO_SNDBUF, &space, sizeof(space)), 0);
        while (filled < limit && (size = send(served->daemon, filling, sizeof(filling), MSG_NOSIGNAL)) > 0)
                filled += (size_t) size;
        return filled;
}

/* Sends the list, closes the connection, and parses what the client reads behind the filling. */
static int read_sessions(struct served *served, size_t filled)
{
        size_t max = filled + SESSIONS_TEXT_MAX;
        char *text = malloc(max);
        ssize_t size;
        int r;

        session_list_send(served->list, served->records, served->daemon);
        close(served->daemon);
        size = recv(served->client, text, max - 1, MSG_WAITALL);
        assert_true(size >= (ssize_t) filled);
        text[size] = '\0';
        r = sessions_parse(&sessions, text + filled, (size_t) size - filled);
        free(text);
        return r;
}

static void test_rows(void **state)
{
        struct record record = request(1, 3);
        struct icmp_error error = { .reporter = record.packet.source, .type = 2, .mtu = 1280,
                                    .source = record.packet.destination, .destination = record.packet.source,
                                    .identifier = record.packet.identifier };
        struct served served;

        (void) state;

        serve(&served, 2);
        records_add_error(served.records, monotonic_usec(), &error);
        records_add(served.records, monotonic_usec(), &(struct record) { .verdict = VERDICT_MALFORMED }, 1, 0);
        assert_int_equal(read_sessions(&served, 0), 0);
        assert_string_equal(sessions.interface, "tun0");
        assert_string_equal(sessions.recording, "yes");
        assert_int_equal(sessions.open, 2);
        assert_int_equal(sessions.n, 2);
        assert_int_equal(sessions.rows[0].identifier, 50001);
        assert_int_equal(sessions.rows[0].requests, 3);
        assert_int_equal(sessions.rows[0].missing, 0);
        assert_string_equal(sessions.rows[0].unknown, "");
        assert_int_equal(sessions.rows[0].hop_limit_max, 64);
        assert_int_equal(sessions.rows[0].length_min, 84);
        assert_int_equal(sessions.rows[0].refused, 1);
        assert_string_equal(sessions.rows[0].reason, "packet too big");
        assert_int_equal(sessions.rows[0].path_mtu, 1280);
        assert_int_equal(sessions.rows[1].identifier, 50000);
        assert_true(sessions.rows[1].type == PROTOCOL_NONE);
        done(&served);
}

/* All that there can be fit a socket, though its client does not read yet. */
static void test_most(void **state)
{
        struct served served;

        (void) state;

        serve(&served, SESSIONS_MAX);
        assert_int_equal(read_sessions(&served, 0), 0);
        assert_int_equal(sessions.open, SESSIONS_MAX);
        assert_int_equal(sessions.n, SESSIONS_MAX);
        for (unsigned i = 0; i < SESSIONS_MAX; i++)
                assert_int_equal(sessions.rows[i].identifier, 50000 + SESSIONS_MAX - 1 - i);
        done(&served);
}

/* Sessions for which there is no space are not sent, and the client reads how many there are. */
static void test_little_space(void **state)
{
        socklen_t size = sizeof(int);
        struct served served;
        size_t filled;
        int space;

        (void) state;

        serve(&served, SESSIONS_MAX);
        filled = fill(&served, SIZE_MAX);
        assert_int_equal(getsockopt(served.daemon, SOL_SOCKET, SO_SNDBUF, &space, &size), 0);
        assert_int_equal(read_sessions(&served, filled), -EBADMSG);
        done(&served);

        /* About 64 kilobytes are left. */
        serve(&served, SESSIONS_MAX);
        filled = fill(&served, (size_t) ((double) filled * (1 - 65536.0 / space)));
        assert_int_equal(read_sessions(&served, filled), 0);
        assert_int_equal(sessions.open, SESSIONS_MAX);
        assert_in_range(sessions.n, 1, SESSIONS_MAX - 1);
        done(&served);
}

static void test_none(void **state)
{
        struct served served;

        (void) state;

        serve(&served, 0);
        records_select(served.records, false, false);
        assert_int_equal(read_sessions(&served, 0), 0);
        assert_string_equal(sessions.recording, "no");
        assert_int_equal(sessions.open, 0);
        done(&served);

        serve(&served, 1);
        close_fdp(&served.client);
        session_list_send(served.list, served.records, served.daemon);
        close(served.daemon);
        done(&served);
        assert_null(session_list_free(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows),
                cmocka_unit_test(test_most),
                cmocka_unit_test(test_little_space),
                cmocka_unit_test(test_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
