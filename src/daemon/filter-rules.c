/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The system calls that the filters allow; all others are forbidden, also those of later kernels. A filter
 * ignores the names that the architecture does not have, so all variants of a call are here.
 */

#include "daemon/filter-rules.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* The kernel ignores the upper half of an argument that is an int. */
#define INT UINT32_MAX

/* The flags of open(2) that write or create. O_TMPFILE has the bit of O_DIRECTORY, too. */
#define OPEN_WRITES ((uint64_t) (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY)))

/*
 * Numbers of ioctl(2): those of sockets are 0x89xx, those of TUN devices have a direction, except
 * TUNGETDEVNETNS. TIOCSTI has none: it types commands into the terminal that root started the daemon from.
 */
#define IOCTL_TYPE        0xffffff00
#define IOCTL_TYPE_SOCKET 0x8900
#define IOCTL_READS       0x80000000
#define IOCTL_WRITES      0x40000000

static const char *const process_names[] = {
        /* memory */
        "brk",
        "madvise",
        "membarrier",
        "memfd_create",
        "mmap",
        "mmap2",
        "mprotect",
        "mremap",
        "munmap",

        /* time */
        "clock_getres",
        "clock_getres_time64",
        "clock_gettime",
        "clock_gettime64",
        "clock_nanosleep",
        "clock_nanosleep_time64",
        "gettimeofday",
        "nanosleep",
        "time",
        "timerfd_create",
        "timerfd_gettime",
        "timerfd_gettime64",
        "timerfd_settime",
        "timerfd_settime64",

        /* this process */
        "arch_prctl",
        "capget",
        "exit",
        "exit_group",
        "get_robust_list",
        "getcpu",
        "getegid",
        "getegid32",
        "geteuid",
        "geteuid32",
        "getgid",
        "getgid32",
        "getgroups",
        "getgroups32",
        "getpgid",
        "getpgrp",
        "getpid",
        "getppid",
        "getrandom",
        "getresgid",
        "getresgid32",
        "getresuid",
        "getresuid32",
        "getrlimit",
        "getrusage",
        "getsid",
        "gettid",
        "getuid",
        "getuid32",
        "prctl",
        "restart_syscall",
        "rseq",
        "sched_getaffinity",
        "sched_yield",
        "seccomp",
        "set_robust_list",
        "set_tid_address",
        "sysinfo",
        "times",
        "ugetrlimit",
        "umask",
        "uname",

        /* signals and locks */
        "futex",
        "futex_time64",
        "futex_waitv",
        "rt_sigaction",
        "rt_sigpending",
        "rt_sigprocmask",
        "rt_sigreturn",
        "rt_sigsuspend",
        "rt_sigtimedwait",
        "rt_sigtimedwait_time64",
        "sigaction",
        "sigaltstack",
        "signalfd",
        "signalfd4",
        "sigprocmask",
        "sigreturn",

        /* descriptors */
        "_llseek",
        "close",
        "close_range",
        "dup",
        "dup2",
        "dup3",
        "fcntl",
        "fcntl64",
        "flock",
        "lseek",
        "pipe",
        "pipe2",
        "pread64",
        "preadv",
        "preadv2",
        "pwrite64",
        "pwritev",
        "pwritev2",
        "read",
        "readv",
        "write",
        "writev",

        /* waiting */
        "_newselect",
        "epoll_create",
        "epoll_create1",
        "epoll_ctl",
        "epoll_pwait",
        "epoll_pwait2",
        "epoll_wait",
        "eventfd",
        "eventfd2",
        "poll",
        "ppoll",
        "ppoll_time64",
        "pselect6",
        "pselect6_time64",
        "select",

        /* files */
        "access",
        "faccessat",
        "faccessat2",
        "fadvise64",
        "fadvise64_64",
        "fstat",
        "fstat64",
        "fstatat64",
        "fstatfs",
        "fstatfs64",
        "getcwd",
        "getdents",
        "getdents64",
        "inotify_add_watch",
        "inotify_init1",
        "inotify_rm_watch",
        "lstat",
        "lstat64",
        "newfstatat",
        "readlink",
        "readlinkat",
        "stat",
        "stat64",
        "statfs",
        "statfs64",
        "statx",

        /* the status socket is removed in the end */
        "rmdir",
        "unlinkat",

        /* sockets */
        "accept",
        "accept4",
        "bind",
        "connect",
        "getpeername",
        "getsockname",
        "getsockopt",
        "listen",
        "recv",
        "recvfrom",
        "recvmmsg",
        "recvmmsg_time64",
        "recvmsg",
        "send",
        "sendmmsg",
        "sendmsg",
        "sendto",
        "setsockopt",
        "shutdown",

        /* the ring that exists */
        "io_uring_enter",
        NULL,
};

static const struct filter_condition process_conditions[] = {
        /* the limits of this process */
        { "prlimit64", 0, INT, 0 },

        /* Not openat2(2): its flags are in memory, which a filter cannot read. */
        { "open", 1, OPEN_WRITES, O_RDONLY },
        { "openat", 2, OPEN_WRITES, O_RDONLY },

        { "socket", 0, INT, AF_UNIX },
        { "socket", 0, INT, AF_NETLINK },
        { "socketpair", 0, INT, AF_UNIX },

        /* TCGETS is isatty(3). */
        { "ioctl", 1, IOCTL_TYPE, IOCTL_TYPE_SOCKET },
        { "ioctl", 1, IOCTL_READS, IOCTL_READS },
        { "ioctl", 1, IOCTL_WRITES, IOCTL_WRITES },
        { "ioctl", 1, INT, TUNGETDEVNETNS },
        { "ioctl", 1, INT, TCGETS },

        /* A ring that is freed would keep the device busy for a while. */
        { "io_uring_register", 1, INT, IORING_UNREGISTER_FILES },
        { .name = NULL },
};

static const char *const thread_names[] = {
        /* packets, the eventfd, /proc/thread-self/status */
        "io_uring_enter",
        "poll",
        "ppoll",
        "ppoll_time64",
        "pread64",
        "preadv2",
        "read",
        "write",

        /* the mutex, the clock, the signal that interrupts */
        "clock_gettime",
        "clock_gettime64",
        "futex",
        "futex_time64",
        "restart_syscall",
        "rt_sigprocmask",
        "rt_sigreturn",
        "sigreturn",

        /* the end: the ring, free(3), the thread */
        "brk",
        "close",
        "exit",
        "madvise",
        "mmap",
        "mmap2",
        "mprotect",
        "munmap",

        /* abort(3) */
        "getpid",
        "gettid",
        "rt_sigaction",
        NULL,
};

static const struct filter_condition thread_conditions[] = {
        { "prctl", 0, INT, PR_GET_SECCOMP },
        { "io_uring_register", 1, INT, IORING_UNREGISTER_FILES },
        { .name = NULL },
};

/* What both planes do while the daemon serves, and when it stops. */
const struct filter_rules filter_process_rules = { process_names, process_conditions };

/* What the data plane does, from the first packet to its end. */
const struct filter_rules filter_thread_rules = { thread_names, thread_conditions };
