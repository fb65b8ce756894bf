/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The filters of system calls. Each case runs in a child, as a filter cannot be removed. A call that a filter
 * forbids fails with EPERM before the kernel reads its arguments; without the filter these arguments are
 * invalid, and root gets another error for them.
 */

#include "daemon/filter-rules.h"
#include "daemon/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "unit.h"

/* In a child: names the condition that does not hold. */
#define CHECK(condition)                                        \
        do {                                                    \
                if (!(condition))                               \
                        return __FILE__ ": fails: " #condition; \
        } while (0)

#define FORBIDDEN(call) CHECK((errno = 0, (call) < 0 && errno == EPERM))

/* Bits that the kernel does not read: the argument is an int. */
#define GARBAGE (INT64_C(1) << 32)

/* What neither plane may do, with arguments that are invalid. */
static const struct {
        const char *name;
        long number;
        long arguments[4];
} forbidden[] = {
        { "io_uring_setup", SYS_io_uring_setup, { 0 } },
        { "io_uring_register", SYS_io_uring_register, { -1, IORING_REGISTER_FILES } },
        { "io_uring_register", SYS_io_uring_register, { -1, IORING_REGISTER_RESTRICTIONS } },
        { "execve", SYS_execve, { 0 } },
        { "execveat", SYS_execveat, { -1 } },
        { "openat2", SYS_openat2, { -1 } },
        { "truncate", SYS_truncate, { 0 } },
        { "ftruncate", SYS_ftruncate, { -1 } },
        { "fallocate", SYS_fallocate, { -1 } },
        { "ptrace", SYS_ptrace, { -1, -1 } },
        { "process_vm_readv", SYS_process_vm_readv, { -1 } },
        { "process_vm_writev", SYS_process_vm_writev, { -1 } },
        { "process_madvise", SYS_process_madvise, { -1 } },
        { "kcmp", SYS_kcmp, { -1 } },
        { "mount", SYS_mount, { 0 } },
        { "umount2", SYS_umount2, { 0 } },
        { "pivot_root", SYS_pivot_root, { 0 } },
        { "move_mount", SYS_move_mount, { -1 } },
        { "open_tree", SYS_open_tree, { -1 } },
        { "fsopen", SYS_fsopen, { 0 } },
        { "fsmount", SYS_fsmount, { -1 } },
        { "fsconfig", SYS_fsconfig, { -1 } },
        { "fspick", SYS_fspick, { -1 } },
        { "mount_setattr", SYS_mount_setattr, { -1 } },
        { "chroot", SYS_chroot, { 0 } },
        { "init_module", SYS_init_module, { 0 } },
        { "finit_module", SYS_finit_module, { -1 } },
        { "delete_module", SYS_delete_module, { 0 } },
        { "kexec_load", SYS_kexec_load, { 0, 0, 0, -1 } },
        { "bpf", SYS_bpf, { -1 } },
        { "perf_event_open", SYS_perf_event_open, { 0 } },
        { "userfaultfd", SYS_userfaultfd, { -1 } },
        { "keyctl", SYS_keyctl, { -1 } },
        { "add_key", SYS_add_key, { 0 } },
        { "request_key", SYS_request_key, { 0 } },
        { "clone", SYS_clone, { CLONE_NEWUSER | CLONE_FS } },
        { "clone3", SYS_clone3, { 0 } },
        { "unshare", SYS_unshare, { CLONE_NEWUSER } },
        { "setns", SYS_setns, { -1 } },
        { "pidfd_open", SYS_pidfd_open, { -1 } },
        { "pidfd_getfd", SYS_pidfd_getfd, { -1 } },
        { "pidfd_send_signal", SYS_pidfd_send_signal, { -1 } },
        { "kill", SYS_kill, { 0, -1 } },
        { "tkill", SYS_tkill, { 0 } },
        { "fchmod", SYS_fchmod, { -1 } },
        { "fchmodat", SYS_fchmodat, { -1 } },
        { "fchown", SYS_fchown, { -1 } },
        { "fchownat", SYS_fchownat, { -1 } },
        { "linkat", SYS_linkat, { -1 } },
        { "symlinkat", SYS_symlinkat, { 0, -1 } },
        { "renameat2", SYS_renameat2, { -1 } },
        { "mkdirat", SYS_mkdirat, { -1 } },
        { "mknodat", SYS_mknodat, { -1 } },
        { "setxattr", SYS_setxattr, { 0 } },
        { "fanotify_init", SYS_fanotify_init, { -1 } },
        { "name_to_handle_at", SYS_name_to_handle_at, { -1 } },
        { "open_by_handle_at", SYS_open_by_handle_at, { -1 } },
        { "personality", SYS_personality, { 0 } },
        { "setuid", SYS_setuid, { -1 } },
        { "setgroups", SYS_setgroups, { -1 } },
        { "capset", SYS_capset, { 0 } },
        { "splice", SYS_splice, { -1 } },
        { "sched_setscheduler", SYS_sched_setscheduler, { 0, -1 } },
};

/* Returns whether a sanitizer needs this call. */
static bool is_needed(const char *name)
{
        for (const char *const *extra = filter_process_extra; *extra; extra++)
                if (strcmp(*extra, name) == 0)
                        return true;

        return false;
}

static long make_call(size_t i)
{
        const long *arguments = forbidden[i].arguments;

        errno = 0;
        return syscall(forbidden[i].number, arguments[0], arguments[1], arguments[2], arguments[3]);
}

/* Returns NULL, or the name of a call that does not fail with EPERM. */
static const char *check_forbidden(void)
{
        for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
                if (!is_needed(forbidden[i].name) && (make_call(i) >= 0 || errno != EPERM))
                        return forbidden[i].name;

        return NULL;
}

/* Builds a filter of this process, and installs it. */
static int install(enum filter_scope scope, enum filter_mode mode)
{
        struct filter *filter;
        int r = filter_new(&filter, scope, mode);

        if (r < 0)
                return r;

        r = filter_install(filter);
        filter_free(filter);
        return r;
}

static const char *process_forbids(void)
{
        CHECK(install(FILTER_PROCESS, FILTER_DENY) == 0);
        return check_forbidden();
}

static const char *process_opens_to_read(void)
{
        int fd;

        CHECK(install(FILTER_PROCESS, FILTER_DENY) == 0);
        fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        CHECK(fd >= 0);
        CHECK(close(fd) == 0);
        fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK(fd >= 0);
        return NULL;
}

/* Nothing is written, were it allowed. */
static const char *process_opens_not_to_write(void)
{
        static const int flags[] = { O_WRONLY, O_RDWR, O_ACCMODE, O_RDONLY | O_CREAT,
                                     O_RDONLY | O_TRUNC, O_RDWR | O_APPEND };

        CHECK(install(FILTER_PROCESS, FILTER_DENY) == 0);
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
                FORBIDDEN(openat(AT_FDCWD, "/dev/null", flags[i], 0600));
                FORBIDDEN(syscall(SYS_openat, AT_FDCWD, "/dev/null", GARBAGE | flags[i], 0600));
        }
        FORBIDDEN(open("/tmp", O_TMPFILE | O_RDWR, 0600));
        FORBIDDEN(creat("/dev/null", 0600));
        return NULL;
}

static const char *process_makes_sockets(void)
{
        int pair[2];

        CHECK(install(FILTER_PROCESS, FILTER_DENY) == 0);
        CHECK(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) >= 0);
        CHECK(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0);
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
        return NULL;
}

/* Not by socket(2), which is socketcall(2) on some machines: a filter cannot read its arguments. */
static const char *process_makes_no_other_sockets(void)
{
        static const int families[] = { AF_INET, AF_INET6, AF_PACKET, AF_VSOCK, AF_ALG, AF_XDP };
        int pair[2];

        CHECK(install(FILTER_PROCESS, FILTER_DENY) == 0);
        for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
                FORBIDDEN(syscall(SYS_socket, families[i], SOCK_DGRAM, 0));
                FORBIDDEN(syscall(SYS_socket, GARBAGE | families[i], SOCK_DGRAM, 0));
                FORBIDDEN(syscall(SYS_socketpair, families[i], SOCK_STREAM, 0, pair));
        }
        FORBIDDEN(syscall(SYS_socketpair, AF_NETLINK, SOCK_RAW, 0, pair));
        return NULL;
}

/* With a descriptor of no terminal, ENOTTY shows that a call is allowed. */
static const char *process_has_no_terminal(void)
{
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        CHECK(install(FILTER_PROCESS, FILTER_DENY) == 0);
        FORBIDDEN(ioctl(fd, TIOCSTI, "x"));
        FORBIDDEN(syscall(SYS_ioctl, fd, GARBAGE | TIOCSTI, "x"));
        FORBIDDEN(ioctl(fd, TIOCLINUX, "x"));
        FORBIDDEN(ioctl(fd, TIOCSCTTY, 0));
        CHECK(isatty(fd) == 0 && errno == ENOTTY);
        return NULL;
}

/* What net/ asks of a device and of a socket, of a descriptor that is neither. */
static const char *process_asks_the_device(void)
{
        static const unsigned long requests[] = { TUNGETIFF, TUNGETDEVNETNS, SIOCGSKNS, SIOCGIFINDEX };
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        CHECK(install(FILTER_PROCESS, FILTER_DENY) == 0);
        for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
                CHECK(ioctl(fd, requests[i], NULL) < 0 && errno == ENOTTY);

        return NULL;
}

static const char *process_signals_itself(void)
{
        CHECK(install(FILTER_PROCESS, FILTER_DENY) == 0);
        CHECK(syscall(SYS_tgkill, getpid(), gettid(), 0) == 0);
        FORBIDDEN(syscall(SYS_tgkill, getppid(), getppid(), 0));
        return NULL;
}

/* It is asked to end by a signal, without a handler. */
static const char *process_aborts(void)
{
        CHECK(install(FILTER_PROCESS, FILTER_DENY) == 0);
        abort();
}

/* What a later kernel adds looks as if this one did not have it. */
static const char *unknown_calls(void)
{
        CHECK(install(FILTER_PROCESS, FILTER_DENY) == 0);
        errno = 0;
        CHECK(syscall(900) < 0 && errno == EPERM);
        /* fchmodat2(2), which libseccomp 2.5.4 does not know. */
        CHECK(syscall(452, -1, "", 0, 0) < 0 && (errno == ENOSYS || errno == EPERM));
        return NULL;
}

static const char *filters_add_up(void)
{
        struct filter *filter;

        CHECK(filter_new(&filter, FILTER_PROCESS, FILTER_DENY) == 0);
        CHECK(filter_install(filter) == 0);
        CHECK(filter_install(filter) == 0);
        CHECK(prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER);
        CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
        return NULL;
}

/* For debugging: the calls are made, with the errors of their arguments. */
static const char *log_mode(void)
{
        CHECK(install(FILTER_PROCESS, FILTER_LOG) == 0);
        CHECK(install(FILTER_THREAD, FILTER_LOG) == 0);
        CHECK(prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER);
        CHECK(syscall(SYS_execve, NULL, NULL, NULL) < 0 && errno == EFAULT);
        CHECK(syscall(SYS_fchmod, -1, 0) < 0 && errno == EBADF);
        return NULL;
}

/* A thread that exists already, as the data plane does when the process is limited. */
struct other {
        pthread_barrier_t begin;
        const struct filter *filter; /* that it limits itself with, or NULL */
        const char *failure;
};

static const char *be_data_plane(const struct filter *filter)
{
        char byte = 'x';
        struct iovec buffer = { .iov_base = &byte, .iov_len = 1 };
        int fds[2];

        CHECK(pipe(fds) == 0);
        CHECK(filter_install(filter) == 0);
        CHECK(write(fds[1], &byte, 1) == 1);
        CHECK(preadv2(fds[0], &buffer, 1, -1, 0) == 1);
        CHECK(syscall(SYS_io_uring_register, -1, IORING_UNREGISTER_FILES, NULL, 0) < 0 && errno != EPERM);
        CHECK(syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0) < 0 && errno == EBADF);
        FORBIDDEN(open("/proc/self/status", O_RDONLY));
        FORBIDDEN(socket(AF_UNIX, SOCK_DGRAM, 0));
        FORBIDDEN(socket(AF_NETLINK, SOCK_RAW, 0));
        FORBIDDEN(ioctl(fds[0], FIONREAD, &fds[1]));
        FORBIDDEN(fcntl(fds[0], F_GETFL));
        FORBIDDEN(send(fds[0], &byte, 1, 0));
        FORBIDDEN(dup(fds[0]));
        FORBIDDEN(epoll_create1(0));
        FORBIDDEN(unlinkat(-1, "x", 0));
        FORBIDDEN(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL));
        FORBIDDEN(prctl(PR_SET_NAME, "x", 0, 0, 0));
        return check_forbidden();
}

static void *run_other(void *userdata)
{
        struct other *other = userdata;

        (void) pthread_barrier_wait(&other->begin);
        other->failure = other->filter ? be_data_plane(other->filter) : check_forbidden();
        return NULL;
}

static const char *with_other(const struct filter *filter)
{
        struct other other = { .filter = filter };
        pthread_t thread;

        CHECK(pthread_barrier_init(&other.begin, NULL, 2) == 0);
        CHECK(pthread_create(&thread, NULL, run_other, &other) == 0);
        CHECK(install(FILTER_PROCESS, FILTER_DENY) == 0);
        (void) pthread_barrier_wait(&other.begin);
        CHECK(pthread_join(thread, NULL) == 0);
        return other.failure;
}

static const char *process_limits_all_threads(void)
{
        return with_other(NULL);
}

/* And the rest of the process may go on as before. */
static const char *thread_limits_itself(void)
{
        struct filter *filter;
        const char *failure;

        CHECK(filter_new(&filter, FILTER_THREAD, FILTER_DENY) == 0);
        failure = with_other(filter);
        filter_free(filter);
        if (failure)
                return failure;

        CHECK(open("/proc/self/status", O_RDONLY | O_CLOEXEC) >= 0);
        CHECK(socket(AF_UNIX, SOCK_DGRAM, 0) >= 0);
        return NULL;
}

/* Has seccomp(2) return an error, or success, and install nothing. */
static const char *prevent_filters(uint32_t error)
{
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 5),
                /* Only what installs a filter: libseccomp also asks what the kernel supports. */
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SECCOMP_SET_MODE_FILTER, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = ARRAY_SIZE(filter), .filter = filter };

        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
        return NULL;
}

static const char *filters_are_forbidden(void)
{
        const char *failure = prevent_filters(EPERM);

        if (failure)
                return failure;

        CHECK(install(FILTER_PROCESS, FILTER_DENY) == -EPERM);
        CHECK(install(FILTER_THREAD, FILTER_DENY) == -EPERM);
        return NULL;
}

/* seccomp(2) succeeds, and another filter is in force, but this one is not. */
static const char *filters_are_missing(void)
{
        const char *failure = prevent_filters(0);

        if (failure)
                return failure;

        CHECK(install(FILTER_PROCESS, FILTER_DENY) == -ENODATA);
        CHECK(install(FILTER_THREAD, FILTER_DENY) == -ENODATA);
        return NULL;
}

/* The case of a test, passed as its initial state. */
static void test_in_child(void **state)
{
        const child_function *function = *state;
        const char *failure = in_child(*function, NULL, 0);

        if (failure)
                fail_msg("%s", failure);
}

/* abort(3) sends its signal by tgkill(2); otherwise the process ends by SIGSEGV. */
static void test_abort(void **state)
{
        int status;
        pid_t child = fork();

        (void) state;

        assert_int_not_equal(child, -1);
        if (child == 0) {
                (void) signal(SIGABRT, SIG_DFL);
                (void) process_aborts();
                _exit(EXIT_FAILURE);
        }

        assert_int_equal(TEMP_FAILURE_RETRY(waitpid(child, &status, 0)), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* The arguments are such that EPERM is the filter's, unless a container has a filter, too. */
static const char *errors_without_filter(void)
{
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
                if (strcmp(forbidden[i].name, "kill") != 0 && make_call(i) < 0 && errno != EPERM)
                        n++;

        CHECK(n > 0);
        return NULL;
}

int main(void)
{
        static const struct {
                const char *name;
                child_function function;
        } cases[] = {
                { "errors_without_filter", errors_without_filter },
                { "process_forbids", process_forbids },
                { "process_opens_to_read", process_opens_to_read },
                { "process_opens_not_to_write", process_opens_not_to_write },
                { "process_makes_sockets", process_makes_sockets },
                { "process_makes_no_other_sockets", process_makes_no_other_sockets },
                { "process_has_no_terminal", process_has_no_terminal },
                { "process_asks_the_device", process_asks_the_device },
                { "process_signals_itself", process_signals_itself },
                { "process_limits_all_threads", process_limits_all_threads },
                { "thread_limits_itself", thread_limits_itself },
                { "unknown_calls", unknown_calls },
                { "filters_add_up", filters_add_up },
                { "log_mode", log_mode },
                { "filters_are_forbidden", filters_are_forbidden },
                { "filters_are_missing", filters_are_missing },
        };
        struct CMUnitTest tests[ARRAY_SIZE(cases) + 1] = { cmocka_unit_test(test_abort) };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                tests[i + 1] = (struct CMUnitTest) {
                        .name = cases[i].name,
                        .test_func = test_in_child,
                        .initial_state = (void *) (uintptr_t) &cases[i].function,
                };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
