/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Why the kernel drops packets, for the time of a test: the event kfree_skb of tracefs, in an instance of its own
 * (a directory of instances/), so that nothing else that is traced changes.
 *
 *     this process   mkdir, open a file of it     enable ... disable, read     close       ends, by whatever
 *     guard process                               waits for the end of a pipe               rmdir
 *
 * The kernel does not remove an instance of which a file is open. So those that it does remove are left over from
 * processes that are gone, and the guard removes this one however this process ends.
 */

#include "client/drop-trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/util.h"

#define PREFIX      "tunechoctl-"
#define EVENT       "events/skb/kfree_skb"
#define FORMAT_SIZE 65536 /* bytes; the file has some 5000 */
#define FILTER_SIZE 4096  /* bytes; the kernel takes no more than a page */
#define LINES_MAX   500000

/* How often the guard tries to remove the instance, and how long it sleeps in between. */
#define GUARD_TRIES      1000
#define GUARD_SLEEP_USEC 10000

/* How long this process waits for the guard, and how long it sleeps in between. */
#define WAIT_USEC       1000000
#define WAIT_SLEEP_USEC 1000

/* Where tracefs is mounted; the second one by older systems. */
static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

struct drop_trace {
        char path[128]; /* of the instance; "" if there is none */
        int hold_fd;    /* an open file of the instance, which keeps it */
        int guard_fd;   /* the pipe to the guard */
        pid_t guard;    /* 0: none */
};

static void free_reader(FILE **file)
{
        if (*file)
                (void) fclose(*file);
}

/* A kernel that is locked down answers EPERM. */
static int trace_error(int error)
{
        return error == EPERM ? -EACCES : -error;
}

static int find_root(const char **ret_root)
{
        int r = -ENOENT;

        for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
                char path[128];

                (void) snprintf(path, sizeof(path), "%s/" EVENT "/format", roots[i]);
                if (access(path, R_OK) == 0) {
                        *ret_root = roots[i];
                        return 0;
                }
                if (errno == EACCES || errno == EPERM)
                        r = -EACCES;
        }

        return r;
}

static int read_format(struct drop_format *ret_format, const char *root)
{
        _cleanup_(free_reader) FILE *file = NULL;
        static char text[FORMAT_SIZE];
        char path[128];
        size_t size;

        (void) snprintf(path, sizeof(path), "%s/" EVENT "/format", root);
        file = fopen(path, "re");
        if (!file)
                return trace_error(errno);

        size = fread(text, 1, sizeof(text) - 1, file);
        text[size] = '\0';
        return drop_format_parse(ret_format, text) ? 0 : -ENOENT;
}

/* Removes instances of which no file is open. */
static void remove_stale(const char *root)
{
        char path[128];
        struct dirent *entry;
        DIR *directory;

        (void) snprintf(path, sizeof(path), "%s/instances", root);
        directory = opendir(path);
        if (!directory)
                return;

        while ((entry = readdir(directory)))
                if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0)
                        (void) unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR);
        (void) closedir(directory);
}

static int open_file(const struct drop_trace *trace, const char *name, int flags)
{
        char path[192];

        (void) snprintf(path, sizeof(path), "%s/%s", trace->path, name);
        return open(path, flags | O_CLOEXEC);
}

/* Another process may take the instance for a stale one before its file is open, so this is tried again. */
static int create(struct drop_trace *trace, const char *root)
{
        for (unsigned i = 0; i < 100; i++) {
                (void) snprintf(trace->path, sizeof(trace->path), "%s/instances/" PREFIX "%d-%u", root,
                                getpid(), i);
                if (mkdir(trace->path, 0700) < 0) {
                        int error = errno;

                        trace->path[0] = '\0';
                        if (error != EEXIST)
                                return trace_error(error);
                        continue;
                }

                trace->hold_fd = open_file(trace, "buffer_size_kb", O_RDONLY);
                if (trace->hold_fd >= 0)
                        return 0;
                if (errno != ENOENT && errno != ENODEV)
                        return trace_error(errno);
        }

        return -EBUSY;
}

/* Waits until the other process has closed the pipe, by its end at the latest. The files are closed after that. */
static _Noreturn void run_guard(const char *path, int fd)
{
        char byte;

        /* What else was open, as a pipe that others wait for, must not stay open. Before Linux 5.9 it does. */
        if (fd > 0)
                (void) close_range(0, (unsigned) fd - 1, 0);
        (void) close_range((unsigned) fd + 1, ~0U, 0);
        (void) setsid();
        (void) TEMP_FAILURE_RETRY(read(fd, &byte, 1));
        for (unsigned i = 0; i < GUARD_TRIES; i++) {
                if (rmdir(path) == 0 || errno != EBUSY)
                        break;
                (void) usleep(GUARD_SLEEP_USEC);
        }
        _exit(0);
}

static int start_guard(struct drop_trace *trace)
{
        sigset_t all, before;
        int fds[2];
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;

        /* A signal for the whole terminal must not end the guard. */
        (void) sigfillset(&all);
        (void) sigprocmask(SIG_SETMASK, &all, &before);
        pid = fork();
        if (pid == 0) {
                /* With these, it would wait for itself. */
                close(fds[1]);
                close(trace->hold_fd);
                run_guard(trace->path, fds[0]);
        }
        (void) sigprocmask(SIG_SETMASK, &before, NULL);

        close(fds[0]);
        trace->guard_fd = fds[1];
        trace->guard = pid > 0 ? pid : 0;
        return pid > 0 ? 0 : -EAGAIN;
}

static int write_file(const struct drop_trace *trace, const char *name, const char *text)
{
        _cleanup_(close_fdp) int fd = open_file(trace, name, O_WRONLY);

        if (fd < 0 || write(fd, text, strlen(text)) < 0)
                return trace_error(errno);

        return 0;
}

static int enable(const struct drop_trace *trace, const struct drop_format *format, int family)
{
        char filter[FILTER_SIZE];
        int r = -ENOBUFS;

        if (drop_format_write_filter(format, family, filter, sizeof(filter)))
                r = write_file(trace, EVENT "/filter", filter);
        if (r < 0)
                return r;

        return write_file(trace, EVENT "/enable", "1");
}

/**
 * drop_trace_start() - begin to count why the kernel drops packets
 * @ret_trace: set to the trace; drop_trace_stop() or drop_trace_free() ends it
 * @family: of the packets, AF_INET or AF_INET6
 *
 * Packets of all network namespaces are counted, as the event does not say of which one they are. Needs root. A
 * process of its own removes what this creates in tracefs, however the program ends; so SIGCHLD may arrive.
 *
 * Return: 0; -ENOENT if tracefs is not mounted, or the kernel does not record reasons; -EACCES without the
 *         privilege; or another negative errno.
 */
int drop_trace_start(struct drop_trace **ret_trace, int family)
{
        struct drop_format format;
        struct drop_trace *trace;
        const char *root;
        int r;

        r = find_root(&root);
        if (r >= 0)
                r = read_format(&format, root);
        if (r < 0)
                return r;

        trace = calloc(1, sizeof(*trace));
        if (!trace)
                return -ENOMEM;

        trace->hold_fd = -1;
        trace->guard_fd = -1;
        remove_stale(root);
        r = create(trace, root);
        if (r >= 0)
                r = start_guard(trace);
        if (r >= 0)
                r = enable(trace, &format, family);
        if (r < 0) {
                drop_trace_free(trace);
                return r;
        }

        *ret_trace = trace;
        return 0;
}

typedef void (*line_handler_t)(struct drop_reasons *reasons, const char *line);

static int read_lines(FILE *file, line_handler_t on_line, struct drop_reasons *reasons)
{
        char line[512];
        unsigned n = 0;

        while (fgets(line, sizeof(line), file)) {
                if (n++ == LINES_MAX) {
                        reasons->is_cut = true;
                        break;
                }
                on_line(reasons, line);
        }

        return ferror(file) ? -EIO : 0;
}

static int read_trace(const struct drop_trace *trace, line_handler_t on_line, struct drop_reasons *reasons)
{
        _cleanup_(free_reader) FILE *file = NULL;
        int fd;

        fd = open_file(trace, "trace", O_RDONLY);
        if (fd < 0)
                return trace_error(errno);

        file = fdopen(fd, "r");
        if (!file) {
                close(fd);
                return -ENOMEM;
        }

        return read_lines(file, on_line, reasons);
}

/* Names the functions that the kernel did not; without them, the reasons are still right. */
static void read_symbols(const struct drop_trace *trace, struct drop_reasons *reasons)
{
        _cleanup_(free_reader) FILE *file = NULL;

        if (write_file(trace, "options/hash-ptr", "0") < 0 ||
            read_trace(trace, drop_reasons_parse_address, reasons) < 0)
                return;

        file = fopen("/proc/kallsyms", "re");
        if (file)
                (void) read_lines(file, drop_reasons_parse_symbol, reasons);
}

static int read_reasons(const struct drop_trace *trace, struct drop_reasons *ret_reasons)
{
        int r;

        r = read_trace(trace, drop_reasons_parse, ret_reasons);
        if (r < 0)
                return r;

        if (drop_reasons_need_symbols(ret_reasons))
                read_symbols(trace, ret_reasons);
        drop_reasons_finish(ret_reasons);
        return 0;
}

/**
 * drop_trace_stop() - end the count, and read it
 * @trace: the trace, which is freed
 * @ret_reasons: set to the reasons, most frequent first
 *
 * Return: 0, or a negative errno, with no reasons.
 */
int drop_trace_stop(struct drop_trace *trace, struct drop_reasons *ret_reasons)
{
        struct drop_reasons reasons = { 0 };
        int r;

        r = write_file(trace, EVENT "/enable", "0");
        if (r >= 0)
                r = read_reasons(trace, &reasons);

        *ret_reasons = r < 0 ? (struct drop_reasons) { 0 } : reasons;
        (void) drop_trace_free(trace);
        return r;
}

/* Not for as long as it tries: another process may have a file of the instance open. */
static void wait_for_guard(pid_t guard)
{
        uint64_t deadline_usec = monotonic_usec() + WAIT_USEC;

        while (waitpid(guard, NULL, WNOHANG) == 0 && monotonic_usec() < deadline_usec)
                (void) usleep(WAIT_SLEEP_USEC);
}

/**
 * drop_trace_free() - end the count without reading it
 * @trace: the trace, or NULL
 *
 * What was created in tracefs is removed when this returns, unless another process has a file of it open; then it
 * is removed later.
 *
 * Return: NULL.
 */
struct drop_trace *drop_trace_free(struct drop_trace *trace)
{
        if (!trace)
                return NULL;

        close_fdp(&trace->hold_fd);
        close_fdp(&trace->guard_fd);
        if (trace->guard > 0)
                wait_for_guard(trace->guard);
        else if (trace->path[0] != '\0')
                (void) rmdir(trace->path);

        free(trace);
        return NULL;
}
