/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Finds and reads the settings file and its drop-ins. Any file that can be read is good, also a FIFO; but
 * neither the size nor the time is unbounded.
 */

#include "config/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/reader.h"
#include "config/settings.h"

#define FILE_SIZE_MAX 65536 /* bytes */
#define READ_MSEC     5000  /* for all files together */
#define DROP_IN_END   ".conf"

/* What FILE.d/ has; all of it is freed with it. */
struct entries {
        struct dirent **items;
        int n;
};

static void entries_free(struct entries *entries)
{
        for (int i = 0; i < entries->n; i++)
                free(entries->items[i]);
        free(entries->items);
}

static void freep(char **text)
{
        free(*text);
}

/**
 * files_free() - free the paths
 * @files: the files, all zero at first
 */
void files_free(struct files *files)
{
        for (size_t i = 0; i < files->n; i++)
                free(files->paths[i]);
        files->n = 0;
}

static int is_drop_in(const struct dirent *entry)
{
        size_t size = strlen(entry->d_name), end = strlen(DROP_IN_END);

        return entry->d_name[0] != '.' && size > end && strcmp(entry->d_name + size - end, DROP_IN_END) == 0;
}

/* By bytes, whatever the locale. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int find_drop_ins(struct files *files, struct loader *loader, const char *directory)
{
        _cleanup_(entries_free) struct entries entries = { 0 };
        const struct origin origin = { .path = directory };

        entries.n = scandir(directory, &entries.items, is_drop_in, compare_names);
        if (entries.n < 0) {
                /* Where FILE.d is too long for a name, there is none. */
                if (errno != ENOENT && errno != ENAMETOOLONG)
                        error_add(&loader->errors, &origin, "cannot be read: %m");
                return 0;
        }
        if (entries.n > DROP_INS_MAX) {
                error_add(&loader->errors, &origin, "has more than %d drop-ins", DROP_INS_MAX);
                return 0;
        }

        for (int i = 0; i < entries.n; i++) {
                if (asprintf(&files->paths[files->n], "%s/%s", directory, entries.items[i]->d_name) < 0)
                        return -ENOMEM;
                files->n++;
        }

        return 0;
}

static int find_files(struct files *files, struct loader *loader, const char *path)
{
        _cleanup_(freep) char *directory = NULL;

        if (asprintf(&directory, "%s.d", path) < 0) {
                directory = NULL;
                return -ENOMEM;
        }

        files->paths[0] = strdup(path);
        if (!files->paths[0])
                return -ENOMEM;
        files->n = 1;

        return find_drop_ins(files, loader, directory);
}

/*
 * Reads to the end into a buffer of FILE_SIZE_MAX + 1 bytes. Returns the size; -EFBIG for a larger file,
 * -ETIMEDOUT if the end is not there when the time is over, or what poll(2) and read(2) have.
 */
static ssize_t read_to_end(int fd, char *content, int64_t deadline)
{
        size_t size = 0;

        while (size <= FILE_SIZE_MAX) {
                struct pollfd events = { .fd = fd, .events = POLLIN };
                int64_t left = deadline - (int64_t) (monotonic_usec() / 1000);
                ssize_t n;

                /* A FIFO that no process has opened to write is at its end for read(2), but not for this. */
                n = poll(&events, 1, left > 0 ? (int) left : 0);
                if (n == 0)
                        return -ETIMEDOUT;
                if (n > 0)
                        n = read(fd, content + size, FILE_SIZE_MAX + 1 - size);
                if (n == 0)
                        return (ssize_t) size;
                if (n < 0 && errno != EINTR && errno != EAGAIN)
                        return -errno;
                if (n < 0 && left <= 0)
                        return -ETIMEDOUT;
                if (n > 0)
                        size += (size_t) n;
        }

        return -EFBIG;
}

/* Returns whether the file was opened. */
static bool read_file(struct loader *loader, const char *path, bool must_exist, int64_t deadline)
{
        _cleanup_(close_fdp) int fd = -1;
        struct origin origin = { .path = path };
        char content[FILE_SIZE_MAX + 1];
        struct stat status = { 0 };
        ssize_t size;

        /* Without O_NONBLOCK a FIFO would wait for its writer. */
        fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0) {
                if (errno != ENOENT || must_exist)
                        error_add(&loader->errors, &origin, "cannot be opened: %m");
                return false;
        }

        (void) fstat(fd, &status);
        size = S_ISDIR(status.st_mode) ? -EISDIR : read_to_end(fd, content, deadline);
        errno = (int) -size;
        if (size >= 0 && (size > 0 || !loader->is_reload || !S_ISFIFO(status.st_mode)))
                reader_read(loader, path, content, (size_t) size);
        else if (size == 0)
                error_add(&loader->errors, &origin, "is a pipe that was read before, and is empty now");
        else if (size == -EISDIR)
                error_add(&loader->errors, &origin, "is a directory");
        else if (size == -EFBIG)
                error_add(&loader->errors, &origin, "is larger than %d bytes", FILE_SIZE_MAX);
        else if (size == -ETIMEDOUT)
                error_add(&loader->errors, &origin,
                          "has no end within %d seconds; a FIFO needs a process that writes and closes it",
                          READ_MSEC / 1000);
        else
                error_add(&loader->errors, &origin, "cannot be read: %m");

        return true;
}

/**
 * files_read() - set what a file and then its drop-ins set, and report what is wrong in them
 * @files: all zero; the files that were found, which are the origins of the settings until files_free()
 * @loader: the settings
 * @path: the file
 * @must_exist: whether it is an error that the file does not exist
 */
void files_read(struct files *files, struct loader *loader, const char *path, bool must_exist)
{
        int64_t deadline = (int64_t) (monotonic_usec() / 1000) + READ_MSEC;

        if (find_files(files, loader, path) < 0) {
                error_add(&loader->errors, &(struct origin) { .path = path },
                          "cannot be read: out of memory");
                return;
        }

        files->has_file = read_file(loader, files->paths[0], must_exist, deadline);
        for (size_t i = 1; i < files->n; i++)
                (void) read_file(loader, files->paths[i], true, deadline);
}

/**
 * files_describe() - name the files that were read
 * @files: the files
 * @text: buffer for the text
 * @size: its size in bytes, at least PATH_SIZE + 32
 *
 * Return: @text: "FILE, DROP-IN, ...", "FILE and 12 drop-ins" where that is too long, or "defaults".
 */
const char *files_describe(const struct files *files, char *text, size_t size)
{
        size_t used = 0, n = files->n - 1;
        char path[PATH_SIZE];

        (void) snprintf(text, size, "defaults");
        for (size_t i = files->has_file ? 0 : 1; i < files->n && used < size; i++)
                used += (size_t) snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "",
                                          path_escape(path, files->paths[i]));
        if (used < size)
                return text;

        (void) path_escape(path, files->paths[0]);
        (void) snprintf(text, size, "%s%s %zu %s", path, files->has_file ? " and" : ".d with", n,
                        n == 1 ? "drop-in" : "drop-ins");
        return text;
}
