/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The filters of system calls have two stages. Once the ring exists and the privileges are dropped, every
 * thread is limited to what both planes do; then the data plane limits itself further, before it reads the
 * first packet. Filters add up and cannot be removed: the strictest decides.
 *
 *   control plane                        data plane
 *   filter_new(): both filters
 *   device, addresses, privileges
 *   engine_new() ----------------------> makes the ring, waits
 *   filter_install(): all threads
 *   engine_start() --------------------> filter_install(): itself, first packet
 *
 * A filter lists what it allows. All else fails with EPERM, and the kernel sends an audit message. A call
 * that is newer than libseccomp fails with ENOSYS, so that a library uses the older one instead. A call with
 * the numbers of another architecture kills the process.
 */

#include "daemon/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/util.h"
#include "daemon/filter-program.h"

struct filter {
        enum filter_scope scope;
        struct filter_program program;
};

/* The filters of a thread, as the kernel reports them. */
struct filter_state {
        int mode; /* SECCOMP_MODE_FILTER if there is any */
        int n;    /* -1 before Linux 5.9 and without /proc */
};

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

/**
 * filter_new() - build a filter of this process
 * @ret_filter: set to the filter, which filter_free() frees
 * @scope: which filter
 * @mode: what a forbidden call does
 *
 * Both filters forbid, among others, another ring for io_uring(7), whose operations no filter sees; programs,
 * processes and threads; sockets except AF_UNIX and AF_NETLINK; files to write; tracing; mounts; modules;
 * namespaces. On 32-bit x86 and on s390, socketcall(2) hides the family of a socket. That of the data plane moves
 * packets, locks a mutex, reads the clock and ends the thread; it opens nothing.
 *
 * Return: 0, or a negative errno of filter_program_build().
 */
int filter_new(struct filter **ret_filter, enum filter_scope scope, enum filter_mode mode)
{
        struct filter *filter = malloc(sizeof(*filter));
        int r;

        if (!filter)
                return -ENOMEM;

        filter->scope = scope;
        r = filter_program_build(&filter->program, scope, mode);
        if (r < 0) {
                filter_free(filter);
                return r;
        }

        *ret_filter = filter;
        return 0;
}

/**
 * filter_free() - free a filter, which stays in force where it is installed
 * @filter: the filter, or NULL
 *
 * Return: NULL.
 */
struct filter *filter_free(struct filter *filter)
{
        free(filter);
        return NULL;
}

/* Returns 0, or a negative errno. */
static int load(const struct filter *filter)
{
        const struct sock_fprog program = {
                .len = filter->program.n,
                .filter = (struct sock_filter *) (uintptr_t) filter->program.instructions,
        };
        unsigned flags = SECCOMP_FILTER_FLAG_LOG;
        long r;

        if (filter->scope == FILTER_PROCESS)
                flags |= SECCOMP_FILTER_FLAG_TSYNC;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;

        r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
        if (r < 0)
                return -errno;

        return r > 0 ? -EBUSY : 0;
}

/**
 * filter_install() - limit all threads, or the calling one, to the system calls that the filter allows
 * @filter: the filter
 *
 * Sets no_new_privs, checks that the kernel reports the filter, and nothing removes it.
 *
 * Return: 0, or a negative errno of seccomp(2): -ENOSYS or -EINVAL if the kernel has no such filters, -EPERM if
 *         another filter forbids them, -EBUSY if a thread has a filter of its own, -ENOMEM; -ENODATA if the
 *         kernel does not report the filter afterwards.
 */
int filter_install(const struct filter *filter)
{
        _cleanup_(close_fdp) int fd = open("/proc/thread-self/status", O_RDONLY | O_CLOEXEC);
        struct filter_state before, after;
        int r;

        read_state(fd, &before);
        r = load(filter);
        if (r < 0)
                return r;

        read_state(fd, &after);
        return is_installed(&before, &after) ? 0 : -ENODATA;
}
