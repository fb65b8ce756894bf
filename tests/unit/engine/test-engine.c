/* SPDX-License-Identifier: GPL-2.0-or-later */

/* test-engine TYPE: the thread of the data plane, on a socket pair; nothing depends on how fast it is. */

#include "engine/engine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "pair.h"
#include "unit.h"

/* Enough for batches of the largest size. */
#define N_LOAD 300

/* A failure takes so long. */
#define TIMEOUT_USEC UINT64_C(60000000)

/* The engine of this run. */
static enum engine_type wanted;

static struct engine *engine_of(const struct pair *pair)
{
        struct engine *engine = NULL;

        assert_int_equal(engine_new(&engine, wanted, pair->its, &policies[PEERS], pair->records), 0);
        assert_non_null(engine);
        return engine;
}

static struct engine *started(const struct pair *pair)
{
        struct engine *engine = engine_of(pair);

        (void) engine_start(engine, NULL, NULL);
        return engine;
}

static void done(struct engine *engine, struct pair *pair)
{
        assert_null(engine_free(engine));
        pair_free(pair);
}

static void assert_runs(struct engine *engine)
{
        assert_int_equal(engine_check(engine, TIMEOUT_USEC), 0);
        assert_int_equal(engine_result(engine), 0);
}

static void test_names(void **state)
{
        (void) state;

        assert_string_equal(engine_type_name(ENGINE_AUTO), "auto");
        assert_string_equal(engine_type_name(ENGINE_IO_URING), "io_uring");
        assert_string_equal(engine_type_name(ENGINE_SYSCALL), "syscall");
        assert_int_equal(_ENGINE_MAX, 3);
}

/* One that was never started reads nothing, and leaves the descriptor as it is. */
static void test_never_started(void **state)
{
        struct pair pair = pair_new(SOCK_SEQPACKET);
        struct engine *engine = engine_of(&pair);
        uint8_t byte;

        (void) state;

        assert_int_equal(engine_status(engine)->type, wanted);
        assert_int_equal(engine_status(engine)->fallback, 0);
        assert_int_equal(engine_result(engine), 0);
        pair_send_numbered(&pair, 0, 1);
        assert_null(engine_free(engine));
        assert_null(engine_free(NULL));
        assert_silence(&pair);
        assert_int_equal(count_records(&pair), 0);

        assert_int_equal(fcntl(pair.its, F_GETFL) & O_NONBLOCK, 0);
        assert_true(recv(pair.its, &byte, 1, MSG_DONTWAIT) > 0);
        pair_free(&pair);
}

static void test_answers(void **state)
{
        static const int types[] = { SOCK_SEQPACKET, SOCK_DGRAM };

        (void) state;

        for (size_t type = 0; type < ARRAY_SIZE(types); type++) {
                struct pair pair = pair_new(types[type]);
                struct engine *engine = started(&pair);

                for (unsigned n = 0; n < 100; n++) {
                        pair_send_numbered(&pair, n, 1);
                        assert_replies(&pair, n, 1);
                }
                assert_silence(&pair);
                assert_int_equal(engine_stop(engine), 0);
                assert_int_equal(count_verdict(&pair, VERDICT_REPLY), 100);
                assert_int_equal(count_unsent(&pair), 0);
                done(engine, &pair);
        }
}

/* However many there are, each is answered once, in the order in which they came. */
static void test_order(void **state)
{
        struct pair pair = pair_new(SOCK_SEQPACKET);
        struct engine *engine = started(&pair);

        (void) state;

        for (unsigned load = 0; load < 5; load++) {
                pair_send_numbered(&pair, 0, N_LOAD);
                assert_replies(&pair, 0, N_LOAD);
        }
        assert_int_equal(engine_stop(engine), 0);
        assert_silence(&pair);
        assert_int_equal(count_verdict(&pair, VERDICT_REPLY), 5 * N_LOAD);
        done(engine, &pair);
}

/* The next packet after the policy was replaced has the new one, in every way of waiting. */
static void test_policy(void **state)
{
        struct pair pair = pair_new(SOCK_SEQPACKET);
        struct engine *engine = started(&pair);

        (void) state;

        for (unsigned i = 0; i < 100; i++) {
                struct policy policy = policies[PEERS];
                uint8_t reply[PACKET_ROOM];

                if (i == 50) {
                        pair_send_numbered(&pair, 0, N_LOAD);
                        for (unsigned n = 0; n < N_LOAD; n++)
                                assert_true(pair_wait(&pair) && recv(pair.ours, reply, sizeof(reply), 0) > 0);
                }
                policy.hop_limit = (uint8_t) (i + 1);
                assert_int_equal(engine_set_policy(engine, &policy, TIMEOUT_USEC), 0);
                memset(&policy, 0, sizeof(policy)); /* it was copied */
                pair_send_numbered(&pair, 2 * i, 1);
                assert_true(pair_wait(&pair));
                assert_int_equal(recv(pair.ours, reply, sizeof(reply), 0), plain_ipv4.size);
                assert_int_equal(reply[8], i + 1);
        }
        done(engine, &pair);
}

/* A packet sees one policy: of two that are interleaved under load, a reply has all of one or the other. */
static void test_policy_under_load(void **state)
{
        struct pair pair = pair_new(SOCK_SEQPACKET);
        struct engine *engine = started(&pair);
        struct policy first = policies[PEERS], second = policies[DESTINATION_IPV4];
        unsigned n_replies = 0;

        (void) state;

        /* The second answers IPv4 alone. */
        first.hop_limit = 1;
        second.hop_limit = 2;
        assert_int_equal(engine_set_policy(engine, &first, TIMEOUT_USEC), 0);
        for (unsigned load = 0; load < 20; load++) {
                uint8_t reply[PACKET_ROOM];

                pair_send_numbered(&pair, 0, 50);
                assert_int_equal(
                        engine_set_policy(engine, load % 2 == 0 ? &second : &first, TIMEOUT_USEC), 0);
                while (recv(pair.ours, reply, sizeof(reply), 0) > 0) {
                        n_replies++;
                        if (reply[0] >> 4 == 4)
                                assert_in_range(reply[8], 1, 2);
                        else
                                assert_int_equal(reply[7], 1);
                }
        }
        assert_int_equal(engine_stop(engine), 0);
        n_replies += (unsigned) count_replies(&pair);
        assert_int_equal(count_verdict(&pair, VERDICT_REPLY), n_replies);
        assert_int_equal(count_records(&pair),
                         count_verdict(&pair, VERDICT_REPLY) + count_verdict(&pair, VERDICT_NOT_OURS));
        done(engine, &pair);
}

/* Without packets, and after a load, when it waits in another call. */
static void test_check_idle(void **state)
{
        struct pair pair = pair_new(SOCK_SEQPACKET);
        struct engine *engine = started(&pair);

        (void) state;

        for (unsigned load = 0; load < 3; load++) {
                for (unsigned i = 0; i < 20; i++)
                        assert_runs(engine);
                pair_send_numbered(&pair, 0, N_LOAD);
                assert_runs(engine);
                assert_replies(&pair, 0, N_LOAD);
        }
        assert_runs(engine);
        done(engine, &pair);
}

/* A thread that sends without an end, and reads what comes. */
struct flood {
        const struct pair *pair;
        pthread_t thread;
        atomic_bool stop;
        uint64_t n_replies;
};

static void *flood_run(void *userdata)
{
        struct flood *flood = userdata;
        uint8_t byte;

        while (!atomic_load(&flood->stop)) {
                for (unsigned i = 0; i < 64; i++)
                        (void) !send(flood->pair->ours, plain_ipv4.bytes, plain_ipv4.size, MSG_NOSIGNAL);
                while (recv(flood->pair->ours, &byte, sizeof(byte), 0) > 0)
                        flood->n_replies++;
        }

        return NULL;
}

static void flood_start(struct flood *flood, const struct pair *pair)
{
        flood->pair = pair;
        assert_int_equal(pthread_create(&flood->thread, NULL, flood_run, flood), 0);
}

static uint64_t flood_stop(struct flood *flood)
{
        atomic_store(&flood->stop, true);
        assert_int_equal(pthread_join(flood->thread, NULL), 0);
        return flood->n_replies;
}

static void test_check_under_flood(void **state)
{
        struct pair pair = pair_new(SOCK_SEQPACKET);
        struct engine *engine = started(&pair);
        struct flood flood = { 0 };
        uint64_t n_replies;

        (void) state;

        flood_start(&flood, &pair);
        for (unsigned i = 0; i < 100; i++)
                assert_runs(engine);
        n_replies = flood_stop(&flood);

        assert_int_equal(engine_stop(engine), 0);
        n_replies += count_replies(&pair);
        assert_int_equal(count_verdict(&pair, VERDICT_REPLY), n_replies);
        done(engine, &pair);
}

/* A device whose writes wait: the thread cannot answer, and is seen not to; then it can, and does. */
static void test_check_blocked(void **state)
{
        struct pair pair = pair_new(SOCK_SEQPACKET);
        struct policy policy = policies[PEERS];
        struct engine *engine;
        int least = 1, more = 1024 * 1024, r = 0;
        uint8_t reply[PACKET_ROOM];

        (void) state;

        assert_int_equal(setsockopt(pair.its, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)), 0);
        engine = started(&pair);
        assert_runs(engine);
        pair_send_numbered(&pair, 0, 100);

        /* It answers until its replies fill the socket. */
        for (unsigned i = 0; i < 1000 && r == 0; i++)
                r = engine_check(engine, 20000);
        assert_int_equal(r, -ETIMEDOUT);
        assert_int_equal(engine_check(engine, 20000), -ETIMEDOUT);
        assert_int_equal(engine_result(engine), 0);

        /* The thread may use either policy, so neither is overwritten. */
        policy.hop_limit = 99;
        assert_int_equal(engine_set_policy(engine, &policy, 20000), -ETIMEDOUT);

        /* Batches do not wait for space, so that replies would be refused without this. */
        assert_int_equal(setsockopt(pair.its, SOL_SOCKET, SO_SNDBUF, &more, sizeof(more)), 0);
        assert_replies(&pair, 0, 100);
        assert_runs(engine);
        assert_int_equal(engine_set_policy(engine, &policy, TIMEOUT_USEC), 0);
        pair_send_numbered(&pair, 0, 1);
        assert_true(pair_wait(&pair) && recv(pair.ours, reply, sizeof(reply), 0) > 0);
        assert_int_equal(reply[8], 99);
        assert_int_equal(engine_stop(engine), 0);
        assert_int_equal(count_verdict(&pair, VERDICT_REPLY), 101);
        done(engine, &pair);
}

/* Before it waits, while it waits in either call, and with packets queued: what was read is answered. */
static void test_stop(void **state)
{
        static const unsigned loads[] = { 0, 1, 20, N_LOAD };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(loads); i++)
                for (unsigned answered = 0; answered < 2; answered++) {
                        struct pair pair = pair_new(SOCK_SEQPACKET);
                        struct engine *engine = started(&pair);
                        uint64_t n;

                        pair_send_numbered(&pair, 0, loads[i]);
                        if (answered > 0)
                                assert_replies(&pair, 0, loads[i]);
                        assert_int_equal(engine_stop(engine), 0);
                        assert_int_equal(engine_stop(engine), 0);
                        assert_int_equal(engine_result(engine), 0);

                        n = count_verdict(&pair, VERDICT_REPLY);
                        assert_in_range(n, answered > 0 ? loads[i] : 0, loads[i]);
                        if (answered == 0)
                                assert_replies(&pair, 0, (unsigned) n);
                        assert_silence(&pair);
                        assert_int_equal(count_unsent(&pair), 0);
                        done(engine, &pair);
                }
}

static void test_stop_under_flood(void **state)
{
        (void) state;

        for (unsigned i = 0; i < 10; i++) {
                struct pair pair = pair_new(SOCK_SEQPACKET);
                struct engine *engine = started(&pair);
                struct flood flood = { 0 };
                uint64_t n_replies;

                flood_start(&flood, &pair);
                assert_runs(engine);
                assert_int_equal(engine_stop(engine), 0);
                n_replies = flood_stop(&flood);
                n_replies += count_replies(&pair);
                assert_int_equal(count_verdict(&pair, VERDICT_REPLY), n_replies);
                assert_int_equal(count_unsent(&pair), 0);
                done(engine, &pair);
        }
}

/* A descriptor that fails ends the thread, and the control plane is woken up to see why. */
static void test_failed_descriptor(void **state)
{
        struct pair pair = pair_new(SOCK_SEQPACKET);
        struct engine *engine = started(&pair);
        struct pollfd woken = { .fd = records_fd(pair.records), .events = POLLIN };

        (void) state;

        /* A peer that closes with a reply unread has the next read fail. */
        pair_send_numbered(&pair, 0, 1);
        assert_true(pair_wait(&pair));
        close_fdp(&pair.ours);
        assert_int_equal(TEMP_FAILURE_RETRY(poll(&woken, 1, (int) (TIMEOUT_USEC / 1000))), 1);
        assert_int_equal(engine_result(engine), -ECONNRESET);
        assert_int_equal(engine_check(engine, TIMEOUT_USEC), -ECONNRESET);
        assert_int_equal(engine_set_policy(engine, &policies[PEERS], TIMEOUT_USEC), -ECONNRESET);
        assert_int_equal(engine_stop(engine), -ECONNRESET);
        assert_int_equal(engine_stop(engine), -ECONNRESET);
        assert_int_equal(count_verdict(&pair, VERDICT_REPLY), 1);
        done(engine, &pair);
}

static void test_closed_descriptor(void **state)
{
        struct pair pair = pair_new(SOCK_SEQPACKET);
        struct engine *engine = NULL;
        int r;

        (void) state;

        close_fdp(&pair.its);
        r = engine_new(&engine, wanted, 9999, &policies[PEERS], pair.records);
        if (wanted == ENGINE_IO_URING) {
                assert_int_equal(r, -EBADF);
                assert_null(engine);
        } else {
                assert_int_equal(r, 0);
                (void) engine_start(engine, NULL, NULL);
                assert_int_equal(engine_check(engine, TIMEOUT_USEC) ?: engine_stop(engine), -EBADF);
        }
        done(engine, &pair);
}

/* The threads of this process. */
struct threads {
        pid_t ids[16];
        size_t n;
};

static struct threads threads_now(void)
{
        DIR *directory = opendir("/proc/self/task");
        const struct dirent *entry;
        struct threads threads = { 0 };

        assert_non_null(directory);
        while ((entry = readdir(directory)))
                if (entry->d_name[0] != '.' && threads.n < ARRAY_SIZE(threads.ids))
                        threads.ids[threads.n++] = (pid_t) strtol(entry->d_name, NULL, 10);
        closedir(directory);
        return threads;
}

static bool has_thread(const struct threads *threads, pid_t id)
{
        for (size_t i = 0; i < threads->n; i++)
                if (threads->ids[i] == id)
                        return true;

        return false;
}

/* The signals that a thread blocks, the first one in the lowest bit. */
static uint64_t signals_blocked(pid_t thread)
{
        char path[64], line[256];
        uint64_t blocked = 0;
        FILE *file;

        (void) snprintf(path, sizeof(path), "/proc/self/task/%d/status", thread);
        file = fopen(path, "re");
        assert_non_null(file);
        while (fgets(line, sizeof(line), file))
                (void) sscanf(line, "SigBlk: %" SCNx64, &blocked);
        fclose(file);
        return blocked;
}

/* Whether the mask that the kernel has is that of the thread: an emulator of programs needs SIGBUS for itself. */
static bool has_mask(void)
{
        sigset_t set, before;
        uint64_t blocked;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGBUS);
        (void) pthread_sigmask(SIG_BLOCK, &set, &before);
        blocked = signals_blocked(getpid());
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        return blocked >> (SIGBUS - 1) & 1;
}

static atomic_int handled_by;

static void on_signal(int signal)
{
        (void) signal;
        atomic_store(&handled_by, gettid());
}

/* The thread blocks every signal that can be blocked but the one that interrupts it. */
static void test_signals(void **state)
{
        const struct sigaction action = { .sa_handler = on_signal };
        struct pair pair = pair_new(SOCK_SEQPACKET);
        struct threads before = threads_now(), after;
        uint64_t ours = signals_blocked(getpid());
        struct engine *engine = started(&pair);
        unsigned n_new = 0;

        (void) state;

        assert_runs(engine);
        assert_int_equal(signals_blocked(getpid()), ours);
        after = threads_now();
        for (size_t i = 0; i < after.n; i++) {
                uint64_t blocked;

                if (has_thread(&before, after.ids[i]))
                        continue;

                n_new++;
                blocked = signals_blocked(after.ids[i]);
                for (int number = 1; number <= SIGRTMAX; number++) {
                        /* Those between are the C library's own. */
                        if (number == SIGKILL || number == SIGSTOP || (number > 31 && number < SIGRTMIN))
                                continue;
                        if ((blocked >> (number - 1) & 1) != (number != SIGURG))
                                fail_msg("signal %d is%s blocked", number, number == SIGURG ? "" : " not");
                }
        }
        assert_int_equal(n_new, 1);

        assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
        for (unsigned i = 0; i < 20; i++) {
                atomic_store(&handled_by, 0);
                assert_int_equal(kill(getpid(), SIGUSR1), 0);
                assert_int_equal(atomic_load(&handled_by), getpid());
        }
        assert_runs(engine);
        done(engine, &pair);
        assert_int_equal(threads_now().n, before.n);
}

/* Several at a time, as nothing that an engine has is shared. */
static void test_two_engines(void **state)
{
        struct pair pairs[2] = { pair_new(SOCK_SEQPACKET), pair_new(SOCK_SEQPACKET) };
        struct engine *engines[2] = { started(&pairs[0]), started(&pairs[1]) };

        (void) state;

        for (unsigned i = 0; i < 2; i++)
                pair_send_numbered(&pairs[i], i, N_LOAD);
        for (unsigned i = 0; i < 2; i++)
                assert_replies(&pairs[i], i, N_LOAD);
        assert_runs(engines[0]);
        done(engines[0], &pairs[0]);
        assert_runs(engines[1]);
        done(engines[1], &pairs[1]);
}

int main(int argc, char *argv[])
{
        struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_never_started),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_policy),
                cmocka_unit_test(test_policy_under_load),
                cmocka_unit_test(test_check_idle),
                cmocka_unit_test(test_check_under_flood),
                cmocka_unit_test(test_check_blocked),
                cmocka_unit_test(test_stop),
                cmocka_unit_test(test_stop_under_flood),
                cmocka_unit_test(test_failed_descriptor),
                cmocka_unit_test(test_closed_descriptor),
                cmocka_unit_test(test_two_engines),
                cmocka_unit_test(test_signals),
        };

        if (argc != 2)
                return 64;

        wanted = strcmp(argv[1], engine_type_name(ENGINE_IO_URING)) == 0 ? ENGINE_IO_URING : ENGINE_SYSCALL;
        if (wanted == ENGINE_IO_URING && skipped_without_io_uring())
                return 0;

        skip_unless(has_mask(), &tests[ARRAY_SIZE(tests) - 1], "an emulator changes the masks of signals");
        return cmocka_run_group_tests(tests, policies_set_up, NULL);
}
