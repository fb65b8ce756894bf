/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Runs nft(8) without a shell, and reads what it prints, with a limit of time and of size. */

#include "client/nft-process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "common/util.h"

/*
 * Where packages install it: the path of a user who became root often has no sbin. It runs as root, so not in
 * /usr/local, which others than root may write to.
 */
static const char *const paths[] = { "/usr/sbin/nft", "/sbin/nft" };

/* How long it sleeps while the program has closed its output and has not ended. */
#define END_SLEEP_USEC 1000

struct output {
        char *text;
        size_t size, allocated;
};

static const char *find_program(void)
{
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                if (access(paths[i], X_OK) == 0)
                        return paths[i];

        return NULL;
}

/* Starts the program with its output in a pipe, and nothing else of ours. */
static int start(const char *path, const char *const *arguments, int output_fd, pid_t *ret_pid)
{
        static char locale[] = "LC_ALL=C";
        char *const environment[] = { locale, NULL };
        posix_spawn_file_actions_t actions;
        int r;

        r = posix_spawn_file_actions_init(&actions);
        if (r > 0)
                return -r;

        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output_fd, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (r == 0)
                r = posix_spawn(ret_pid, path, &actions, NULL, (char *const *) arguments, environment);

        (void) posix_spawn_file_actions_destroy(&actions);
        return -r;
}

static bool grow(struct output *output, size_t size_max)
{
        size_t size = output->allocated > 0 ? output->allocated * 2 : 65536;
        char *text;

        size = size < size_max + 1 ? size : size_max + 1;
        text = realloc(output->text, size);
        if (!text)
                return false;

        output->text = text;
        output->allocated = size;
        return true;
}

static int read_all(int fd, struct output *output, size_t size_max, uint64_t deadline_usec)
{
        for (;;) {
                struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
                uint64_t now = monotonic_usec();
                ssize_t n;

                if (now >= deadline_usec)
                        return -ETIMEDOUT;
                if (output->size > size_max)
                        return -EFBIG;
                if (output->size == output->allocated && !grow(output, size_max))
                        return -ENOMEM;
                if (poll(&poll_fd, 1, (int) ((deadline_usec - now + 999) / 1000)) <= 0)
                        continue;

                n = TEMP_FAILURE_RETRY(read(fd, output->text + output->size, output->allocated - output->size));
                if (n <= 0)
                        return n < 0 ? -errno : 0;

                output->size += (size_t) n;
        }
}

/* Waits until the program ends. Returns 0, and its status as waitpid(2) does; or a negative errno. */
static int wait_for_end(pid_t pid, uint64_t deadline_usec, int *ret_status)
{
        for (;;) {
                pid_t ended = waitpid(pid, ret_status, WNOHANG);

                if (ended != 0 && (ended > 0 || errno != EINTR))
                        return ended < 0 ? -errno : 0;
                if (monotonic_usec() >= deadline_usec)
                        return -ETIMEDOUT;
                (void) usleep(END_SLEEP_USEC);
        }
}

static void kill_program(pid_t pid)
{
        (void) kill(pid, SIGKILL);
        (void) TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0));
}

/**
 * nft_process_run() - run nft, and read what it prints
 * @arguments: its arguments, the last of which is NULL
 * @size_max: of what it prints, in bytes
 * @timeout_msec: in which it has to end, in milliseconds; it is killed otherwise
 * @ret_text: set to what it printed, which the caller frees; not terminated
 * @ret_size: set to the size of that in bytes
 *
 * Return: 0; -ENOENT if it is not installed; -EIO if it fails; -ETIMEDOUT; -EFBIG if it prints more; or another
 *         negative errno. SIGCHLD must not be ignored.
 */
int nft_process_run(const char *const *arguments, size_t size_max, unsigned timeout_msec, char **ret_text,
                    size_t *ret_size)
{
        uint64_t deadline_usec = monotonic_usec() + timeout_msec * UINT64_C(1000);
        const char *path = find_program();
        struct output output = { 0 };
        int fds[2], status = 0, r;
        pid_t pid;

        if (!path)
                return -ENOENT;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;

        r = start(path, arguments, fds[1], &pid);
        close(fds[1]);
        if (r == 0) {
                r = read_all(fds[0], &output, size_max, deadline_usec);
                if (r == 0)
                        r = wait_for_end(pid, deadline_usec, &status);
                if (r < 0 && r != -ECHILD)
                        kill_program(pid);
        }
        close(fds[0]);

        if (r == 0 && status != 0)
                r = -EIO;
        if (r < 0) {
                free(output.text);
                return r;
        }

        *ret_text = output.text;
        *ret_size = output.size;
        return 0;
}
