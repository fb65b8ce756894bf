/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Why the kernel drops packets, by tracefs, which is mounted for each test alone. There is one tracefs for the
 * whole machine, so other tests may run beside; each looks at its own instances.
 */

#include "client/drop-trace.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "netns.h"

#define ROOT    "/sys/kernel/tracing"
#define PACKETS 50U

/* For so long the guard tries at least. */
#define GUARD_USEC 10000000

/* The instances that a process has: how many directories begin with its name. */
static unsigned count_instances(pid_t pid)
{
        struct dirent *entry;
        DIR *directory = opendir(ROOT "/instances");
        char prefix[64];
        unsigned n = 0;

        (void) snprintf(prefix, sizeof(prefix), "tunechoctl-%d-", pid);
        while (directory && (entry = readdir(directory)))
                n += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
        if (directory)
                (void) closedir(directory);

        return n;
}

/* The process that removes them may take longer than what waits for it, where the machine is busy. */
static bool are_removed(pid_t pid)
{
        for (unsigned i = 0; i < 6000 && count_instances(pid) > 0; i++)
                (void) usleep(10000);

        return count_instances(pid) == 0;
}

static bool enter(void)
{
        return unshare(CLONE_NEWNS | CLONE_NEWNET) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
               mount("none", ROOT, "tracefs", 0, NULL) == 0 && ip("link set lo up");
}

/* Sends UDP packets that no socket receives. */
static bool send_lost(int family)
{
        struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_port = htons(9) };
        struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = in6addr_loopback };
        _cleanup_(close_fdp) int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        for (unsigned i = 0; i < PACKETS; i++)
                if (sendto(fd, "", 1, 0, family == AF_INET ? (void *) &ipv4 : (void *) &ipv6,
                           family == AF_INET ? sizeof(ipv4) : sizeof(ipv6)) < 0)
                        return false;

        return true;
}

static const char *reasons(void)
{
        static const int families[] = { AF_INET, AF_INET6 };
        static struct drop_reasons found;
        struct drop_trace *trace;

        CHECK(enter());
        for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
                uint64_t n = 0;

                CHECK(drop_trace_start(&trace, families[i]) == 0 && count_instances(getpid()) == 1);
                CHECK(send_lost(families[i]));
                CHECK(drop_trace_stop(trace, &found) == 0 && are_removed(getpid()));
                for (size_t j = 0; j < found.n; j++)
                        if (strcmp(found.items[j].reason, "NO_SOCKET") == 0)
                                n += found.items[j].count;
                CHECK(n >= PACKETS || found.is_cut);
        }
        return NULL;
}

static const char *freed(void)
{
        struct drop_trace *trace;

        CHECK(enter() && drop_trace_start(&trace, AF_INET) == 0);
        CHECK(drop_trace_free(trace) == NULL && are_removed(getpid()));
        CHECK(drop_trace_free(NULL) == NULL);
        return NULL;
}

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGKILL };

/* Starts a trace in a process of its own, which waits for a signal then. nohup(1) ignores one. */
static pid_t start_elsewhere(void)
{
        struct drop_trace *trace;
        int fds[2], r = -1;
        pid_t pid;

        if (pipe(fds) < 0)
                return -1;

        pid = fork();
        if (pid == 0) {
                for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
                        (void) signal(signals[i], SIG_DFL);
                r = drop_trace_start(&trace, AF_INET);
                if (write(fds[1], &r, sizeof(r)) == sizeof(r))
                        (void) pause();
                _exit(1);
        }
        if (read(fds[0], &r, sizeof(r)) != sizeof(r) || r < 0)
                return -1;

        close(fds[0]);
        close(fds[1]);
        return pid;
}

/* However the process ends. */
static const char *killed(void)
{
        CHECK(enter());
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
                pid_t pid = start_elsewhere();

                CHECK(pid > 0 && count_instances(pid) == 1);
                CHECK(kill(pid, signals[i]) == 0 && waitpid(pid, NULL, 0) == pid);
                CHECK(are_removed(pid));
        }
        return NULL;
}

/* What is left over is removed, what another process uses is not. */
static const char *stale(void)
{
        struct drop_trace *trace;
        struct stat status;
        char path[128];
        pid_t pid;

        CHECK(enter());
        pid = start_elsewhere();
        CHECK(pid > 0);
        (void) snprintf(path, sizeof(path), ROOT "/instances/tunechoctl-test-%d", getpid());
        CHECK(mkdir(path, 0700) == 0);
        CHECK(drop_trace_start(&trace, AF_INET) == 0);
        CHECK(stat(path, &status) < 0 && errno == ENOENT);
        CHECK(count_instances(pid) == 1 && count_instances(getpid()) == 1);
        (void) drop_trace_free(trace);
        CHECK(count_instances(pid) == 1);
        CHECK(kill(pid, SIGKILL) == 0);
        return NULL;
}

/* close_range(2) fails as on Linux before 5.9. */
static bool take_close_range(void)
{
        struct sock_filter instructions[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog program = { .len = ARRAY_SIZE(instructions), .filter = instructions };

        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 && close_range(1000, 1000, 0) < 0;
}

static const char *old_kernel(void)
{
        struct drop_trace *trace;

        CHECK(enter() && take_close_range());
        CHECK(drop_trace_start(&trace, AF_INET) == 0 && count_instances(getpid()) == 1);
        CHECK(drop_trace_free(trace) == NULL && are_removed(getpid()));
        return NULL;
}

static int open_instance(void)
{
        int fd = -1;

        for (unsigned i = 0; i < 100 && fd < 0; i++) {
                char path[128];

                (void) snprintf(path, sizeof(path), ROOT "/instances/tunechoctl-%d-%u/buffer_size_kb", getpid(), i);
                fd = open(path, O_RDONLY | O_CLOEXEC);
        }
        return fd;
}

/* Another process, for which this one stands, has a file of the instance open. It is removed when that is closed. */
static const char *busy(void)
{
        struct drop_trace *trace;
        uint64_t begin_usec;
        int fd;

        CHECK(enter() && drop_trace_start(&trace, AF_INET) == 0);
        fd = open_instance();
        CHECK(fd >= 0);
        begin_usec = monotonic_usec();
        (void) drop_trace_free(trace);
        CHECK(monotonic_usec() < begin_usec + GUARD_USEC / 2 && count_instances(getpid()) == 1);
        close(fd);
        CHECK(are_removed(getpid()));
        return NULL;
}

static const char *start_as_user(void)
{
        struct drop_trace *trace;

        CHECK(setuid(1) == 0 && drop_trace_start(&trace, AF_INET) == -EACCES);
        return NULL;
}

static const char *unavailable(void)
{
        struct drop_trace *trace;
        const char *failure;

        CHECK(enter());
        failure = in_child(start_as_user, NULL, 0);
        if (failure)
                return failure;

        (void) mount("none", "/sys/kernel/debug", "tmpfs", 0, NULL);
        CHECK(mount("none", ROOT, "tmpfs", 0, NULL) == 0);
        CHECK(drop_trace_start(&trace, AF_INET) == -ENOENT);
        return NULL;
}

static const char *try_tracefs(void)
{
        CHECK(enter() && access(ROOT "/events/skb/kfree_skb", R_OK) == 0);
        return NULL;
}

int main(void)
{
        static const struct netns_case cases[] = {
                { "reasons", reasons, true },
                { "freed", freed, true },
                { "killed", killed, true },
                { "stale", stale, true },
                { "old kernel", old_kernel, true },
                { "busy", busy, true },
                { "unavailable", unavailable, true },
        };
        const char *strict = getenv("TUNECHO_STRICT");

        if (in_child(try_tracefs, NULL, 0) && !(strict && strcmp(strict, "1") == 0)) {
                puts("1..0 # SKIP needs root and tracefs");
                return 0;
        }

        return netns_run(cases, ARRAY_SIZE(cases));
}
