/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The status socket: who connects gets one text, and the end of it. Never waits for a client and keeps
 * nothing of one: the text goes into the socket's buffer at once, and what a client does not read is the
 * kernel's to hold.
 */

#include "daemon/status-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/util.h"
#include "tunecho/status.h"

struct status_socket {
        char directory[PATH_MAX];
        bool is_managed;  /* the directory is the service manager's to remove */
        int directory_fd; /* locked as long as we serve */
        int fd;
};

/*
 * systemd.exec(5): $RUNTIME_DIRECTORY is what RuntimeDirectory= made. It has a colon where there are several,
 * and then none of them is known to be ours.
 */
static int find_directory(struct status_socket *status, const char *interface)
{
        const char *managed = getenv("RUNTIME_DIRECTORY");
        int size;

        status->is_managed = managed && *managed == '/' && !strchr(managed, ':');
        if (status->is_managed)
                size = snprintf(status->directory, sizeof(status->directory), "%s", managed);
        else
                size = snprintf(status->directory, sizeof(status->directory), TUNECHO_RUN_DIR "/%s",
                                interface);

        return (size_t) size < sizeof(status->directory) ? 0 : -ENAMETOOLONG;
}

/* One that is there already stays as it is. */
static int make_directory(const char *path, mode_t mode)
{
        if (mkdir(path, mode) < 0)
                return errno == EEXIST ? 0 : -errno;

        /* Whatever the umask is. */
        return chmod(path, mode) < 0 ? -errno : 0;
}

/*
 * The lock is what tells a socket that was left behind from one that another process serves. Everybody may
 * ask, but who could open the directory could lock it.
 */
static int open_directory(struct status_socket *status, const struct identity *owner)
{
        int r = 0;

        if (!status->is_managed)
                r = make_directory(TUNECHO_RUN_DIR, 0755);
        if (r >= 0 && !status->is_managed)
                r = make_directory(status->directory, 0711);
        if (r < 0)
                return r;

        status->directory_fd = open(status->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (status->directory_fd < 0)
                return -errno;

        if (flock(status->directory_fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;

        /* Else it could not remove the socket in the end. */
        if (owner && fchown(status->directory_fd, owner->uid, owner->gid) < 0)
                return -errno;

        return 0;
}

/* What has its name and is no socket is not ours: $RUNTIME_DIRECTORY may be that of another service. */
static int remove_left_behind(const struct status_socket *status)
{
        struct stat found;

        if (fstatat(status->directory_fd, STATUS_SOCKET, &found, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(found.st_mode))
                return -EEXIST;

        return unlinkat(status->directory_fd, STATUS_SOCKET, 0) < 0 ? -errno : 0;
}

/* Everybody may connect. Not by chmod(2): the directory's owner could put a link in the place by then. */
static int bind_for_all(int fd, const struct sockaddr_un *address)
{
        mode_t mask = umask(0111);
        int r = bind(fd, (const struct sockaddr *) address, sizeof(*address)) < 0 ? -errno : 0;

        (void) umask(mask);
        return r;
}

static int open_socket(struct status_socket *status)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int size, r;

        size = snprintf(address.sun_path, sizeof(address.sun_path), "%s/" STATUS_SOCKET, status->directory);
        if ((size_t) size >= sizeof(address.sun_path))
                return -ENAMETOOLONG;

        r = remove_left_behind(status);
        if (r < 0)
                return r;

        status->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (status->fd < 0)
                return -errno;

        r = bind_for_all(status->fd, &address);
        if (r < 0)
                return r;

        return listen(status->fd, SOMAXCONN) < 0 ? -errno : 0;
}

static int open_all(struct status_socket *status, const struct identity *owner)
{
        int r = open_directory(status, owner);

        return r < 0 ? r : open_socket(status);
}

/**
 * status_new() - make the status socket
 * @ret_status: where to put it; status_free() frees it
 * @interface: whose status it is
 * @owner: whom this process is about to become, or NULL
 *
 * It is $RUNTIME_DIRECTORY/status where the service manager made that directory, else
 * /run/tunecho/INTERFACE/status. One that a process left behind is replaced.
 *
 * Return: 0, or a negative errno: -EBUSY if another process serves it, -EEXIST if something else has its
 *         name.
 */
int status_new(struct status_socket **ret_status, const char *interface, const struct identity *owner)
{
        struct status_socket *status = malloc(sizeof(*status));
        int r;

        if (!status)
                return -ENOMEM;

        status->directory_fd = status->fd = -1;
        r = find_directory(status, interface);
        if (r >= 0)
                r = open_all(status, owner);

        /* An instance that ends may have taken a directory away that was there. */
        if (r == -ENOENT && !status->is_managed) {
                close_fdp(&status->fd);
                close_fdp(&status->directory_fd);
                r = open_all(status, owner);
        }
        if (r < 0) {
                status_free(status);
                return r;
        }

        *ret_status = status;
        return 0;
}

/**
 * status_free() - remove the status socket, and its directory where nobody else does
 * @status: the socket, or NULL
 *
 * Return: NULL.
 */
struct status_socket *status_free(struct status_socket *status)
{
        if (!status)
                return NULL;

        if (status->fd >= 0)
                (void) unlinkat(status->directory_fd, STATUS_SOCKET, 0);

        /* Directories that others use are not empty. */
        if (status->fd >= 0 && !status->is_managed && rmdir(status->directory) == 0)
                (void) rmdir(TUNECHO_RUN_DIR);

        close_fdp(&status->fd);
        close_fdp(&status->directory_fd);
        free(status);
        return NULL;
}

/**
 * status_fd() - the descriptor that is readable when a client has connected
 * @status: the socket
 */
int status_fd(const struct status_socket *status)
{
        return status->fd;
}

/**
 * status_serve() - answer one client
 * @status: the socket
 * @text: what to tell
 * @size: its size in bytes, a few kilobytes at most, so that it finds room in any socket's buffer
 *
 * Return: 0, also if the client is gone by now; -EAGAIN if there is none; or what accept(2) failed with.
 */
int status_serve(const struct status_socket *status, const char *text, size_t size)
{
        _cleanup_(close_fdp) int client = accept4(status->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (client < 0)
                return errno == ECONNABORTED || errno == EINTR ? 0 : -errno;

        (void) send(client, text, size, MSG_NOSIGNAL);
        return 0;
}
