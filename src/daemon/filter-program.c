/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Builds the program of a filter with libseccomp, in a child process that writes it to a pipe and ends: 300 kB
 * of heap end with the child, and libseccomp 2.5, which dereferences NULL where memory runs out, ends the
 * child alone.
 *
 *   filter_program_build() --fork--> build() with libseccomp
 *   read_program()         <--pipe-- seccomp_export_bpf()
 *   wait_for()             <-status- 0, or an errno
 */

#include "daemon/filter-program.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/util.h"
#include "daemon/filter-rules.h"

#define N_CALLS   1024 /* more than libseccomp knows */
#define N_UNKNOWN 128  /* more than kernels add while a version of libseccomp is in use */

static const struct {
        const struct filter_rules *rules;
        const char *const *extra;
} scopes[] = {
        [FILTER_PROCESS] = { &filter_process_rules, filter_process_extra },
        [FILTER_THREAD] = { &filter_thread_rules, filter_thread_extra },
};

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
static int allow_signals_to(scmp_filter_ctx context, pid_t process)
{
        return seccomp_rule_add(context, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                SCMP_A0_64(SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t) process));
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

/* Writes the program of a filter of that process. */
static int build(int fd, enum filter_scope scope, enum filter_mode mode, pid_t process)
{
        scmp_filter_ctx context = seccomp_init(mode == FILTER_LOG ? SCMP_ACT_LOG : SCMP_ACT_ERRNO(EPERM));
        int r;

        if (!context)
                return -ENOMEM;

        r = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        if (r >= 0)
                r = allow_names(context, scopes[scope].rules->names);
        if (r >= 0)
                r = allow_names(context, scopes[scope].extra);
        if (r >= 0)
                r = allow_if(context, scopes[scope].rules->conditions);
        if (r >= 0)
                r = allow_signals_to(context, process);
        if (r >= 0 && scope == FILTER_PROCESS && mode == FILTER_DENY)
                r = hide_unknown(context);
        if (r >= 0)
                r = seccomp_export_bpf(context, fd);
        return r == -ECANCELED ? -errno : r; /* the error of write(2) */
}

/* Until the child has closed the pipe. */
static int read_program(int fd, struct filter_program *program)
{
        char *end = (char *) program->instructions;
        size_t size = 0;
        ssize_t n;

        do {
                n = TEMP_FAILURE_RETRY(read(fd, end + size, sizeof(program->instructions) - size));
                if (n < 0)
                        return -errno;

                size += (size_t) n;
        } while (n > 0);

        program->n = (unsigned short) (size / sizeof(program->instructions[0]));
        return size > 0 && size % sizeof(program->instructions[0]) == 0 ? 0 : -ENODATA;
}

/* A child that a signal has ended had too little memory. */
static int wait_for(pid_t child)
{
        int status;

        if (TEMP_FAILURE_RETRY(waitpid(child, &status, 0)) < 0)
                return -errno;

        return WIFEXITED(status) ? -WEXITSTATUS(status) : -ENOMEM;
}

/**
 * filter_program_build() - build the program of a filter of this process
 * @program: set to the program
 * @scope: which filter
 * @mode: what a forbidden call does
 *
 * The caller must not ignore SIGCHLD.
 *
 * Return: 0, or a negative errno: -ENOMEM, -EAGAIN if there can be no more processes, -EPERM if another filter
 *         forbids them, or one of pipe(2).
 */
int filter_program_build(struct filter_program *program, enum filter_scope scope, enum filter_mode mode)
{
        _cleanup_(close_fdp) int reader = -1, writer = -1;
        pid_t parent = getpid(), child;
        int fds[2], r, result;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;

        reader = fds[0];
        writer = fds[1];
        child = fork();
        if (child < 0)
                return -errno;

        if (child == 0) {
                /* No core dump, if it crashes. */
                (void) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
                _exit(-build(writer, scope, mode, parent));
        }

        close_fdp(&writer);
        r = read_program(reader, program);
        result = wait_for(child);
        return result < 0 ? result : r;
}
