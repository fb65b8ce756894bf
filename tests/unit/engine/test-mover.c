/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * test-mover TYPE: a mover on a socket pair that is filled before, with a clock of the test's own. So which
 * mode comes next depends on nothing but the packets.
 */

#include "common/util.h"
#include "engine/records.h"

static uint64_t fake_usec(void);
static void checked_add(struct records *records, uint64_t now, const struct record *added, size_t n,
                        unsigned unsent);

#define monotonic_usec fake_usec
#define records_add    checked_add
#include "engine/mover.c"
#undef records_add

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "model.h"
#include "pair.h"
#include "unit.h"

/* More than it takes to get to batches of the largest size. */
#define N_LOAD 300

/* Behind these, with a load, batches run. */
#define STEPS_INTO_LOAD (3 * ENGINE_LOAD + 3)

/* The engine of this run. */
static enum engine_type wanted;

static uint64_t clock_usec; /* the time */
static uint64_t tick_usec;  /* what passes from one packet to the next */

static uint64_t fake_usec(void)
{
        clock_usec += tick_usec;
        return clock_usec;
}

static struct pair pair;
static uint64_t n_received; /* replies that checked_add() received, if it does */
static bool is_checked;

/* When a packet is recorded, its reply is there. */
static void checked_add(struct records *records, uint64_t now, const struct record *added, size_t n,
                        unsigned unsent)
{
        struct counters counters;

        records_add(records, now, added, n, unsent);
        if (!is_checked)
                return;

        n_received += count_replies(&pair);
        records_counters(records, &counters);
        assert_int_equal(counters_replies(&counters), n_received + counters.unsent);
}

static struct mover *mover_of_pair(int type)
{
        struct mover *mover = NULL;
        struct engine_status status;

        clock_usec = 1000000000;
        tick_usec = 1;
        n_received = 0;
        is_checked = false;
        pair = pair_new(type);
        assert_int_equal(mover_new(&mover, wanted, pair.its, pair.records, &status), 0);
        assert_non_null(mover);
        assert_int_equal(status.type, wanted);
        assert_int_equal(status.fallback, 0);
        return mover;
}

static void done(struct mover *mover)
{
        assert_null(mover_free(mover));
        pair_free(&pair);
}

static void step(struct mover *mover)
{
        assert_int_equal(mover_step(mover, &policies[PEERS]), 0);
}

/* Moves every packet that is queued. */
static void move_queued(struct mover *mover)
{
        struct pollfd device = { .fd = pair.its, .events = POLLIN };

        while (poll(&device, 1, 0) > 0)
                step(mover);
        mover_flush(mover);
}

/* Moves so many packets out of the @n that are queued, of which no batch is needed to move the first. */
static void move_until(struct mover *mover, enum mode mode, unsigned n)
{
        for (unsigned i = 0; i < n && mover->mode != mode; i++)
                step(mover);
        assert_int_equal(mover->mode, mode);
}

/* How many operations the one ring of this process has completed. */
static unsigned long ring_completions(void)
{
        unsigned long tail, found = 0;
        DIR *directory = opendir("/proc/self/fdinfo");
        const struct dirent *entry;

        assert_non_null(directory);
        while ((entry = readdir(directory))) {
                char path[300], line[256];
                FILE *file;

                (void) snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", entry->d_name);
                file = fopen(path, "re");
                while (file && fgets(line, sizeof(line), file))
                        if (sscanf(line, "CqTail: %lu", &tail) == 1)
                                found = tail;
                if (file)
                        fclose(file);
        }
        closedir(directory);
        return found;
}

/* Packets that are rare: each is waited for in poll(2). */
static void test_rare(void **state)
{
        struct mover *mover = mover_of_pair(SOCK_SEQPACKET);

        (void) state;

        tick_usec = CLOSE_USEC + 1;
        pair_send_numbered(&pair, 0, 100);
        for (unsigned i = 0; i < 100; i++) {
                step(mover);
                assert_int_equal(mover->mode, MODE_POLL);
                assert_replies(&pair, i, 1);
                assert_silence(&pair);
        }
        done(mover);
}

/* The modes in their order, and back; in each of them every packet is answered. */
static void test_modes(void **state)
{
        struct mover *mover = mover_of_pair(SOCK_SEQPACKET);

        (void) state;

        pair_send_numbered(&pair, 0, 1 + 2 * ENGINE_LOAD);
        move_until(mover, MODE_READ, 1 + ENGINE_LOAD);
        assert_replies(&pair, 0, 1 + ENGINE_LOAD);
        assert_silence(&pair);

        /* One that comes late begins with poll(2) again. */
        clock_usec += CLOSE_USEC;
        step(mover);
        assert_int_equal(mover->mode, MODE_POLL);
        assert_replies(&pair, 1 + ENGINE_LOAD, 1);
        pair_send_numbered(&pair, 1 + 2 * ENGINE_LOAD, 1);
        move_until(mover, MODE_READ, ENGINE_LOAD);
        assert_replies(&pair, 2 + ENGINE_LOAD, ENGINE_LOAD);
        assert_silence(&pair);

        pair_send_numbered(&pair, 0, ENGINE_LOAD);
        for (unsigned i = 0; i < ENGINE_LOAD; i++)
                step(mover);
        assert_replies(&pair, 0, ENGINE_LOAD);
        assert_int_equal(mover->mode, wanted == ENGINE_IO_URING ? MODE_PROBE : MODE_READ);
        if (wanted == ENGINE_IO_URING) {
                /* Nothing there: that is no load, and it is not waited for. */
                step(mover);
                assert_int_equal(mover->mode, MODE_READ);
                pair_send_numbered(&pair, 0, 2 * ENGINE_LOAD);
                move_until(mover, MODE_BATCH, 2 * ENGINE_LOAD);
                assert_replies(&pair, 0, 2 * ENGINE_LOAD);

                /* A batch with nothing in it ends the batches. */
                step(mover);
                assert_int_equal(mover->mode, MODE_READ);
        }
        pair_send_numbered(&pair, 0, 1);
        step(mover);
        assert_replies(&pair, 0, 1);
        assert_silence(&pair);
        done(mover);
}

/* Under load batches run, if there is a ring: replies leave with the next batch, in their order. */
static void test_batches(void **state)
{
        struct mover *mover = mover_of_pair(SOCK_SEQPACKET);
        unsigned long before;
        unsigned n = 0;

        (void) state;

        pair_send_numbered(&pair, 0, N_LOAD);
        if (wanted == ENGINE_IO_URING) {
                move_until(mover, MODE_BATCH, N_LOAD);
                assert_replies(&pair, 0, (unsigned) count_records(&pair));
                n = (unsigned) count_records(&pair);
                assert_in_range(n, 1, N_LOAD - 2 * URING_BATCH_MAX);
        }

        while (wanted == ENGINE_IO_URING && mover->mode == MODE_BATCH) {
                unsigned read = mover->n_batched;

                assert_int_equal(count_records(&pair), n);
                before = ring_completions();
                step(mover);
                assert_true(ring_completions() > before);
                if (mover->mode == MODE_BATCH) {
                        assert_replies(&pair, n, read);
                        assert_silence(&pair);
                        n += read;
                }
        }

        move_queued(mover);
        assert_replies(&pair, n, N_LOAD - n);
        assert_silence(&pair);
        assert_int_equal(count_verdict(&pair, VERDICT_REPLY), N_LOAD);
        assert_int_equal(count_records(&pair), N_LOAD);
        assert_int_equal(count_unsent(&pair), 0);
        done(mover);
}

/* Whoever asks the engine to stop may do so between two batches. */
static void test_flush(void **state)
{
        struct mover *mover = mover_of_pair(SOCK_SEQPACKET);

        (void) state;

        mover_flush(mover);
        pair_send_numbered(&pair, 0, N_LOAD);
        for (unsigned i = 0; i < STEPS_INTO_LOAD; i++)
                step(mover);
        assert_int_equal(mover->mode, wanted == ENGINE_IO_URING ? MODE_BATCH : MODE_READ);
        mover_flush(mover);
        assert_int_equal(mover->mode, MODE_READ);
        assert_replies(&pair, 0, (unsigned) count_records(&pair));
        assert_silence(&pair);
        mover_flush(mover);
        assert_silence(&pair);
        done(mover);
}

/* Nothing is recorded whose reply is not written. */
static void test_reply_first(void **state)
{
        struct mover *mover = mover_of_pair(SOCK_SEQPACKET);

        (void) state;

        is_checked = true;
        pair_send_numbered(&pair, 0, N_LOAD);
        move_queued(mover);
        assert_int_equal(n_received, N_LOAD);
        assert_int_equal(count_records(&pair), N_LOAD);
        done(mover);
}

static void test_answers(void **state)
{
        static const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM };

        (void) state;

        for (size_t type = 0; type < ARRAY_SIZE(types); type++) {
                struct mover *mover = mover_of_pair(types[type]);

                for (size_t i = 0; i < N_GOLDENS; i++) {
                        /* The reply that depends on the clock has a test of its own. */
                        if (strstr(goldens[i].what, "Timestamp"))
                                continue;

                        pair_send(&pair, &goldens[i].request);
                        move_queued(mover);
                        assert_reply(&pair, &goldens[i].request, PEERS);
                        assert_silence(&pair);
                }
                assert_int_equal(count_unsent(&pair), 0);
                done(mover);
        }
}

static const uint8_t source_route[] = { 131, 3, 4, 0 }, bad_option[] = { 7, 1, 4, 0 };

/* Replaces a byte of a good packet, and inserts four bytes behind its fixed header. */
static struct packet changed(const struct packet *good, size_t offset, uint8_t value, bool repaired,
                             const uint8_t option[4])
{
        struct packet packet = *good;

        packet.bytes[offset] = value;
        if (option) {
                memcpy(packet.bytes + 20, option, 4);
                memcpy(packet.bytes + 24, good->bytes + 20, good->size - 20);
                packet.size += 4;
                put16(packet.bytes + 2, (uint16_t) packet.size);
        }
        if (repaired)
                repair(packet.bytes, packet.size);
        return packet;
}

/* A fragment whose payload begins with another extension header. */
static struct packet nested_header(void)
{
        static const uint8_t header[8] = { 60, 0, 0, 1 };
        struct packet packet = plain_ipv6;

        packet.bytes[6] = 44;
        memcpy(packet.bytes + 40, header, sizeof(header));
        return packet;
}

/* A packet of each kind: one verdict for each, and no reply but those that are due. */
static void test_verdicts(void **state)
{
        static const struct {
                const struct packet *packet;
                size_t offset;
                uint8_t value;
                bool repaired;
                const uint8_t *option;
                enum verdict verdict;
        } kinds[] = {
                { &plain_ipv4, 8, 1, true, NULL, VERDICT_REPLY },
                { &plain_ipv6, 7, 1, true, NULL, VERDICT_REPLY },
                { &plain_ipv4, 7, 3, true, NULL, VERDICT_REPLY_FRAGMENT },
                { &plain_ipv4, 0, 0x55, false, NULL, VERDICT_MALFORMED },
                { &plain_ipv4, 9, 17, true, NULL, VERDICT_NOT_ICMP },
                { &plain_ipv6, 40, 129, true, NULL, VERDICT_NOT_ECHO },
                { &plain_ipv4, 10, 0, false, NULL, VERDICT_BAD_IP_CHECKSUM },
                { &plain_ipv6, 42, 0, false, NULL, VERDICT_BAD_ICMP_CHECKSUM },
                { &plain_ipv4, 12, 0, true, NULL, VERDICT_BAD_SOURCE },
                { &plain_ipv4, 16, 127, true, NULL, VERDICT_BAD_DESTINATION },
                { &plain_ipv4, 19, 3, true, NULL, VERDICT_NOT_OURS },
                { &plain_ipv6, 24, 0xff, true, NULL, VERDICT_GROUP_DESTINATION },
                { &plain_ipv4, 0, 0x46, true, source_route, VERDICT_SOURCE_ROUTE },
                { &plain_ipv4, 0, 0x46, true, bad_option, VERDICT_BAD_OPTION },
                { NULL, 0, 0, false, NULL, VERDICT_UNSUPPORTED },
        };
        struct mover *mover = mover_of_pair(SOCK_SEQPACKET);
        uint64_t n_replies = 0;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                struct packet packet = nested_header();
                uint64_t before = count_verdict(&pair, kinds[i].verdict);
                int policy = kinds[i].verdict == VERDICT_NOT_OURS ? DESTINATION_IPV4 : PEERS;

                if (kinds[i].packet)
                        packet = changed(kinds[i].packet, kinds[i].offset, kinds[i].value, kinds[i].repaired,
                                         kinds[i].option);
                pair_send(&pair, &packet);
                assert_int_equal(mover_step(mover, &policies[policy]), 0);
                if (count_verdict(&pair, kinds[i].verdict) != before + 1)
                        fail_msg("number %zu is not %s", i, verdict_name(kinds[i].verdict));
                assert_int_equal(count_records(&pair), i + 1);
                n_replies += count_replies(&pair);
                assert_int_equal(n_replies, i < 3 ? i + 1 : 3);
        }

        assert_int_equal(count_unsent(&pair), 0);
        done(mover);
}

/* A packet has the policy of the step that reads it, even if its reply leaves later. */
static void test_policy(void **state)
{
        struct mover *mover = mover_of_pair(SOCK_SEQPACKET);
        unsigned n;

        (void) state;

        pair_send_numbered(&pair, 0, N_LOAD);
        for (unsigned i = 0; i < STEPS_INTO_LOAD; i++)
                step(mover);
        n = (unsigned) count_records(&pair) + mover->n_batched;
        n -= n % 2;
        while (count_records(&pair) + mover->n_batched < N_LOAD)
                assert_int_equal(mover_step(mover, &policies[DESTINATION_IPV4]), 0);
        mover_flush(mover);

        /* Those with odd numbers are IPv6. */
        assert_replies(&pair, 0, n);
        for (unsigned i = n; i < N_LOAD; i += 2)
                assert_replies(&pair, i, 1);
        assert_silence(&pair);
        assert_int_equal(count_verdict(&pair, VERDICT_NOT_OURS), (N_LOAD - n) / 2);
        done(mover);
}

/* Writes that fail are counted, and the packets are recorded as answered all the same. */
static void test_refused(void **state)
{
        struct mover *mover = mover_of_pair(SOCK_SEQPACKET);

        (void) state;

        pair_send_numbered(&pair, 0, N_LOAD);
        assert_int_equal(shutdown(pair.its, SHUT_WR), 0);
        move_queued(mover);
        assert_int_equal(count_verdict(&pair, VERDICT_REPLY), N_LOAD);
        assert_int_equal(count_unsent(&pair), N_LOAD);
        done(mover);
}

/* A device that has no space for a batch refuses it, and is not waited for. */
static void test_full_device(void **state)
{
        struct mover *mover;
        int least = 1;
        unsigned n;

        (void) state;

        if (wanted != ENGINE_IO_URING)
                return;

        mover = mover_of_pair(SOCK_SEQPACKET);
        pair_send_numbered(&pair, 0, N_LOAD);
        move_until(mover, MODE_BATCH, N_LOAD);
        step(mover);
        n = mover->n_batched;
        assert_in_range(n, 1, URING_BATCH_MAX);
        assert_int_equal(setsockopt(pair.its, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)), 0);
        step(mover);
        assert_int_equal(count_unsent(&pair), n);
        assert_int_equal(count_replies(&pair), count_records(&pair) - n);
        done(mover);
}

/* In each mode, a read that fails ends it with the error; what was read before is answered and recorded. */
static void test_failed_read(void **state)
{
        enum mode last = wanted == ENGINE_IO_URING ? MODE_BATCH : MODE_READ;

        (void) state;

        for (enum mode mode = MODE_POLL; mode <= last; mode++) {
                struct mover *mover = mover_of_pair(SOCK_SEQPACKET);
                uint64_t n;

                /* A peer that closes with a reply unread has the next call fail, which is to be a read. */
                pair_send_numbered(&pair, 0, 1);
                step(mover);
                for (unsigned i = 0; i < N_LOAD; i++)
                        assert_int_equal(send(pair.ours, "x", 1, 0), 1);
                move_until(mover, mode, N_LOAD);
                n = count_records(&pair);
                close_fdp(&pair.ours);

                assert_int_equal(mover_step(mover, &policies[PEERS]), -ECONNRESET);
                assert_true(count_records(&pair) >= n);
                assert_int_equal(count_unsent(&pair), 0);
                mover_flush(mover);
                done(mover);
        }
}

static void test_closed_descriptor(void **state)
{
        struct mover *mover = mover_of_pair(SOCK_SEQPACKET);

        (void) state;

        close_fdp(&pair.its);
        assert_int_equal(mover_step(mover, &policies[PEERS]), -EBADF);
        assert_int_equal(count_records(&pair), 0);
        done(mover);
}

/* As large as a packet can be, before and within a batch. */
static void test_largest_packet(void **state)
{
        static uint8_t packet[65535], reply[65536];
        struct mover *mover = mover_of_pair(SOCK_SEQPACKET);
        uint64_t random = 1;

        (void) state;

        random_bytes(&random, packet, sizeof(packet));
        memcpy(packet, plain_ipv4.bytes, plain_ipv4.size);
        put16(packet + 2, sizeof(packet));
        repair(packet, sizeof(packet));

        for (unsigned load = 0; load < 2; load++) {
                if (load > 0) {
                        pair_send_numbered(&pair, 0, 4 * ENGINE_LOAD);
                        for (unsigned i = 0; i < 3 * ENGINE_LOAD + 1; i++)
                                step(mover);
                }
                assert_int_equal(send(pair.ours, packet, sizeof(packet), 0), sizeof(packet));
                move_queued(mover);
                if (load > 0)
                        assert_replies(&pair, 0, 4 * ENGINE_LOAD);
                assert_int_equal(recv(pair.ours, reply, sizeof(reply), 0), sizeof(packet));
                assert_memory_equal(reply + 28, packet + 28, sizeof(packet) - 28);
                assert_int_equal(reply[20], 0);
                assert_silence(&pair);
        }
        assert_int_equal(count_verdict(&pair, VERDICT_REPLY), 2 + 4 * ENGINE_LOAD);
        done(mover);
}

static uint32_t milliseconds_of_day(void)
{
        struct timespec now;

        assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
        return (uint32_t) (now.tv_sec % 86400 * 1000 + now.tv_nsec / 1000000);
}

static void test_time_of_day(void **state)
{
        static const uint8_t timestamp[] = { 68, 8, 5, 0, 0, 0, 0, 0 };
        struct mover *mover = mover_of_pair(SOCK_SEQPACKET);
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

        pair_send(&pair, &packet);
        before = milliseconds_of_day();
        step(mover);
        after = milliseconds_of_day();
        assert_int_equal(recv(pair.ours, reply, sizeof(reply), 0), packet.size);

        time = (uint32_t) get16(reply + 24) << 16 | get16(reply + 26);
        assert_in_range(time, 0, 86399999);
        assert_true(before <= after ? before <= time && time <= after : time >= before || time <= after);
        done(mover);
}

/* A packet is recorded as it arrived, with its size. */
static void test_recorded_packets(void **state)
{
        struct mover *mover = mover_of_pair(SOCK_SEQPACKET);
        struct record recorded[RECORDS_PACKETS_MAX];
        uint64_t n_lost;

        (void) state;

        records_select(pair.records, true, true);
        pair_send(&pair, &plain_ipv6);
        assert_int_equal(send(pair.ours, "x", 1, 0), 1);
        step(mover);
        step(mover);
        assert_int_equal(records_take_packets(pair.records, recorded, &n_lost), 2);
        assert_int_equal(n_lost, 0);
        assert_int_equal(recorded[0].size, plain_ipv6.size);
        assert_int_equal(recorded[0].verdict, VERDICT_REPLY);
        assert_int_equal(recorded[0].packet.source.family, AF_INET6);
        assert_memory_equal(recorded[0].packet.source.bytes, plain_ipv6.bytes + 8, 16);
        assert_memory_equal(recorded[0].packet.destination.bytes, plain_ipv6.bytes + 24, 16);
        assert_int_equal(recorded[1].size, 1);
        assert_int_equal(recorded[1].verdict, VERDICT_MALFORMED);
        assert_int_equal(recorded[1].packet.source.family, AF_UNSPEC);
        assert_int_equal(records_sessions_count(pair.records), 1);
        done(mover);
}

static void on_alarm(int number)
{
        (void) number;
}

/* A signal ends each kind of waiting, without a packet and without an error. */
static void test_interrupted(void **state)
{
        const struct sigaction action = { .sa_handler = on_alarm };
        /* Repeated, for a signal may come before the step waits. */
        const struct itimerspec often = { { .tv_nsec = 1000000 }, { .tv_nsec = 1000000 } };
        struct mover *mover = mover_of_pair(SOCK_SEQPACKET);
        struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG };
        timer_t timer;

        (void) state;

        assert_int_equal(sigaction(SIGURG, &action, NULL), 0);
        assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
        assert_int_equal(timer_settime(timer, 0, &often, NULL), 0);
        step(mover);
        assert_int_equal(mover->mode, MODE_POLL);
        set_mode(mover, MODE_READ);
        step(mover);
        assert_int_equal(mover->mode, MODE_POLL);
        assert_int_equal(timer_delete(timer), 0);

        assert_int_equal(count_records(&pair), 0);
        pair_send_numbered(&pair, 0, 1);
        step(mover);
        assert_replies(&pair, 0, 1);
        done(mover);
}

int main(int argc, char *argv[])
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rare),
                cmocka_unit_test(test_modes),
                cmocka_unit_test(test_batches),
                cmocka_unit_test(test_flush),
                cmocka_unit_test(test_reply_first),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_verdicts),
                cmocka_unit_test(test_policy),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_full_device),
                cmocka_unit_test(test_failed_read),
                cmocka_unit_test(test_closed_descriptor),
                cmocka_unit_test(test_largest_packet),
                cmocka_unit_test(test_time_of_day),
                cmocka_unit_test(test_recorded_packets),
                cmocka_unit_test(test_interrupted),
        };

        if (argc != 2)
                return 64;

        wanted = strcmp(argv[1], engine_type_name(ENGINE_IO_URING)) == 0 ? ENGINE_IO_URING : ENGINE_SYSCALL;
        if (wanted == ENGINE_IO_URING && skipped_without_io_uring())
                return 0;

        return cmocka_run_group_tests(tests, policies_set_up, NULL);
}
