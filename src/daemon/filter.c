/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The filters of system calls have two stages. Once the ring exists and the privileges are dropped, every
 * thread is limited to what both planes do; then the data plane limits itself further, before it reads the
 * first packet. Filters add up and cannot be removed: the strictest decides.
 *
 *   control plane                        data plane
 *   device, addresses, privileges
 *   engine_new() ----------------------> makes the ring, waits
 *   filter_install_process(): both
 *   engine_start() --------------------> filter_install_thread(), first packet
 *
 * A filter lists what it allows. All else fails with EPERM, and the kernel sends an audit message. A call
 * that is newer than libseccomp fails with ENOSYS, so that a library uses the older one instead. A call with
 * the numbers of another architecture kills the process.
 */

#include "daemon/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/util.h"
#include "daemon/filter-rules.h"

#define N_CALLS   1024 /* more than libseccomp knows */
#define N_UNKNOWN 128  /* more than kernels add while a version of libseccomp is in use */

/* The filters of a thread, as the kernel reports them. */
struct filter_state {
        int mode; /* SECCOMP_MODE_FILTER if there is any */
        int n;    /* -1 before Linux 5.9 and without /proc */
};

static void release_contextp(scmp_filter_ctx *context)
{
        if (*context)
                seccomp_release(*context);
}

static int find_number(const char *text, const char *name)
{
        const char *line = strstr(text, name);
        int number;

        return line && sscanf(line + strlen(name), "%d", &number) == 1 ? number : -1;
}

/* proc(5). The file was opened before: a thread that is limited cannot open it. */
static void read_state(int fd, struct filter_state *ret_state)
{
        char text[4096];
        ssize_t size = fd >= 0 ? pread(fd, text, sizeof(text) - 1, 0) : -1;

        text[size > 0 ? size : 0] = '\0';
        ret_state->mode = find_number(text, "\nSeccomp:");
        ret_state->n = find_number(text, "\nSeccomp_filters:");
        if (ret_state->mode < 0)
                ret_state->mode = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
}

static bool is_installed(const struct filter_state *before, const struct filter_state *after)
{
        return after->mode == SECCOMP_MODE_FILTER && (after->n < 0 || after->n > before->n);
}

static int allow_names(scmp_filter_ctx context, const char *const *names)
{
        for (; *names; names++) {
                int number = seccomp_syscall_resolve_name(*names), r;

                /* This libseccomp does not know it yet. */
                if (number == __NR_SCMP_ERROR)
                        continue;

                r = seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int allow_if(scmp_filter_ctx context, const struct filter_condition *condition)
{
        for (; condition->name; condition++) {
                int number = seccomp_syscall_resolve_name(condition->name), r;

                r = seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 1,
                                     SCMP_CMP64(condition->argument, SCMP_CMP_MASKED_EQ, condition->mask,
                                                condition->value));
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Not to other processes of the user: all instances of the unit have the same one. */
static int allow_own_signals(scmp_filter_ctx context)
{
        return seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                SCMP_A0_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t) getpid()));
}

/* Calls that are newer than libseccomp have the numbers that follow those that it knows. */
static int hide_unknown(scmp_filter_ctx context)
{
        int last = 0;

        for (int number = 0; number < N_CALLS; number++) {
                char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

                if (name)
                        last = number;
                free(name);
        }

        for (int number = last + 1; number <= last + N_UNKNOWN; number++) {
                int r = seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), number, 0);

                if (r < 0)
                        return r;
        }

        return 0;
}

/* Without a program, EFAULT says that the kernel has filters. libseccomp hides any other error. */
static int check_support(void)
{
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) < 0 && errno != EFAULT ? -errno : 0;
}

static int set_attributes(scmp_filter_ctx context, bool all_threads)
{
        const struct {
                enum scmp_filter_attr attribute;
                uint32_t value;
        } attributes[] = {
                { SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS },
                { SCMP_FLTATR_CTL_NNP, 1 },
                { SCMP_FLTATR_CTL_TSYNC, all_threads },
        };

        for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
                int r = seccomp_attr_set(context, attributes[i].attribute, attributes[i].value);

                if (r < 0)
                        return r;
        }

        /* A denied call without an audit message is denied as well. */
        (void) seccomp_attr_set(context, SCMP_FLTATR_CTL_LOG, 1);
        return 0;
}

static int add_rules(scmp_filter_ctx context, const struct filter_rules *rules, const char *const *extra)
{
        int r;

        r = allow_names(context, rules->names);
        if (r >= 0)
                r = allow_names(context, extra);
        if (r >= 0)
                r = allow_if(context, rules->conditions);
        if (r >= 0)
                r = allow_own_signals(context);
        return r;
}

/* Loads the filter, and checks that the kernel has it. */
static int load(scmp_filter_ctx context)
{
        _cleanup_(close_fdp) int fd = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
        struct filter_state before, after;
        int r;

        read_state(fd, &before);
        r = seccomp_load(context);
        if (r < 0)
                return r == -ECANCELED ? -errno : r; /* the error of seccomp(2) */

        read_state(fd, &after);
        return is_installed(&before, &after) ? 0 : -ENODATA;
}

static int install(enum filter_mode mode, bool all_threads, const struct filter_rules *rules,
                   const char *const *extra)
{
        _cleanup_(release_contextp) scmp_filter_ctx context =
                seccomp_init(mode == FILTER_LOG ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(EPERM));
        int r;

        if (!context)
                return -ENOMEM;

        r = check_support();
        if (r >= 0)
                r = set_attributes(context, all_threads);
        if (r >= 0)
                r = add_rules(context, rules, extra);
        if (r >= 0 && all_threads && mode == FILTER_DENY)
                r = hide_unknown(context);
        return r < 0 ? r : load(context);
}

/**
 * filter_install_process() - limit all threads of the process to the system calls of both planes
 * @mode: what a forbidden call does
 *
 * Sets no_new_privs, and nothing removes the filter. It forbids, among others, another ring for io_uring(7),
 * whose operations no filter sees; programs, processes and threads; sockets except AF_UNIX and AF_NETLINK;
 * files to write; tracing; mounts; modules; namespaces. On 32-bit x86, socketcall(2) hides the family of a
 * socket.
 *
 * Return: 0, or a negative errno: -ENOSYS or -EINVAL if the kernel has no such filters, -EPERM if another
 *         filter forbids them, -ENODATA if the kernel does not report the filter afterwards, -ENOMEM.
 *         seccomp(2)
 */
int filter_install_process(enum filter_mode mode)
{
        return install(mode, true, &filter_process_rules, filter_process_extra);
}

/**
 * filter_install_thread() - limit the calling thread to the system calls of the data plane
 * @mode: what a forbidden call does
 *
 * These move packets, lock a mutex, read the clock and end the thread. They open nothing.
 *
 * Return: as filter_install_process().
 */
int filter_install_thread(enum filter_mode mode)
{
        return install(mode, false, &filter_thread_rules, filter_thread_extra);
}
