/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the ring must not do, and what becomes of the engine where there is no ring. */

#include "engine/uring.c"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "packets.h"
#include "engine/engine.h"
#include "unit.h"

/* Enough for batches. */
#define N_CHILD_PACKETS 40

static struct uring *ring_of(int fd)
{
        struct uring_status status;
        struct uring *uring = NULL;

        assert_int_equal(uring_new(&uring, fd, 1500, &status), 0);
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

/* The ring is for reads and writes of the one device, whoever asks it for something else. */
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
                IORING_OP_SPLICE,
                IORING_OP_POLL_ADD,
        };
        struct uring *uring;
        int sockets[2];
        char byte;

        (void) state;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets), 0);
        uring = ring_of(sockets[0]);

        for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
                struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);

                io_uring_prep_rw(operations[i], sqe, 0, &byte, 1, 0);
                sqe->flags = IOSQE_FIXED_FILE;
                assert_int_equal(result_of(uring), -EACCES);
        }

        /* Not even a read, if it is of another descriptor. */
        io_uring_prep_rw(read_operation(uring), io_uring_get_sqe(&uring->ring), sockets[1], uring->buffer, 1,
                         0);
        assert_int_equal(result_of(uring), -EACCES);

        assert_int_equal(io_uring_register_files_update(&uring->ring, 0, &sockets[1], 1), -EACCES);
        assert_int_equal(io_uring_unregister_buffers(&uring->ring), -EACCES);

        uring_free(uring);
        close(sockets[0]);
        close(sockets[1]);
}

/* Packets that do not fit are cut, and can be told from those that do. */
static void test_packet_larger_than_told(void **state)
{
        struct uring *uring;
        unsigned refused;
        int sockets[2], size;
        static uint8_t packet[9000];

        (void) state;

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets), 0);
        uring = ring_of(sockets[0]);
        assert_int_equal(send(sockets[1], packet, 1500, 0), 1500);
        assert_int_equal(send(sockets[1], packet, sizeof(packet), 0), sizeof(packet));
        assert_int_equal(uring_exchange(uring, 8, &refused), 0);
        (void) uring_packet(uring, 0, &size);
        assert_int_equal(size, 1500);
        (void) uring_packet(uring, 1, &size);
        assert_in_range(size, 1501, sizeof(packet) - 1);
        (void) uring_packet(uring, 2, &size);
        assert_int_equal(size, -EAGAIN);
        assert_int_equal(refused, 0);

        uring_free(uring);
        close(sockets[0]);
        close(sockets[1]);
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

/* The device of a child, what fails in it, what with, and the step that this is. */
static int child_fd;
static const struct call *child_call;
static int child_error;
static const char *child_step;

/* auto goes on without, and says why; who asks for io_uring is told. */
static const char *falls_back(void)
{
        struct engine *engine = NULL;
        bool more;

        if (forbid(child_call, child_error) < 0)
                return "no filter";
        if (engine_new(&engine, ENGINE_IO_URING, child_fd, 1500, &policies[PEERS]) != -child_error)
                return "io_uring was to be had";
        if (engine_new(&engine, ENGINE_AUTO, child_fd, 1500, &policies[PEERS]) < 0)
                return "auto was not to be had";
        if (engine_status(engine)->type != ENGINE_SYSCALL ||
            engine_status(engine)->fallback != -child_error ||
            strcmp(engine_status(engine)->step, child_step) != 0)
                return "it does not say why";
        if (engine_move(engine, &more) != 1 || engine_counters(engine)->verdicts[VERDICT_REPLY] != 1)
                return "it does not answer";

        engine_free(engine);
        return NULL;
}

/* Root may lock what it likes, so that somebody else has to try. */
static const char *does_without_registered_buffers(void)
{
        struct rlimit little = { 65536, 65536 }; /* for the ring, and nothing else */
        struct engine *engine = NULL;
        int total = 0;
        bool more;

        if ((geteuid() == 0 && setresuid(65534, 65534, 65534) < 0) || setrlimit(RLIMIT_MEMLOCK, &little) < 0)
                return "no limit";
        if (engine_new(&engine, ENGINE_IO_URING, child_fd, 1500, &policies[PEERS]) < 0)
                return "io_uring was not to be had";
        if (engine_status(engine)->unregistered != -ENOMEM)
                return "the buffers are registered";

        do
                total += engine_move(engine, &more);
        while (more);
        if (total != N_CHILD_PACKETS || engine_counters(engine)->verdicts[VERDICT_REPLY] != N_CHILD_PACKETS)
                return "it does not answer";

        engine_free(engine);
        return NULL;
}

static void check_child(child_function function, unsigned n_packets)
{
        int sockets[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets), 0);
        for (unsigned i = 0; i < n_packets; i++)
                assert_int_equal(send(sockets[1], plain_ipv4.bytes, plain_ipv4.size, 0), plain_ipv4.size);

        child_fd = sockets[0];
        assert_string_equal(in_child(function, NULL, 0) ?: "", "");
        close(sockets[0]);
        close(sockets[1]);
}

static void check_fallback(const struct call *call, int error, const char *step)
{
        child_call = call;
        child_error = error;
        child_step = step;
        check_child(falls_back, 1);
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

/* To a kernel that does not know an operation, it cannot be restricted. */
static void test_operation_unknown(void **state)
{
        (void) state;
        check_fallback(&restrictions, EINVAL, "restricting the ring");
}

/* As every TUN device before Linux 6.4 is. A descriptor of today's kernel of which this is true stands for it. */
static void test_reads_that_wait(void **state)
{
        struct uring_status status;
        struct uring *uring = NULL;
        int fd = open("/proc/self/stat", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

        (void) state;
        assert_true(fd >= 0);
        assert_int_equal(uring_new(&uring, fd, 1500, &status), -EOPNOTSUPP);
        assert_string_equal(status.step, "reads that do not wait");
        assert_null(uring);
        close(fd);
}

/* Nothing is taken that came before the ring. */
static void test_probe_takes_no_packet(void **state)
{
        struct uring *uring;
        unsigned refused;
        int sockets[2], size;

        (void) state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets), 0);
        assert_int_equal(send(sockets[1], "x", 1, 0), 1);
        uring = ring_of(sockets[0]);
        assert_int_equal(uring_exchange(uring, 1, &refused), 0);
        (void) uring_packet(uring, 0, &size);
        assert_int_equal(size, 1);

        uring_free(uring);
        close(sockets[0]);
        close(sockets[1]);
}

static void test_no_locked_memory(void **state)
{
        (void) state;
        check_child(does_without_registered_buffers, N_CHILD_PACKETS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_confinement),
                cmocka_unit_test(test_packet_larger_than_told),
                cmocka_unit_test(test_forbidden),
                cmocka_unit_test(test_missing),
                cmocka_unit_test(test_operation_unknown),
                cmocka_unit_test(test_reads_that_wait),
                cmocka_unit_test(test_probe_takes_no_packet),
                cmocka_unit_test(test_no_locked_memory),
        };

        if (skipped_without_io_uring())
                return 0;

        return cmocka_run_group_tests(tests, policies_set_up, NULL);
}
