/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The status socket: a client that connects is sent one text, and the connection is closed. The daemon never
 * waits for a client and keeps no state of one: the text fits the buffer of the socket, and what a client
 * does not read stays in the kernel.
 */

#include "daemon/status-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/util.h"
#include "tunecho/status.h"

/* The time until the next accept(2) after one that failed for lack of resources. */
#define RETRY_USEC 1000000

struct status_server {
        char directory[PATH_MAX];
        bool is_managed;  /* systemd removes the directory */
        int directory_fd; /* locked as long as the process serves */
        int fd;

        sd_event_source *clients, *retry;
        status_reader_t reader;
        void *userdata;
};

/*
 * systemd.exec(5): $RUNTIME_DIRECTORY is what RuntimeDirectory= made. It has a colon where there are several,
 * and none of those is used.
 */
static int find_directory(struct status_server *server, const char *interface)
{
        const char *managed = getenv("RUNTIME_DIRECTORY");
        int size;

        server->is_managed = managed && *managed == '/' && !strchr(managed, ':');
        if (server->is_managed)
                size = snprintf(server->directory, sizeof(server->directory), "%s", managed);
        else
                size = snprintf(server->directory, sizeof(server->directory), TUNECHO_RUN_DIR "/%s",
                                interface);

        return (size_t) size < sizeof(server->directory) ? 0 : -ENAMETOOLONG;
}

/* An existing one stays as it is. */
static int make_directory(const char *path, mode_t mode)
{
        if (mkdir(path, mode) < 0)
                return errno == EEXIST ? 0 : -errno;

        /* Whatever the umask is. */
        return chmod(path, mode) < 0 ? -errno : 0;
}

/*
 * The lock distinguishes a socket that an ended process left from one that another process serves. Every user
 * may connect, but a user who could open the directory could lock it.
 */
static int open_directory(struct status_server *server, const struct identity *owner)
{
        int r = 0;

        if (!server->is_managed)
                r = make_directory(TUNECHO_RUN_DIR, 0755);
        if (r >= 0 && !server->is_managed)
                r = make_directory(server->directory, 0711);
        if (r < 0)
                return r;

        server->directory_fd = open(server->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (server->directory_fd < 0)
                return -errno;

        if (flock(server->directory_fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;

        /* The new user removes the socket in the end. */
        if (owner && fchown(server->directory_fd, owner->uid, owner->gid) < 0)
                return -errno;

        return 0;
}

/* A file of this name that is not a socket is kept: $RUNTIME_DIRECTORY may be that of another service. */
static int remove_left_behind(const struct status_server *server)
{
        struct stat found;

        if (fstatat(server->directory_fd, STATUS_SOCKET, &found, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(found.st_mode))
                return -EEXIST;

        return unlinkat(server->directory_fd, STATUS_SOCKET, 0) < 0 ? -errno : 0;
}

/* Every user may connect. Not by chmod(2): the directory's owner could have put a link there by then. */
static int bind_for_all(int fd, const struct sockaddr_un *address)
{
        mode_t mask = umask(0111);
        int r = bind(fd, (const struct sockaddr *) address, sizeof(*address)) < 0 ? -errno : 0;

        (void) umask(mask);
        return r;
}

static int open_socket(struct status_server *server)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int size, r;

        size = snprintf(address.sun_path, sizeof(address.sun_path), "%s/" STATUS_SOCKET, server->directory);
        if ((size_t) size >= sizeof(address.sun_path))
                return -ENAMETOOLONG;

        r = remove_left_behind(server);
        if (r < 0)
                return r;

        server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (server->fd < 0)
                return -errno;

        r = bind_for_all(server->fd, &address);
        if (r < 0)
                return r;

        return listen(server->fd, SOMAXCONN) < 0 ? -errno : 0;
}

static int open_all(struct status_server *server, const struct identity *owner)
{
        int r = open_directory(server, owner);

        return r < 0 ? r : open_socket(server);
}

/**
 * status_server_new() - make the status socket
 * @ret_server: set to the server, which status_server_free() frees
 * @interface: whose status it is
 * @owner: the user that this process is about to become, or NULL
 *
 * It is $RUNTIME_DIRECTORY/status if systemd created that directory, else /run/tunecho/INTERFACE/status. One
 * that an ended process left behind is replaced.
 *
 * Return: 0, or a negative errno: -EBUSY if another process serves it, -EEXIST if something else has its
 *         name.
 */
int status_server_new(struct status_server **ret_server, const char *interface, const struct identity *owner)
{
        struct status_server *server = calloc(1, sizeof(*server));
        int r;

        if (!server)
                return -ENOMEM;

        server->directory_fd = server->fd = -1;
        r = find_directory(server, interface);
        if (r >= 0)
                r = open_all(server, owner);

        /* An instance that ends may have removed a directory that was there. */
        if (r == -ENOENT && !server->is_managed) {
                close_fdp(&server->fd);
                close_fdp(&server->directory_fd);
                r = open_all(server, owner);
        }
        if (r < 0) {
                status_server_free(server);
                return r;
        }

        *ret_server = server;
        return 0;
}

/**
 * status_server_free() - remove the status socket, and its directory unless systemd does
 * @server: the server, or NULL
 *
 * Return: NULL.
 */
struct status_server *status_server_free(struct status_server *server)
{
        if (!server)
                return NULL;

        sd_event_source_unref(server->retry);
        sd_event_source_unref(server->clients);
        if (server->fd >= 0)
                (void) unlinkat(server->directory_fd, STATUS_SOCKET, 0);

        /* Directories that others use are not empty. */
        if (server->fd >= 0 && !server->is_managed && rmdir(server->directory) == 0)
                (void) rmdir(TUNECHO_RUN_DIR);

        close_fdp(&server->fd);
        close_fdp(&server->directory_fd);
        free(server);
        return NULL;
}

/* Returns 0, also if the client closed the connection, or the negative errno of accept(2). */
static int serve_client(const struct status_server *server)
{
        _cleanup_(close_fdp) int client = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct status status = { 0 };
        char text[STATUS_TEXT_MAX];
        int size;

        if (client < 0)
                return errno == ECONNABORTED || errno == EINTR || errno == EAGAIN ? 0 : -errno;

        server->reader(server->userdata, &status);
        size = status_format(&status, text, sizeof(text));
        if (size > 0)
                (void) send(client, text, (size_t) size, MSG_NOSIGNAL);
        return 0;
}

/* Answers one client. If accept(2) fails, for example for lack of descriptors, clients wait for a second. */
static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        struct status_server *server = userdata;
        int r;

        (void) fd;
        (void) events;

        if (serve_client(server) == 0)
                return 0;

        r = sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (r < 0)
                return r;

        r = sd_event_source_set_time_relative(server->retry, RETRY_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(server->retry, SD_EVENT_ONESHOT);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
        struct status_server *server = userdata;

        (void) source;
        (void) usec;

        return sd_event_source_set_enabled(server->clients, SD_EVENT_ON);
}

/**
 * status_server_attach() - begin to answer clients
 * @server: the server
 * @event: the event loop
 * @reader: fills in the status
 * @userdata: passed to @reader
 *
 * Return: 0, or a negative errno of sd_event_add_io(3) or sd_event_add_time(3).
 */
int status_server_attach(struct status_server *server, sd_event *event, status_reader_t reader,
                         void *userdata)
{
        int r;

        server->reader = reader;
        server->userdata = userdata;

        r = sd_event_add_io(event, &server->clients, server->fd, EPOLLIN, on_client, server);
        if (r < 0)
                return r;

        r = sd_event_add_time(event, &server->retry, CLOCK_MONOTONIC, 0, 0, on_retry, server);
        if (r < 0)
                return r;

        return sd_event_source_set_enabled(server->retry, SD_EVENT_OFF);
}
