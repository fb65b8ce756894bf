/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Tries what a sandbox may forbid, and prints one line for each attempt: what was tried, and "allowed", the
 * name of the error, or that of the signal that ended it. Each attempt is made by a process of its own, and
 * none of them changes anything that matters where it succeeds.
 *
 * own:ATTEMPT makes the attempt after the process has installed the daemon's filter of system calls.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>

#include "common/util.h"
#include "daemon/filter.h"

/* Of syslog(2), whose header has no names for them. */
#define SYSLOG_ACTION_SIZE_BUFFER 10

#define PATIENCE 10 /* seconds */

/* Users that systemd makes up for DynamicUser=yes, systemd.io/UIDS-GIDS. */
#define DYNAMIC_MIN 61184
#define DYNAMIC_MAX 65519

/* Marks the system calls of another architecture, x32. */
#define OTHER_ARCHITECTURE 0x40000000L

static int result_of(long returned)
{
        return returned < 0 ? -errno : 0;
}

static int open_and_close(const char *path, int flags)
{
        _cleanup_(close_fdp) int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);

        return result_of(fd);
}

static int try_read(const char *path)
{
        return open_and_close(path, O_RDONLY);
}

/* Nothing is written. */
static int try_write(const char *path)
{
        return open_and_close(path, O_WRONLY);
}

static int try_use(const char *path)
{
        return open_and_close(path, O_RDWR);
}

static int try_mkdir(const char *path)
{
        if (mkdir(path, 0700) < 0)
                return -errno;

        return result_of(rmdir(path));
}

/* A file that stays, and belongs to this user. */
static int try_leave(const char *path)
{
        return open_and_close(path, O_RDWR | O_CREAT);
}

static int try_make_public(const char *path)
{
        struct stat status;

        if (open_and_close(path, O_RDWR | O_CREAT) < 0 || stat(path, &status) < 0 || unlink(path) < 0)
                return -errno;

        return (status.st_mode & 0077) == 0 ? -EACCES : 0;
}

static int try_make_setuid(const char *path)
{
        int r;

        if (open_and_close(path, O_RDWR | O_CREAT) < 0)
                return -errno;

        r = result_of(chmod(path, 04755));
        (void) unlink(path);
        return r;
}

/* Of a file of its own, to its own user. */
static int try_chown(const char *path)
{
        int r;

        if (open_and_close(path, O_RDWR | O_CREAT) < 0)
                return -errno;

        r = result_of(chown(path, geteuid(), getegid()));
        (void) unlink(path);
        return r;
}

static int try_mount(const char *path)
{
        if (mount("tmpfs", path, "tmpfs", 0, NULL) < 0)
                return -errno;

        return result_of(umount(path));
}

/* Become root by a program that is setuid root: this one, at another path. */
static int try_setuid_program(const char *path)
{
        (void) execl(path, path, "be-root", NULL);
        return -errno;
}

static int try_be_root(const char *argument)
{
        (void) argument;
        return geteuid() == 0 ? 0 : -EPERM;
}

static int try_be_known(const char *argument)
{
        (void) argument;
        return geteuid() >= DYNAMIC_MIN && geteuid() <= DYNAMIC_MAX ? -EPERM : 0;
}

static int try_gain(const char *argument)
{
        cap_value_t cap;

        if (cap_from_name(argument, &cap) < 0)
                return -errno;

        return cap_get_bound(cap) == 1 ? 0 : -EPERM;
}

static int try_have(const char *argument)
{
        cap_flag_value_t value = CAP_CLEAR;
        cap_value_t cap;
        cap_t caps;

        caps = cap_get_proc();
        if (!caps || cap_from_name(argument, &cap) < 0 || cap_get_flag(caps, cap, CAP_EFFECTIVE, &value) < 0)
                return -errno;

        return value == CAP_SET ? 0 : -EPERM;
}

/* The same as before, which takes no privilege. */
static int try_set_capabilities(const char *argument)
{
        cap_t caps = cap_get_proc();

        (void) argument;
        return result_of(caps ? cap_set_proc(caps) : -1);
}

static int find_family(const char *name, int *ret_type)
{
        static const struct {
                const char *name;
                int family, type;
        } families[] = {
                { "unix", AF_UNIX, SOCK_DGRAM },
                { "netlink", AF_NETLINK, SOCK_RAW },
                { "inet", AF_INET, SOCK_DGRAM },
                { "inet6", AF_INET6, SOCK_DGRAM },
                { "packet", AF_PACKET, SOCK_DGRAM },
        };

        for (size_t i = 0; i < ARRAY_SIZE(families); i++)
                if (strcmp(families[i].name, name) == 0) {
                        *ret_type = families[i].type;
                        return families[i].family;
                }

        return -1;
}

static int try_socket(const char *argument)
{
        int type = 0, family = find_family(argument, &type);
        _cleanup_(close_fdp) int fd = socket(family, type, 0);

        return result_of(fd);
}

static int try_send(const char *argument)
{
        const struct sockaddr_in discard = {
                .sin_family = AF_INET,
                .sin_port = htons(9),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        _cleanup_(close_fdp) int fd = socket(AF_INET, SOCK_DGRAM, 0);

        (void) argument;
        return result_of(sendto(fd, "", 1, 0, (const struct sockaddr *) &discard, sizeof(discard)));
}

/* A segment that the caller has made, for everybody. */
static int try_shared_memory(const char *argument)
{
        return result_of(shmget((key_t) strtoul(argument, NULL, 0), 0, 0));
}

/* A key of this user, whose keyring only a shared session keyring has a link to. */
static int try_key_of_user(const char *argument)
{
        if (syscall(SYS_add_key, "user", argument, argument, strlen(argument), KEY_SPEC_USER_KEYRING) < 0)
                return -errno;

        return result_of(syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", argument, 0));
}

/* Be in the namespace that the argument names as its link in /proc does: "mnt:[4026531841]". */
static int try_be_in(const char *argument)
{
        char path[64], name[64] = "";

        (void) snprintf(path, sizeof(path), "/proc/self/ns/%.*s", (int) strcspn(argument, ":"), argument);
        if (readlink(path, name, sizeof(name) - 1) < 0)
                return -errno;

        return strcmp(name, argument) == 0 ? 0 : -EPERM;
}

static int try_unshare(const char *argument)
{
        return result_of(unshare(strcmp(argument, "user") == 0 ? CLONE_NEWUSER : CLONE_NEWUTS));
}

static int try_rename_host(const char *argument)
{
        char name[64];

        (void) argument;
        if (gethostname(name, sizeof(name)) < 0)
                return -errno;

        return result_of(sethostname(name, strlen(name)));
}

/* Adjusts nothing; what allows to ask so allows to set, for those with the capability. */
static int try_adjust_clock(const char *argument)
{
        struct timex nothing = { .modes = 0 };

        (void) argument;
        return result_of(adjtimex(&nothing));
}

static int try_kernel_log(const char *argument)
{
        (void) argument;
        return result_of(klogctl(SYSLOG_ACTION_SIZE_BUFFER, NULL, 0));
}

static int try_realtime(const char *argument)
{
        const struct sched_param parameters = { .sched_priority = 1 };

        (void) argument;
        return result_of(sched_setscheduler(0, SCHED_RR, &parameters));
}

static int try_renice(const char *argument)
{
        (void) argument;
        return result_of(setpriority(PRIO_PROCESS, 0, 1));
}

static int try_personality(const char *argument)
{
        (void) argument;
        return result_of(personality(ADDR_NO_RANDOMIZE));
}

static int try_write_and_execute(const char *argument)
{
        void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        (void) argument;
        return page == MAP_FAILED ? -errno : 0;
}

static int try_be_traced(const char *argument)
{
        (void) argument;
        return result_of(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

/* That the kernel knows no such call is as good as allowed: nothing has kept the call from it. */
static int try_other_architecture(const char *argument)
{
        (void) argument;
        return syscall(OTHER_ARCHITECTURE | SYS_getpid) < 0 && errno != ENOSYS ? -errno : 0;
}

static const struct {
        const char *name; /* of the attempt, up to the first ':'; what follows is its argument */
        int (*try)(const char *argument);
} attempts[] = {
        { "read", try_read },
        { "write", try_write },
        { "use", try_use },
        { "mkdir", try_mkdir },
        { "leave", try_leave },
        { "make-public", try_make_public },
        { "make-setuid", try_make_setuid },
        { "chown", try_chown },
        { "mount", try_mount },
        { "setuid-program", try_setuid_program },
        { "be-root", try_be_root },
        { "be-known", try_be_known },
        { "gain", try_gain },
        { "have", try_have },
        { "set-capabilities", try_set_capabilities },
        { "socket", try_socket },
        { "send", try_send },
        { "shared-memory", try_shared_memory },
        { "key-of-user", try_key_of_user },
        { "be-in", try_be_in },
        { "unshare", try_unshare },
        { "rename-host", try_rename_host },
        { "adjust-clock", try_adjust_clock },
        { "kernel-log", try_kernel_log },
        { "realtime", try_realtime },
        { "renice", try_renice },
        { "personality", try_personality },
        { "write-and-execute", try_write_and_execute },
        { "be-traced", try_be_traced },
        { "other-architecture", try_other_architecture },
};

/* Installs the filter that the attempt asks for. */
static int limit(const char **what)
{
        struct filter *filter;
        int r;

        if (strncmp(*what, "own:", 4) != 0)
                return 0;

        *what += 4;
        r = filter_new(&filter, FILTER_PROCESS, FILTER_DENY);
        return r >= 0 ? filter_install(filter) : r;
}

/* The error comes back as exit status; setuid-program passes on that of the other program, 0 or 1. */
static int attempt(const char *what)
{
        size_t length;
        int r;

        (void) alarm(PATIENCE);
        r = limit(&what);
        if (r < 0) {
                fprintf(stderr, "sandbox-probe: Failed to install the filter: %s\n", strerror(-r));
                return ENOTRECOVERABLE;
        }

        length = strcspn(what, ":");
        for (size_t i = 0; i < ARRAY_SIZE(attempts); i++)
                if (strlen(attempts[i].name) == length && memcmp(attempts[i].name, what, length) == 0)
                        return -attempts[i].try(what[length] == '\0' ? "" : what + length + 1);

        fprintf(stderr, "sandbox-probe: Unknown attempt '%s'\n", what);
        return EINVAL;
}

/* Ends the only thread: the filter of the data plane forbids exit_group(2), which _exit(3) calls. */
static _Noreturn void end_thread(int status)
{
        for (;;)
                (void) syscall(SYS_exit, status);
}

static void report(const char *what, int status)
{
        if (WIFSIGNALED(status))
                printf("%s SIG%s\n", what, sigabbrev_np(WTERMSIG(status)));
        else if (WEXITSTATUS(status) == 0)
                printf("%s allowed\n", what);
        else
                printf("%s %s\n", what, strerrorname_np(WEXITSTATUS(status)));
}

int main(int argc, char **argv)
{
        /* As setuid-program it answers by its exit status alone: 0, or EPERM, which is 1. */
        if (argc == 2 && strcmp(argv[1], "be-root") == 0)
                return attempt(argv[1]);

        for (int i = 1; i < argc; i++) {
                pid_t pid;
                int status;

                pid = fork();
                if (pid == 0)
                        end_thread(attempt(argv[i]));

                if (pid < 0 || waitpid(pid, &status, 0) < 0) {
                        fprintf(stderr, "sandbox-probe: Failed to try '%s': %s\n", argv[i], strerror(errno));
                        return EXIT_FAILURE;
                }
                report(argv[i], status);
        }

        return EXIT_SUCCESS;
}
