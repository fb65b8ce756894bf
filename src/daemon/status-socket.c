/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The sockets of an instance, for its status and its sessions: a client that connects is sent one text, and the
 * connection is closed. The daemon never waits for a client and keeps no state of one: the text fits the buffer
 * of the socket, and what a client does not read stays in the kernel.
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
#include "tunecho/sessions.h"
#include "tunecho/status.h"

/* The time until the next accept(2) after one that failed for lack of resources. */
#define RETRY_USEC 1000000

/* A socket that listens, and what answers its clients. */
struct listener {
        const char *name; /* within the directory */
        int fd;
        sd_event_source *clients, *retry;
        status_answer_t answer;
        void *userdata;
};

struct status_server {
        char directory[PATH_MAX];
        bool is_managed;  /* systemd removes the directory */
        int directory_fd; /* locked as long as the process serves */
        struct listener status, sessions;
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

/* An existing one stays as it is. Not by chmod(2): another user could have put a link there by then. */
static int make_directory(const char *path, mode_t mode)
{
        mode_t mask = umask(0);
        int r = mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;

        (void) umask(mask);
        return r;
}

/*
 * The owner of a directory can replace what is in it, so no other user may have made it. The identity that this
 * process is about to become owns the directory that an earlier one left behind.
 */
static int check_owner(const struct stat *found, const struct identity *owner)
{
        if (found->st_uid == 0 || found->st_uid == geteuid() || (owner && found->st_uid == owner->uid))
                return 0;

        return -EPERM;
}

static int make_directories(const struct status_server *server, const struct identity *owner)
{
        struct stat found;
        int r;

        r = make_directory(TUNECHO_RUN_DIR, 0755);
        if (r >= 0)
                r = stat(TUNECHO_RUN_DIR, &found) < 0 ? -errno : check_owner(&found, owner);

        return r < 0 ? r : make_directory(server->directory, 0711);
}

/*
 * The lock distinguishes a socket that an ended process left from one that another process serves. Every user
 * may connect, but a user who could open the directory could lock it.
 */
static int open_directory(struct status_server *server, const struct identity *owner)
{
        struct stat found;
        int r = 0;

        if (!server->is_managed)
                r = make_directories(server, owner);
        if (r < 0)
                return r;

        server->directory_fd = open(server->directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (server->directory_fd < 0 || fstat(server->directory_fd, &found) < 0)
                return -errno;

        /* $RUNTIME_DIRECTORY has the owner that the service manager has chosen. */
        if (!server->is_managed)
                r = check_owner(&found, owner);
        if (r < 0)
                return r;

        if (flock(server->directory_fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? -EBUSY : -errno;

        /* The new user removes the socket in the end. */
        if (owner && fchown(server->directory_fd, owner->uid, owner->gid) < 0)
                return -errno;

        return 0;
}

/* A file of this name that is not a socket is kept: $RUNTIME_DIRECTORY may be that of another service. */
static int remove_left_behind(const struct status_server *server, const char *name)
{
        struct stat found;

        if (fstatat(server->directory_fd, name, &found, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(found.st_mode))
                return -EEXIST;

        return unlinkat(server->directory_fd, name, 0) < 0 ? -errno : 0;
}

/* Every user may connect. Not by chmod(2): the directory's owner could have put a link there by then. */
static int bind_for_all(int fd, const struct sockaddr_un *address)
{
        mode_t mask = umask(0111);
        int r = bind(fd, (const struct sockaddr *) address, sizeof(*address)) < 0 ? -errno : 0;

        (void) umask(mask);
        return r;
}

static int open_socket(const struct status_server *server, struct listener *listener)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int size, r;

        size = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", server->directory,
                        listener->name);
        if ((size_t) size >= sizeof(address.sun_path))
                return -ENAMETOOLONG;

        r = remove_left_behind(server, listener->name);
        if (r < 0)
                return r;

        listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (listener->fd < 0)
                return -errno;

        r = bind_for_all(listener->fd, &address);
        if (r < 0)
                close_fdp(&listener->fd);
        if (r < 0)
                return r;

        return listen(listener->fd, SOMAXCONN) < 0 ? -errno : 0;
}

static int open_all(struct status_server *server, const struct identity *owner)
{
        int r = open_directory(server, owner);

        if (r >= 0)
                r = open_socket(server, &server->status);
        return r < 0 ? r : open_socket(server, &server->sessions);
}

/* Returns whether the socket was there. */
static bool close_socket(const struct status_server *server, struct listener *listener)
{
        listener->retry = sd_event_source_unref(listener->retry);
        listener->clients = sd_event_source_unref(listener->clients);
        if (listener->fd < 0)
                return false;

        (void) unlinkat(server->directory_fd, listener->name, 0);
        close_fdp(&listener->fd);
        return true;
}

/**
 * status_server_new() - make the sockets of the status and of the sessions
 * @ret_server: set to the server, which status_server_free() frees
 * @interface: whose they are
 * @owner: the user that this process is about to become, or NULL
 *
 * They are in $RUNTIME_DIRECTORY if systemd created that directory, else in /run/tunecho/INTERFACE. Those that an
 * ended process left behind are replaced.
 *
 * Return: 0, or a negative errno: -EBUSY if another process serves them, -EEXIST if something else has the name
 *         of one, -EPERM if another user made the directory.
 */
int status_server_new(struct status_server **ret_server, const char *interface, const struct identity *owner)
{
        struct status_server *server = calloc(1, sizeof(*server));
        int r;

        if (!server)
                return -ENOMEM;

        server->directory_fd = -1;
        server->status = (struct listener) { .name = STATUS_SOCKET, .fd = -1 };
        server->sessions = (struct listener) { .name = SESSIONS_SOCKET, .fd = -1 };
        r = find_directory(server, interface);
        if (r >= 0)
                r = open_all(server, owner);

        /* An instance that ends may have removed a directory that was there. */
        if (r == -ENOENT && !server->is_managed) {
                (void) close_socket(server, &server->status);
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
 * status_server_free() - remove the sockets, and their directory unless systemd does
 * @server: the server, or NULL
 *
 * Return: NULL.
 */
struct status_server *status_server_free(struct status_server *server)
{
        bool was_open;

        if (!server)
                return NULL;

        was_open = close_socket(server, &server->status);
        (void) close_socket(server, &server->sessions);

        /* Directories that others use are not empty. */
        if (was_open && !server->is_managed && rmdir(server->directory) == 0)
                (void) rmdir(TUNECHO_RUN_DIR);

        close_fdp(&server->directory_fd);
        free(server);
        return NULL;
}

/* Returns 0, also if the client closed the connection, or the negative errno of accept(2). */
static int serve_client(const struct listener *listener)
{
        _cleanup_(close_fdp) int client = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (client < 0)
                return errno == ECONNABORTED || errno == EINTR || errno == EAGAIN ? 0 : -errno;

        listener->answer(listener->userdata, client);
        return 0;
}

/* Answers one client. If accept(2) fails, for example for lack of descriptors, clients wait for a second. */
static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        struct listener *listener = userdata;
        int r;

        (void) fd;
        (void) events;

        if (serve_client(listener) == 0)
                return 0;

        r = sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (r < 0)
                return r;

        r = sd_event_source_set_time_relative(listener->retry, RETRY_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(listener->retry, SD_EVENT_ONESHOT);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
        struct listener *listener = userdata;

        (void) source;
        (void) usec;

        return sd_event_source_set_enabled(listener->clients, SD_EVENT_ON);
}

static int attach_socket(struct listener *listener, sd_event *event, status_answer_t answer, void *userdata)
{
        int r;

        listener->answer = answer;
        listener->userdata = userdata;

        r = sd_event_add_io(event, &listener->clients, listener->fd, EPOLLIN, on_client, listener);
        if (r < 0)
                return r;

        r = sd_event_add_time(event, &listener->retry, CLOCK_MONOTONIC, 0, 0, on_retry, listener);
        if (r < 0)
                return r;

        return sd_event_source_set_enabled(listener->retry, SD_EVENT_OFF);
}

/**
 * status_server_attach() - begin to answer clients
 * @server: the server
 * @event: the event loop
 * @status: answers a client of the status socket
 * @sessions: answers one of the sessions socket
 * @userdata: passed to both
 *
 * Return: 0, or a negative errno of sd_event_add_io(3) or sd_event_add_time(3).
 */
int status_server_attach(struct status_server *server, sd_event *event, status_answer_t status,
                         status_answer_t sessions, void *userdata)
{
        int r;

        r = attach_socket(&server->status, event, status, userdata);
        return r < 0 ? r : attach_socket(&server->sessions, event, sessions, userdata);
}
