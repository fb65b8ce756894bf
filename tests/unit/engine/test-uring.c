/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the ring can do, what it must not do, and which engine there is without a ring. */

#include "engine/uring.c"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "engine/engine.h"
#include "engine/records.h"
#include "packets.h"
#include "unit.h"

/* More than are needed for batches. */
#define N_CHILD_PACKETS 60

/* For what is expected to happen soon. */
#define TIMEOUT_MSEC 60000

/* A device: what is written to one socket is a packet that the other one reads. Both wait. */
struct sockets {
        int ours, its;
};

static struct sockets sockets_new(void)
{
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        return (struct sockets) { .ours = pair[0], .its = pair[1] };
}

static void sockets_free(struct sockets *sockets)
{
        close_fdp(&sockets->ours);
        close_fdp(&sockets->its);
}

static struct uring *ring_of(int fd)
{
        struct uring *uring = NULL;
        const char *step;

        assert_int_equal(uring_new(&uring, fd, &step), 0);
        assert_non_null(uring);
        return uring;
}

static int result_of(struct uring *uring)
{
        struct io_uring_cqe *cqe;
        int result;

        assert_int_equal(io_uring_submit_and_wait(&uring->ring, 1), 1);
        assert_int_equal(io_uring_peek_cqe(&uring->ring, &cqe), 0);
        result = cqe->res;
        io_uring_cqe_seen(&uring->ring, cqe);
        return result;
}

/* The ring reads and writes the one device and does nothing else, even if an attacker controls the process. */
static void test_confinement(void **state)
{
        static const uint8_t operations[] = {
                IORING_OP_NOP,
                IORING_OP_OPENAT,
                IORING_OP_SEND,
                IORING_OP_RECV,
                IORING_OP_CLOSE,
                IORING_OP_SOCKET,
                IORING_OP_ACCEPT,
                IORING_OP_STATX,
                IORING_OP_READV,
                IORING_OP_WRITEV,
                IORING_OP_READ_FIXED,
                IORING_OP_WRITE_FIXED,
                IORING_OP_SPLICE,
                IORING_OP_POLL_ADD,
        };
        struct sockets sockets = sockets_new();
        struct uring *uring = ring_of(sockets.its);
        struct iovec buffer;
        char byte;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
                struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);

                io_uring_prep_rw(operations[i], sqe, 0, &byte, 1, 0);
                sqe->flags = IOSQE_FIXED_FILE;
                assert_int_equal(result_of(uring), -EACCES);
        }

        /* Another descriptor cannot be read, by number or by registering it. */
        io_uring_prep_rw(IORING_OP_READ, io_uring_get_sqe(&uring->ring), sockets.ours, uring->buffer, 1, 0);
        assert_int_equal(result_of(uring), -EACCES);
        assert_int_equal(io_uring_register_files_update(&uring->ring, 0, &sockets.ours, 1), -EACCES);

        buffer = (struct iovec) { .iov_base = uring->buffer, .iov_len = 4096 };
        assert_int_equal(io_uring_register_buffers(&uring->ring, &buffer, 1), -EACCES);

        uring_free(uring);
        sockets_free(&sockets);
}

/* A batch with the smallest and the largest packet: they are read, and written from where they were read. */
static void test_sizes(void **state)
{
        static const size_t sizes[] = { 1, 84, 1500, 65535, 65536 };
        static uint8_t sent[URING_PACKET_MAX], received[URING_PACKET_MAX + 1];
        struct sockets sockets = sockets_new();
        struct uring *uring = ring_of(sockets.its);
        uint64_t random = 1;
        unsigned refused;
        int size;

        (void) state;

        random_bytes(&random, sent, sizeof(sent));
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                uint8_t *packet;

                assert_int_equal(send(sockets.ours, sent, sizes[i], 0), sizes[i]);
                assert_int_equal(uring_exchange(uring, 2, &refused), 0);
                packet = uring_packet(uring, 0, &size);
                assert_int_equal(size, sizes[i]);
                assert_memory_equal(packet, sent, sizes[i]);
                (void) uring_packet(uring, 1, &size);
                assert_int_equal(size, -EAGAIN);

                uring_reply(uring, packet, sizes[i]);
                assert_int_equal(recv(sockets.ours, received, sizeof(received), MSG_DONTWAIT), -1);
                assert_int_equal(uring_exchange(uring, 1, &refused), 0);
                assert_int_equal(refused, 0);
                assert_int_equal(recv(sockets.ours, received, sizeof(received), MSG_DONTWAIT), sizes[i]);
                assert_memory_equal(received, sent, sizes[i]);
        }

        uring_free(uring);
        sockets_free(&sockets);
}

/* The replies of one batch are written while the next one is read: neither may overwrite the other. */
static void test_full_batches(void **state)
{
        struct sockets sockets = sockets_new();
        struct uring *uring = ring_of(sockets.its);
        unsigned n_received = 0, refused, n;

        (void) state;

        for (unsigned batch = 0; batch < 4; batch++) {
                for (unsigned i = 0; i < URING_BATCH_MAX; i++) {
                        n = batch * URING_BATCH_MAX + i;
                        assert_int_equal(send(sockets.ours, &n, sizeof(n), 0), sizeof(n));
                }
                assert_int_equal(uring_exchange(uring, URING_BATCH_MAX, &refused), 0);
                assert_int_equal(refused, 0);
                for (unsigned i = 0; i < URING_BATCH_MAX; i++) {
                        int size;
                        uint8_t *packet = uring_packet(uring, i, &size);

                        assert_int_equal(size, sizeof(n));
                        uring_reply(uring, packet, (size_t) size);
                }
                if (batch % 2 == 1)
                        assert_int_equal(uring_flush(uring), 0);

                for (unsigned i = 0; i < (batch % 2 == 1 ? 2 : 0) * URING_BATCH_MAX; i++) {
                        assert_int_equal(recv(sockets.ours, &n, sizeof(n), MSG_DONTWAIT), sizeof(n));
                        assert_int_equal(n, n_received++);
                }
        }
        assert_int_equal(n_received, 4 * URING_BATCH_MAX);

        uring_free(uring);
        sockets_free(&sockets);
}

/* Each reply that the device refuses is counted, by either way of writing. */
static void test_refused(void **state)
{
        struct sockets sockets = sockets_new();
        struct uring *uring = ring_of(sockets.its);
        unsigned refused;

        (void) state;

        assert_int_equal(shutdown(sockets.its, SHUT_WR), 0);
        for (unsigned i = 0; i < 5; i++)
                uring_reply(uring, uring->buffer, 20);
        assert_int_equal(uring_exchange(uring, 1, &refused), 0);
        assert_int_equal(refused, 5);

        for (unsigned i = 0; i < 3; i++)
                uring_reply(uring, uring->buffer, 20);
        assert_int_equal(uring_flush(uring), 3);
        assert_int_equal(uring_flush(uring), 0);

        uring_free(uring);
        sockets_free(&sockets);
}

/* A system call, and if it is io_uring_register(2), the operation of it. */
struct call {
        unsigned number, operation;
};

static const struct call setup = { __NR_io_uring_setup, 0 };
static const struct call restrictions = { __NR_io_uring_register, IORING_REGISTER_RESTRICTIONS };

static int forbid(const struct call *call, int error)
{
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->number, 0, 4),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 2, 0),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call->operation, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned) error),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = ARRAY_SIZE(filter), .filter = filter };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;

        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}

/* The device of a child, which system call fails in it with which error, and the step that this is. */
static struct sockets child_sockets;
static const struct call *child_call;
static int child_error;
static const char *child_step;

/* Returns how many replies arrived, and stops waiting after n. */
static unsigned count_replies(unsigned n)
{
        struct pollfd readable = { .fd = child_sockets.ours, .events = POLLIN };
        uint8_t reply[PACKET_ROOM];
        unsigned found = 0;

        while (found < n && poll(&readable, 1, TIMEOUT_MSEC) > 0 &&
               recv(child_sockets.ours, reply, sizeof(reply), 0) > 0)
                found++;

        return found;
}

/* Runs an engine in the child until it has answered so many packets. */
static const char *answer(enum engine_type wanted, unsigned n)
{
        const struct engine_status *status;
        struct records *records = NULL;
        struct engine *engine = NULL;
        struct counters counters;

        if (records_new(&records, 1) < 0)
                return "there are no records";
        if (engine_new(&engine, wanted, child_sockets.its, &policies[PEERS], records) < 0)
                return "there is no engine";

        status = engine_status(engine);
        if (wanted == ENGINE_IO_URING && (status->type != ENGINE_IO_URING || status->fallback != 0))
                return "it is another engine";
        if (wanted == ENGINE_AUTO &&
            (status->type != ENGINE_SYSCALL || status->fallback != -child_error || !status->step ||
             strcmp(status->step, child_step) != 0))
                return "the status has another reason";

        (void) engine_start(engine, NULL, NULL);
        if (count_replies(n) != n)
                return "it does not answer";
        if (engine_stop(engine) != 0)
                return "it does not stop";
        records_counters(records, &counters);
        if (counters.verdicts[VERDICT_REPLY] != n || counters.unsent != 0)
                return "the counters are wrong";

        engine_free(engine);
        records_free(records);
        return NULL;
}

/* auto uses read(2) and write(2), and has the reason; io_uring fails. */
static const char *fall_back(void)
{
        struct records *records = NULL;
        struct engine *engine = NULL;

        if (forbid(child_call, child_error) < 0 || records_new(&records, 1) < 0)
                return "there is no filter";
        if (engine_new(&engine, ENGINE_IO_URING, child_sockets.its, &policies[PEERS], records) !=
                    -child_error ||
            engine)
                return "io_uring is available";

        records_free(records);
        return answer(ENGINE_AUTO, 1);
}

/* Root has no limit, and the memory of all processes of a user counts: this one has no other. */
static const char *use_little_locked_memory(void)
{
        struct rlimit little = { 65536, 65536 }; /* for the ring */
        uid_t user = 100000 + (uid_t) getpid();

        if (setresuid(user, user, user) < 0 || setrlimit(RLIMIT_MEMLOCK, &little) < 0)
                return "there is no limit";

        return answer(ENGINE_IO_URING, N_CHILD_PACKETS);
}

static void check_child(child_function function, unsigned n_packets)
{
        const char *failure;

        child_sockets = sockets_new();
        for (unsigned i = 0; i < n_packets; i++)
                assert_int_equal(send(child_sockets.ours, plain_ipv4.bytes, plain_ipv4.size, 0),
                                 plain_ipv4.size);

        failure = in_child(function, NULL, 0);
        if (failure)
                fail_msg("%s", failure);
        sockets_free(&child_sockets);
}

static void check_fallback(const struct call *call, int error, const char *step)
{
        child_call = call;
        child_error = error;
        child_step = step;
        check_child(fall_back, 1);
}

/* By a sandbox, or by kernel.io_uring_disabled, which has the same error. */
static void test_forbidden(void **state)
{
        (void) state;
        check_fallback(&setup, EPERM, "io_uring_setup(2)");
}

static void test_missing(void **state)
{
        (void) state;
        check_fallback(&setup, ENOSYS, "io_uring_setup(2)");
}

/* A kernel that does not know an operation cannot restrict the ring to the others. */
static void test_operation_unknown(void **state)
{
        (void) state;
        check_fallback(&restrictions, EINVAL, "restricting the ring");
}

/* Every TUN device before Linux 6.4 refuses RWF_NOWAIT. A file of today's kernel that does stands for it. */
static void test_reads_that_wait(void **state)
{
        struct uring *uring = NULL;
        const char *step;
        int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

        (void) state;

        assert_true(fd >= 0);
        assert_int_equal(uring_new(&uring, fd, &step), -EOPNOTSUPP);
        assert_string_equal(step, "reads with RWF_NOWAIT");
        assert_null(uring);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC); /* it stays the caller's */
        close(fd);
}

static void test_closed_descriptor(void **state)
{
        struct sockets sockets = sockets_new();
        struct uring *uring = NULL;
        const char *step;
        int closed = sockets.its;

        (void) state;

        sockets_free(&sockets);
        assert_int_equal(uring_new(&uring, closed, &step), -EBADF);
        assert_string_equal(step, "registering the device");
        assert_null(uring);
        assert_null(uring_free(NULL));
}

/* A packet that came before the ring is read by the first batch. */
static void test_probe_reads_no_packet(void **state)
{
        struct sockets sockets = sockets_new();
        struct uring *uring;
        unsigned refused;
        int size;

        (void) state;

        assert_int_equal(send(sockets.ours, "x", 1, 0), 1);
        uring = ring_of(sockets.its);
        assert_int_equal(uring_exchange(uring, 1, &refused), 0);
        (void) uring_packet(uring, 0, &size);
        assert_int_equal(size, 1);

        uring_free(uring);
        sockets_free(&sockets);
}

/* The buffer counts against no limit, so that any number of instances has a ring. */
static void test_little_locked_memory(void **state)
{
        (void) state;
        check_child(use_little_locked_memory, N_CHILD_PACKETS);
}

int main(void)
{
        struct CMUnitTest tests[] = {
                cmocka_unit_test(test_confinement),
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_full_batches),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_forbidden),
                cmocka_unit_test(test_missing),
                cmocka_unit_test(test_operation_unknown),
                cmocka_unit_test(test_reads_that_wait),
                cmocka_unit_test(test_closed_descriptor),
                cmocka_unit_test(test_probe_reads_no_packet),
                cmocka_unit_test(test_little_locked_memory),
        };

        if (skipped_without_io_uring())
                return 0;

        skip_unless(geteuid() == 0, &tests[ARRAY_SIZE(tests) - 1], "needs root, for a user of its own");
        return cmocka_run_group_tests(tests, policies_set_up, NULL);
}
