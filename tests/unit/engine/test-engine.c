/* SPDX-License-Identifier: GPL-2.0-or-later */

/* test-engine TYPE: an engine on a socket pair, which keeps packets apart as a device does. */

#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "model.h"
#include "packets.h"
#include "unit.h"

/* As large as any packet in here. */
#define MTU 65535

/* Both kinds of socket that keep packets apart. */
static const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM };

/* What is tested in this run. */
static enum engine_type wanted;

/* An engine that answers at one end, and us at the other. */
struct pair {
        int ours, its;
        struct engine *engine;
};

static struct pair pair_new(int type, int policy)
{
        struct pair pair;
        int sockets[2];

        assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, sockets), 0);
        pair.ours = sockets[0];
        pair.its = sockets[1];
        assert_int_equal(fcntl(pair.ours, F_SETFL, O_NONBLOCK), 0);
        assert_int_equal(engine_new(&pair.engine, wanted, pair.its, MTU, &policies[policy]), 0);
        return pair;
}

/* Moves packets until there are no more, and returns how many there were. */
static int move(const struct pair *pair)
{
        int total = 0;
        bool more;

        do {
                int n = engine_move(pair->engine, &more);

                if (n < 0)
                        return n;
                assert_in_range(n, 0, ENGINE_BUDGET);
                total += n;
        } while (more);

        return total;
}

static void pair_free(struct pair *pair)
{
        engine_freep(&pair->engine);
        assert_null(pair->engine);
        close_fdp(&pair->ours);
        close_fdp(&pair->its);
}

static void send_packet(const struct pair *pair, const struct packet *packet)
{
        assert_int_equal(send(pair->ours, packet->bytes, packet->size, 0), packet->size);
}

/* Our packet number @n: with this sequence number. */
static struct packet numbered(uint16_t n)
{
        struct packet packet = n % 2 == 0 ? plain_ipv4 : plain_ipv6;

        put16(packet.bytes + (n % 2 == 0 ? 26 : 46), n);
        repair(packet.bytes, packet.size);
        return packet;
}

static void assert_reply(const struct pair *pair, const struct packet *request)
{
        uint8_t buffer[65536];
        struct packet expected = *request;
        size_t offset, length;

        assert_true(verdict_is_reply(
                model_reflect(&policies[PEERS], 0, expected.bytes, expected.size, &offset, &length)));
        assert_int_equal(recv(pair->ours, buffer, sizeof(buffer), 0), length);
        assert_memory_equal(buffer, expected.bytes + offset, length);
}

static void assert_silence(const struct pair *pair)
{
        uint8_t byte;

        assert_int_equal(recv(pair->ours, &byte, sizeof(byte), 0), -1);
        assert_int_equal(errno, EAGAIN);
}

/* So many packets, from number 0 on. */
static void send_numbered(const struct pair *pair, uint16_t n)
{
        for (uint16_t i = 0; i < n; i++) {
                struct packet packet = numbered(i);

                send_packet(pair, &packet);
        }
}

/* Their replies in their order, and nothing else. */
static void assert_replies(const struct pair *pair, uint16_t n)
{
        for (uint16_t i = 0; i < n; i++) {
                struct packet packet = numbered(i);

                assert_reply(pair, &packet);
        }
        assert_silence(pair);
}

static void test_names(void **state)
{
        (void) state;

        assert_string_equal(engine_type_name(ENGINE_AUTO), "auto");
        assert_string_equal(engine_type_name(ENGINE_IO_URING), "io_uring");
        assert_string_equal(engine_type_name(ENGINE_SYSCALL), "syscall");
        assert_int_equal(_ENGINE_MAX, 3);
}

static void test_types(void **state)
{
        struct engine *engine = NULL;
        int sockets[2];

        (void) state;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets), 0);
        assert_int_equal(engine_new(&engine, wanted, sockets[0], MTU, &policies[PEERS]), 0);
        assert_non_null(engine);
        assert_int_equal(engine_status(engine)->type, wanted);
        assert_int_equal(engine_status(engine)->fallback, 0);
        assert_null(engine_free(engine));
        assert_null(engine_free(NULL));

        /* The descriptor is the caller's, and still open. */
        assert_int_equal(close(sockets[0]), 0);
        assert_int_equal(close(sockets[1]), 0);
}

/* Whatever the flags were that a process before left behind. */
static void test_never_waits(void **state)
{
        struct engine *engine;
        int sockets[2];
        bool more;

        (void) state;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
        assert_int_equal(engine_new(&engine, wanted, sockets[0], MTU, &policies[PEERS]), 0);
        assert_true(fcntl(sockets[0], F_GETFL) & O_NONBLOCK);
        assert_int_equal(engine_move(engine, &more), 0);
        assert_false(more);
        assert_int_equal(counters_packets(engine_counters(engine)), 0);

        assert_null(engine_free(engine));
        close(sockets[0]);
        close(sockets[1]);
}

/* One at a time, with the time of each. */
static void test_takes_one(void **state)
{
        struct pair pair = pair_new(SOCK_SEQPACKET, PEERS);
        uint64_t time, before = 0;

        (void) state;

        assert_int_equal(engine_take(pair.engine, &time), 0);
        for (unsigned i = 0; i < 3; i++)
                send_packet(&pair, &plain_ipv6);
        for (unsigned i = 0; i < 3; i++) {
                assert_int_equal(engine_take(pair.engine, &time), 1);
                assert_true(time >= before && time > 0);
                before = time;
                assert_reply(&pair, &plain_ipv6);
                assert_silence(&pair);
        }
        assert_int_equal(engine_take(pair.engine, &time), 0);

        close_fdp(&pair.its);
        assert_int_equal(engine_take(pair.engine, &time), -EBADF);
        pair_free(&pair);
}

/* A device whose packets grow and shrink, in the middle of a load, too. */
static void test_mtu(void **state)
{
        static const unsigned mtus[] = { 1500, 9000, 68, 65535 };
        struct pair pair = pair_new(SOCK_SEQPACKET, PEERS);
        int total = 0;
        bool more;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(mtus); i++) {
                send_numbered(&pair, 40);
                for (unsigned batch = 0; batch < 2; batch++)
                        total += engine_move(pair.engine, &more);
                engine_set_mtu(pair.engine, mtus[i]);
                total += move(&pair);
                assert_replies(&pair, 40);
        }
        assert_int_equal(total, 40 * ARRAY_SIZE(mtus));
        pair_free(&pair);
}

static void test_answers(void **state)
{
        (void) state;

        for (size_t type = 0; type < ARRAY_SIZE(types); type++) {
                struct pair pair = pair_new(types[type], PEERS);

                for (size_t i = 0; i < n_goldens; i++) {
                        /* The one kind of reply that depends on the clock has a test of its own. */
                        if (strstr(goldens[i].what, "Timestamp"))
                                continue;

                        send_packet(&pair, &goldens[i].request);
                        assert_int_equal(move(&pair), 1);
                        assert_reply(&pair, &goldens[i].request);
                        assert_silence(&pair);
                }
                assert_int_equal(move(&pair), 0);
                assert_int_equal(engine_counters(pair.engine)->unsent, 0);
                pair_free(&pair);
        }
}

/* However many there are, the replies leave in the order in which the requests came. */
static void test_order(void **state)
{
        (void) state;

        for (size_t type = 0; type < ARRAY_SIZE(types); type++) {
                struct pair pair = pair_new(types[type], PEERS);
                uint16_t n = 3 * ENGINE_BUDGET + 7;

                send_numbered(&pair, n);
                assert_int_equal(move(&pair), n);
                assert_replies(&pair, n);
                assert_int_equal(counters_replies(engine_counters(pair.engine)), n);
                pair_free(&pair);
        }
}

/* The first packets of a load one by one, then batches that grow as long as they are full, and end with one. */
static void test_batches_grow(void **state)
{
        static const int batched[] = { 8, 8, 16, 32, 64, 64, 5 }, plain[] = { 64, 64, 64, 5 };
        const int *expected = wanted == ENGINE_IO_URING ? batched : plain;
        size_t n = wanted == ENGINE_IO_URING ? ARRAY_SIZE(batched) : ARRAY_SIZE(plain);
        struct pair pair = pair_new(SOCK_SEQPACKET, PEERS);
        bool more;

        (void) state;

        /* So large a batch has no room for packets of any size, such as may be queued in the first load. */
        engine_set_mtu(pair.engine, 1500);
        send_numbered(&pair, 41);
        assert_int_equal(move(&pair), 41);
        assert_replies(&pair, 41);
        for (unsigned load = 0; load < 2; load++) {
                send_numbered(&pair, 197);
                for (size_t i = 0; i < n; i++) {
                        assert_int_equal(engine_move(pair.engine, &more), expected[i]);
                        assert_int_equal(more, i + 1 < n || wanted == ENGINE_IO_URING);
                }

                /* Every reply was written; what follows is a load again only if it is one by itself. */
                assert_replies(&pair, 197);
                assert_int_equal(engine_move(pair.engine, &more), 0);
                assert_false(more);
        }
        pair_free(&pair);
}

/* One packet of each kind that there is; one verdict for each, and nothing back but the replies. */
static void test_counters_add_up(void **state)
{
        static const struct {
                const struct packet *packet;
                size_t offset;
                uint8_t value;
                bool repaired;
                enum verdict verdict;
        } kinds[] = {
                { &plain_ipv4, 8, 1, true, VERDICT_REPLY },
                { &plain_ipv6, 7, 1, true, VERDICT_REPLY },
                { &plain_ipv4, 7, 3, true, VERDICT_REPLY_FRAGMENT },
                { &plain_ipv4, 0, 0x55, false, VERDICT_MALFORMED },
                { &plain_ipv4, 9, 17, true, VERDICT_NOT_ICMP },
                { &plain_ipv6, 40, 129, true, VERDICT_NOT_ECHO },
                { &plain_ipv4, 10, 0, false, VERDICT_BAD_IP_CHECKSUM },
                { &plain_ipv6, 42, 0, false, VERDICT_BAD_ICMP_CHECKSUM },
                { &plain_ipv4, 12, 0, true, VERDICT_BAD_SOURCE },
                { &plain_ipv4, 16, 127, true, VERDICT_BAD_DESTINATION },
                { &plain_ipv4, 16, 224, true, VERDICT_GROUP_DESTINATION },
        };
        struct pair pair = pair_new(SOCK_SEQPACKET, PEERS);
        const struct counters *counters = engine_counters(pair.engine);
        uint64_t n_replies = 0;
        uint8_t buffer[256];

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                uint64_t before = counters->verdicts[kinds[i].verdict];
                struct packet packet = *kinds[i].packet;

                packet.bytes[kinds[i].offset] = kinds[i].value;
                if (kinds[i].repaired)
                        repair(packet.bytes, packet.size);
                send_packet(&pair, &packet);
                assert_int_equal(move(&pair), 1);
                assert_int_equal(counters->verdicts[kinds[i].verdict], before + 1);
                assert_int_equal(counters_packets(counters), i + 1);

                n_replies += verdict_is_reply(kinds[i].verdict);
                assert_int_equal(counters_replies(counters), n_replies);
                if (verdict_is_reply(kinds[i].verdict))
                        assert_int_equal(recv(pair.ours, buffer, sizeof(buffer), 0), packet.size);
                assert_silence(&pair);
        }

        assert_int_equal(counters->unsent, 0);
        pair_free(&pair);
}

/* Nobody reads the replies: those that find no room are counted, and the requests are taken nevertheless. */
static void test_full_device(void **state)
{
        (void) state;

        for (size_t type = 0; type < ARRAY_SIZE(types); type++) {
                struct pair pair = pair_new(types[type], PEERS);
                const struct counters *counters = engine_counters(pair.engine);
                uint16_t n_sent = ENGINE_BUDGET, n_received = 0;
                int small = 1;
                uint8_t buffer[256];

                assert_int_equal(setsockopt(pair.its, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
                for (uint16_t i = 0; i < n_sent; i++) {
                        struct packet packet = numbered(i);

                        send_packet(&pair, &packet);
                }
                assert_int_equal(move(&pair), n_sent);

                while (recv(pair.ours, buffer, sizeof(buffer), 0) > 0)
                        n_received++;
                assert_in_range(n_received, 1, n_sent - 1);
                assert_int_equal(counters_replies(counters), n_sent);
                assert_int_equal(counters->unsent, n_sent - n_received);

                /* With room again, it goes on as before. */
                send_packet(&pair, &plain_ipv4);
                assert_int_equal(move(&pair), 1);
                assert_reply(&pair, &plain_ipv4);
                assert_int_equal(counters->unsent, n_sent - n_received);
                pair_free(&pair);
        }
}

/* Nobody is there any longer to get the reply. */
static void test_refused_write(void **state)
{
        struct pair pair = pair_new(SOCK_DGRAM, PEERS);

        (void) state;

        send_packet(&pair, &plain_ipv4);
        assert_int_equal(shutdown(pair.its, SHUT_WR), 0);
        assert_int_equal(move(&pair), 1);
        assert_int_equal(engine_counters(pair.engine)->verdicts[VERDICT_REPLY], 1);
        assert_int_equal(engine_counters(pair.engine)->unsent, 1);
        assert_silence(&pair);
        pair_free(&pair);
}

static void test_failed_read(void **state)
{
        struct pair pair = pair_new(SOCK_SEQPACKET, PEERS);

        (void) state;

        close_fdp(&pair.its);
        assert_int_equal(move(&pair), -EBADF);
        assert_int_equal(counters_packets(engine_counters(pair.engine)), 0);
        pair_free(&pair);
}

static void test_largest_packet(void **state)
{
        struct pair pair = pair_new(SOCK_SEQPACKET, PEERS);
        static uint8_t packet[65535], reply[65536];
        uint64_t random = 1;

        (void) state;

        random_bytes(&random, packet, sizeof(packet));
        memcpy(packet, plain_ipv4.bytes, 28);
        put16(packet + 2, sizeof(packet));
        repair(packet, sizeof(packet));
        assert_int_equal(send(pair.ours, packet, sizeof(packet), 0), sizeof(packet));
        assert_int_equal(move(&pair), 1);
        assert_int_equal(recv(pair.ours, reply, sizeof(reply), 0), sizeof(packet));
        assert_memory_equal(reply + 24, packet + 24, sizeof(packet) - 24);
        assert_int_equal(slow_sum(0, reply + 20, sizeof(packet) - 20), 0xffff);
        pair_free(&pair);
}

static uint32_t milliseconds_of_day(void)
{
        struct timespec now;

        assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
        return (uint32_t) (now.tv_sec % 86400) * 1000 + (uint32_t) (now.tv_nsec / 1000000);
}

/* A Timestamp option comes back with the time of this machine; at midnight it begins anew. */
static void test_time_of_day(void **state)
{
        static const uint8_t timestamp[] = { 68, 8, 5, 0, 0, 0, 0, 0 };
        struct pair pair = pair_new(SOCK_SEQPACKET, PEERS);
        struct packet packet = plain_ipv4;
        uint32_t before, time, after;
        uint8_t reply[PACKET_ROOM];

        (void) state;

        packet.bytes[0] = 0x47;
        memcpy(packet.bytes + 20, timestamp, sizeof(timestamp));
        memcpy(packet.bytes + 28, plain_ipv4.bytes + 20, 24);
        packet.size = 52;
        put16(packet.bytes + 2, 52);
        repair(packet.bytes, packet.size);

        send_packet(&pair, &packet);
        before = milliseconds_of_day();
        assert_int_equal(move(&pair), 1);
        after = milliseconds_of_day();
        assert_int_equal(recv(pair.ours, reply, sizeof(reply), 0), packet.size);

        time = (uint32_t) get16(reply + 24) << 16 | get16(reply + 26);
        assert_in_range(time, 0, 86399999);
        assert_true(before <= after ? before <= time && time <= after : time >= before || time <= after);
        pair_free(&pair);
}

/* What an observer saw. */
struct observed {
        unsigned n;
        struct packet_info packet;
        size_t size;
        enum verdict verdict;
        const struct counters *counters;
        uint64_t n_counted, now;
};

static void observe(void *userdata, uint64_t now, const struct packet_info *packet, size_t size,
                    enum verdict verdict)
{
        struct observed *observed = userdata;

        observed->n++;
        assert_true(now >= observed->now);
        observed->now = now;
        observed->packet = *packet;
        observed->size = size;
        observed->verdict = verdict;
        observed->n_counted = counters_packets(observed->counters);
}

static void test_observer(void **state)
{
        struct pair pair = pair_new(SOCK_SEQPACKET, PEERS);
        struct observed observed = { .counters = engine_counters(pair.engine) };

        (void) state;

        engine_observe(pair.engine, observe, &observed);
        send_packet(&pair, &plain_ipv6);
        assert_int_equal(move(&pair), 1);
        assert_reply(&pair, &plain_ipv6);
        assert_int_equal(observed.n, 1);
        assert_int_equal(observed.size, plain_ipv6.size);
        assert_int_equal(observed.verdict, VERDICT_REPLY);
        assert_int_equal(observed.n_counted, 1);
        assert_int_equal(observed.packet.source.family, AF_INET6);
        /* As it arrived: the source is not that of the reply, which stands in the buffer by now. */
        assert_memory_equal(observed.packet.source.bytes, plain_ipv6.bytes + 8, 16);
        assert_memory_equal(observed.packet.destination.bytes, plain_ipv6.bytes + 24, 16);

        /* Packets that are dropped are shown, too. */
        assert_int_equal(send(pair.ours, "x", 1, 0), 1);
        assert_int_equal(move(&pair), 1);
        assert_int_equal(observed.n, 2);
        assert_int_equal(observed.size, 1);
        assert_int_equal(observed.verdict, VERDICT_MALFORMED);
        assert_int_equal(observed.packet.source.family, AF_UNSPEC);

        engine_observe(pair.engine, NULL, NULL);
        send_packet(&pair, &plain_ipv4);
        assert_int_equal(move(&pair), 1);
        assert_int_equal(observed.n, 2);
        pair_free(&pair);
}

static int set_up(void **state)
{
        /* As the daemon does: a socket that nobody reads from would end the process, which a device never
         * does. */
        if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
                return -1;

        return policies_set_up(state);
}

int main(int argc, char *argv[])
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_types),
                cmocka_unit_test(test_never_waits),
                cmocka_unit_test(test_takes_one),
                cmocka_unit_test(test_mtu),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_batches_grow),
                cmocka_unit_test(test_counters_add_up),
                cmocka_unit_test(test_full_device),
                cmocka_unit_test(test_refused_write),
                cmocka_unit_test(test_failed_read),
                cmocka_unit_test(test_largest_packet),
                cmocka_unit_test(test_time_of_day),
                cmocka_unit_test(test_observer),
        };

        if (argc != 2)
                return 64;

        wanted = strcmp(argv[1], engine_type_name(ENGINE_IO_URING)) == 0 ? ENGINE_IO_URING : ENGINE_SYSCALL;
        if (wanted == ENGINE_IO_URING && skipped_without_io_uring())
                return 0;

        return cmocka_run_group_tests(tests, set_up, NULL);
}
