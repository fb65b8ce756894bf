/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which process holds a TUN device, from /proc/PID/fdinfo, where the driver prints the name of the device. */

#include "net/tun-holder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/util.h"

static void closedirp(DIR **directory)
{
        if (*directory)
                closedir(*directory);
}

static DIR *directory_open(int parent, const char *path)
{
        int fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory;

        if (fd < 0)
                return NULL;

        directory = fdopendir(fd);
        if (!directory)
                close(fd);
        return directory;
}

/* The line "iff:", tab, name; of other files there is none. */
static bool is_device(int fdinfo, const char *file, const char *name)
{
        _cleanup_(close_fdp) int fd = openat(fdinfo, file, O_RDONLY | O_CLOEXEC);
        char text[512], line[64];
        ssize_t size;

        if (fd < 0)
                return false;

        size = TEMP_FAILURE_RETRY(read(fd, text, sizeof(text) - 1));
        if (size <= 0)
                return false;

        text[size] = '\0';
        (void) snprintf(line, sizeof(line), "\niff:\t%s\n", name);
        return strstr(text, line);
}

/* A process in another network namespace holds another device of that name. */
static bool is_in_namespace(int process, const struct stat *network)
{
        struct stat other;

        return fstatat(process, "ns/net", &other, 0) == 0 && other.st_dev == network->st_dev &&
               other.st_ino == network->st_ino;
}

static bool process_holds(int proc, const char *pid, const struct stat *network, const char *name)
{
        _cleanup_(closedirp) DIR *process = directory_open(proc, pid), *fdinfo = NULL;
        const struct dirent *entry;

        if (!process || !is_in_namespace(dirfd(process), network))
                return false;

        fdinfo = directory_open(dirfd(process), "fdinfo");
        while (fdinfo && (entry = readdir(fdinfo)))
                if (entry->d_name[0] != '.' && is_device(dirfd(fdinfo), entry->d_name, name))
                        return true;

        return false;
}

/**
 * tun_find_holder() - find a process that holds a TUN device of this network namespace
 * @name: the name of the device
 * @ret_pid: set to the process
 *
 * Sees the processes that the caller may trace, see ptrace(2): all as root, else those of the same user, and
 * none where a sandbox hides /proc. This process is not reported.
 *
 * Return: 0, -ESRCH if no process is seen to hold it, or another negative errno.
 */
int tun_find_holder(const char *name, pid_t *ret_pid)
{
        _cleanup_(closedirp) DIR *proc = NULL;
        const struct dirent *entry;
        struct stat network;

        if (stat("/proc/self/ns/net", &network) < 0)
                return -errno;

        proc = directory_open(AT_FDCWD, "/proc");
        if (!proc)
                return -errno;

        while ((entry = readdir(proc))) {
                long pid = strtol(entry->d_name, NULL, 10);

                if (pid <= 0 || pid == getpid() || !process_holds(dirfd(proc), entry->d_name, &network, name))
                        continue;

                *ret_pid = (pid_t) pid;
                return 0;
        }

        return -ESRCH;
}

/**
 * tun_holder_name() - read the name of a process
 * @pid: the process, as tun_find_holder() has found it
 * @name: set to the name, which the process itself can choose
 *
 * Return: 0, -ESRCH if there is no such process, or another negative errno.
 */
int tun_holder_name(pid_t pid, char name[static TUN_HOLDER_NAME_SIZE])
{
        _cleanup_(close_fdp) int fd = -1;
        char path[32];
        ssize_t size;

        (void) snprintf(path, sizeof(path), "/proc/%d/comm", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;

        size = TEMP_FAILURE_RETRY(read(fd, name, TUN_HOLDER_NAME_SIZE - 1));
        if (size < 0)
                return -errno;

        name[size] = '\0';
        name[strcspn(name, "\n")] = '\0';
        return 0;
}
