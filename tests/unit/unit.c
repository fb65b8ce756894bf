/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/**
 * random_word() - the next number of a reproducible sequence
 * @state: of the sequence; any number but 0 to begin with
 *
 * Return: 32 bits of xorshift64* (Vigna).
 */
uint32_t random_word(uint64_t *state)
{
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        return (uint32_t) ((*state * UINT64_C(0x2545f4914f6cdd1d)) >> 32);
}

/**
 * random_bytes() - fill memory with a reproducible sequence
 * @state: as of random_word()
 * @bytes: the memory
 * @size: its size in bytes
 */
void random_bytes(uint64_t *state, void *bytes, size_t size)
{
        uint8_t *byte = bytes;

        for (size_t i = 0; i < size; i++)
                byte[i] = (uint8_t) random_word(state);
}

/**
 * exact_copy() - copy data into a heap buffer of exactly its size
 * @data: the data
 * @size: its size in bytes
 *
 * A sanitizer sees the first byte that is read or written beyond such a buffer.
 *
 * Return: the buffer, to be freed.
 */
void *exact_copy(const void *data, size_t size)
{
        void *copy = malloc(size);

        assert_non_null(copy);
        if (size > 0)
                memcpy(copy, data, size);

        return copy;
}

static size_t read_all(int fd, char *text, size_t room)
{
        size_t used = 0;
        ssize_t size;

        while (used < room - 1 && (size = TEMP_FAILURE_RETRY(read(fd, text + used, room - 1 - used))) > 0)
                used += (size_t) size;

        text[used] = '\0';
        return used;
}

static _Noreturn void be_child(child_function function, int result_fd, int stderr_fd)
{
        const char *failure;

        if (stderr_fd >= 0 && dup2(stderr_fd, STDERR_FILENO) < 0)
                _exit(EXIT_FAILURE);
        if (stderr_fd >= 0)
                close(stderr_fd);

        failure = function();
        if (failure)
                (void) dprintf(result_fd, "%s", failure);
        _exit(EXIT_SUCCESS);
}

/**
 * in_child() - run a function in a process of its own
 * @function: what to run; its changes to the process end with it
 * @ret_stderr: set to what it wrote to stderr, which is a pipe then; NULL: it is not read
 * @stderr_room: room for that; what a pipe holds must be enough for all of it
 *
 * Return: NULL, or what went wrong, until the next call.
 */
const char *in_child(child_function function, char *ret_stderr, size_t stderr_room)
{
        static char failure[512];
        int result[2], standard_error[2] = { -1, -1 }, status;
        pid_t child;

        assert_int_equal(pipe2(result, O_CLOEXEC), 0);
        if (ret_stderr)
                assert_int_equal(pipe2(standard_error, O_CLOEXEC), 0);

        (void) fflush(NULL);
        child = fork();
        assert_int_not_equal(child, -1);
        if (child == 0)
                be_child(function, result[1], standard_error[1]);

        close(result[1]);
        if (ret_stderr) {
                close(standard_error[1]);
                (void) read_all(standard_error[0], ret_stderr, stderr_room);
                close(standard_error[0]);
        }
        (void) read_all(result[0], failure, sizeof(failure));
        close(result[0]);

        assert_int_equal(TEMP_FAILURE_RETRY(waitpid(child, &status, 0)), child);
        if (status != 0 && failure[0] == '\0')
                (void) snprintf(failure, sizeof(failure), "the child ended with wait status %#x",
                                (unsigned) status);

        return failure[0] != '\0' ? failure : NULL;
}

static bool write_file(const char *path, const char *text)
{
        _cleanup_(close_fdp) int fd = open(path, O_WRONLY | O_CLOEXEC);

        return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t) strlen(text);
}

/**
 * become_root() - have every capability, in namespaces of one's own
 * @namespaces: CLONE_NEWNS and its like, or 0
 *
 * Root of a new user namespace, for every user; if those are disabled, root stays root.
 * To be called in a child.
 *
 * Return: NULL, or why that cannot be.
 */
const char *become_root(int namespaces)
{
        uid_t uid = geteuid();
        gid_t gid = getegid();
        char map[64];

        if (unshare(CLONE_NEWUSER | namespaces) < 0) {
                if (uid == 0 && unshare(namespaces) == 0)
                        return NULL;
                return "neither a user namespace nor root";
        }

        (void) snprintf(map, sizeof(map), "0 %u 1", uid);
        if (!write_file("/proc/self/uid_map", map))
                return "/proc/self/uid_map cannot be written";

        (void) snprintf(map, sizeof(map), "0 %u 1", gid);
        if (!write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/gid_map", map))
                return "/proc/self/gid_map cannot be written";

        return NULL;
}

static void nothing(void **state)
{
        (void) state;
}

/**
 * skip_unless() - say that a test cannot be run here
 * @possible: whether it can
 * @test: the test; at most one of a program is skipped for each of its names
 * @reason: why it is skipped
 *
 * What cmocka's own skip() prints is a failure to Meson, so the test is replaced before it runs.
 * With TUNECHO_STRICT=1 nothing is skipped, and it fails.
 */
void skip_unless(bool possible, struct CMUnitTest *test, const char *reason)
{
        static char names[16][200]; /* until the program ends */
        static size_t n;
        const char *strict = getenv("TUNECHO_STRICT");

        if (possible || (strict && strcmp(strict, "1") == 0))
                return;

        if (n == ARRAY_SIZE(names))
                abort();

        (void) snprintf(names[n], sizeof(names[n]), "%s # SKIP %s", test->name, reason);
        test->name = names[n++];
        test->test_func = nothing;
}

/**
 * skipped_without_io_uring() - skip a whole program where the kernel or a container has no io_uring
 *
 * With TUNECHO_STRICT=1 nothing is skipped, and its tests fail.
 *
 * Return: whether it is skipped, which the program then has said.
 */
bool skipped_without_io_uring(void)
{
        const char *strict = getenv("TUNECHO_STRICT");

        /* No ring is made of nothing: where there are rings, the arguments are at fault. */
        if (syscall(SYS_io_uring_setup, 0, NULL) >= 0 || (errno != ENOSYS && errno != EPERM) ||
            (strict && strcmp(strict, "1") == 0))
                return false;

        puts("1..0 # SKIP no io_uring here");
        return true;
}
