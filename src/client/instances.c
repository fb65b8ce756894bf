/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The status of many instances, and their sessions if asked for, read in an event loop.
 *
 * A reader opens a connection to each socket of each instance: as many at a time as there are descriptors for,
 * and another one when one has ended. A connection ends with an answer, an error or its timeout, which runs from
 * its begin. The handler is called when all have ended.
 *
 *     open -> connect -> read -> end
 *             |     ^
 *             EAGAIN: the queue of the listener is full, retry after RETRY_MSEC
 */

#include "client/instances.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "client/snapshot.h"
#include "common/interface.h"
#include "common/util.h"
#include "tunecho/sessions.h"

#define CONNECTIONS_MAX 256
#define RETRY_MSEC      10
#define ACCURACY_USEC   1000

/* The sockets of an instance. */
static const struct socket {
        const char *name;
        size_t text_max; /* of an answer, in bytes */
        void (*parse)(struct snapshot *snapshot, char *text, size_t size);
        size_t error; /* the offset within struct snapshot */
} sockets[] = {
        { STATUS_SOCKET, STATUS_TEXT_MAX, snapshot_parse, offsetof(struct snapshot, error) },
        { SESSIONS_SOCKET, SESSIONS_TEXT_MAX, snapshot_parse_sessions,
          offsetof(struct snapshot, sessions_error) },
};

struct connection {
        struct instances_reader *reader;
        const struct socket *socket;
        struct snapshot *snapshot;
        struct sockaddr_un address;
        unsigned left_msec; /* of the timeout, until it is connected */
        sd_event_source *readable, *timer;
        int fd;
        size_t used;
        char *text;
};

struct instances_reader {
        sd_event_source *advance; /* enabled when a connection has ended */
        const struct instances_query *query;
        instances_handler_t handler;
        void *userdata;
        struct instances instances;
        struct connection *connections; /* those of an instance follow each other */
        size_t n_connections, n_started, n_open;
};

static void connection_close(struct connection *connection)
{
        connection->readable = sd_event_source_disable_unref(connection->readable);
        connection->timer = sd_event_source_disable_unref(connection->timer);
        close_fdp(&connection->fd);
        free(connection->text);
        connection->text = NULL;
}

static int *connection_error(const struct connection *connection)
{
        return (int *) (void *) ((char *) connection->snapshot + connection->socket->error);
}

static int connection_end(struct connection *connection, int error)
{
        *connection_error(connection) = error;
        connection_close(connection);
        connection->reader->n_open--;
        return sd_event_source_set_enabled(connection->reader->advance, SD_EVENT_ONESHOT);
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        struct connection *connection = userdata;
        size_t max = connection->socket->text_max;
        ssize_t size;

        (void) source;
        (void) events;

        size = read(fd, connection->text + connection->used, max - connection->used);
        if (size < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : connection_end(connection, -errno);

        connection->used += (size_t) size;
        if (connection->used == max)
                return connection_end(connection, -EBADMSG);
        if (size > 0)
                return 0;

        connection->text[connection->used] = '\0';
        connection->socket->parse(connection->snapshot, connection->text, connection->used);
        return connection_end(connection, *connection_error(connection));
}

static int set_timer(struct connection *connection, unsigned msec)
{
        int r;

        r = sd_event_source_set_time_relative(connection->timer, msec * UINT64_C(1000));
        return r < 0 ? r : sd_event_source_set_enabled(connection->timer, SD_EVENT_ONESHOT);
}

/* Connect, and set the timer to the next attempt or to the end of the timeout. */
static int connection_connect(struct connection *connection)
{
        sd_event *event = sd_event_source_get_event(connection->timer);
        int r;

        r = connect(connection->fd, (struct sockaddr *) &connection->address, sizeof(connection->address));
        if (r < 0 && errno != EAGAIN)
                return -errno;
        if (r < 0 && connection->left_msec < RETRY_MSEC)
                return -ETIMEDOUT;
        if (r < 0) {
                connection->left_msec -= RETRY_MSEC;
                return set_timer(connection, RETRY_MSEC);
        }

        r = sd_event_add_io(event, &connection->readable, connection->fd, EPOLLIN, on_readable, connection);
        return r < 0 ? r : set_timer(connection, connection->left_msec);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        struct connection *connection = userdata;
        int r;

        (void) source;
        (void) usec;

        r = connection->readable ? -ETIMEDOUT : connection_connect(connection);
        return r < 0 ? connection_end(connection, r) : 0;
}

static int connection_open(struct connection *connection)
{
        const struct instances_query *query = connection->reader->query;
        struct sockaddr_un *address = &connection->address;
        int size, r;

        address->sun_family = AF_UNIX;
        size = snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s/%s", query->directory,
                        connection->snapshot->status.interface, connection->socket->name);
        if (size < 0 || (size_t) size >= sizeof(address->sun_path))
                return -ENAMETOOLONG;

        connection->text = malloc(connection->socket->text_max + 1);
        if (!connection->text)
                return -ENOMEM;

        connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (connection->fd < 0)
                return -errno;

        r = sd_event_add_time_relative(sd_event_source_get_event(connection->reader->advance),
                                       &connection->timer, CLOCK_MONOTONIC, 0, ACCURACY_USEC, on_timer,
                                       connection);
        if (r < 0)
                return r;

        connection->left_msec = query->timeout_msec;
        return connection_connect(connection);
}

/* A directory may be left over from an instance that was killed, or belong to another program. */
static void remove_absent(struct instances *instances)
{
        size_t n = 0;

        for (size_t i = 0; i < instances->n; i++)
                if (snapshot_is_running(&instances->snapshots[i]))
                        instances->snapshots[n++] = instances->snapshots[i];
                else
                        free(instances->snapshots[i].sessions);

        instances->n = n;
}

/* Open the next connections, or call the handler if all have ended. */
static int on_advance(sd_event_source *source, void *userdata)
{
        struct instances_reader *reader = userdata;
        int r;

        (void) source;

        for (; reader->n_started < reader->n_connections && reader->n_open < CONNECTIONS_MAX;
             reader->n_started++) {
                struct connection *connection = &reader->connections[reader->n_started];

                r = connection_open(connection);
                if (r >= 0) {
                        reader->n_open++;
                        continue;
                }

                connection_close(connection);
                if ((r == -EMFILE || r == -ENFILE) && reader->n_open > 0)
                        break;
                *connection_error(connection) = r;
        }

        if (reader->n_open > 0)
                return 0;
        if (reader->query->n_names == 0)
                remove_absent(&reader->instances);

        return reader->handler(reader->userdata, &reader->instances);
}

static int add_name(struct instances *instances, const char *name)
{
        struct snapshot *snapshots;

        for (size_t i = 0; i < instances->n; i++)
                if (strcmp(instances->snapshots[i].status.interface, name) == 0)
                        return 0;

        snapshots = reallocarray(instances->snapshots, instances->n + 1, sizeof(*snapshots));
        if (!snapshots)
                return -ENOMEM;

        instances->snapshots = snapshots;
        snapshots[instances->n] = (struct snapshot) { 0 };
        memcpy(snapshots[instances->n++].status.interface, name, strnlen(name, IFNAMSIZ - 1));
        return 0;
}

static int has_name_of_interface(const struct dirent *entry)
{
        return interface_is_name(entry->d_name);
}

static int find_names(struct instances *instances, const char *directory)
{
        struct dirent **entries = NULL;
        int n, r = 0;

        n = scandir(directory, &entries, has_name_of_interface, versionsort);
        if (n < 0)
                return errno == ENOENT ? 0 : -errno;

        for (int i = 0; i < n; i++) {
                if (r == 0)
                        r = add_name(instances, entries[i]->d_name);
                free(entries[i]);
        }

        free(entries);
        return r;
}

static int make_connections(struct instances_reader *reader)
{
        size_t n_sockets = reader->query->sessions ? ARRAY_SIZE(sockets) : 1;

        reader->n_connections = reader->instances.n * n_sockets;
        reader->connections = calloc(reader->n_connections, sizeof(*reader->connections));
        if (!reader->connections && reader->n_connections > 0)
                return -ENOMEM;

        for (size_t i = 0; i < reader->n_connections; i++)
                reader->connections[i] = (struct connection) {
                        .reader = reader,
                        .socket = &sockets[i % n_sockets],
                        .snapshot = &reader->instances.snapshots[i / n_sockets],
                        .fd = -1,
                };

        return 0;
}

static void reader_freep(struct instances_reader **reader)
{
        *reader = instances_reader_free(*reader);
}

/**
 * instances_reader_new() - start to read the status of instances
 * @ret_reader: the reader; instances_reader_free() frees it, and cancels what has not ended
 * @event: the event loop; the reader uses it and does not wait by itself
 * @query: which instances, and for how long; has to outlive the reader
 * @handler: called once, by the event loop, with a snapshot of each instance: in the order of the query, each
 *           once; or of those that were found, in the order of their names
 * @userdata: for the handler
 *
 * The snapshot of an instance that does not answer has the error.
 *
 * Return: 0, or a negative errno: of scandir(3) if the directory cannot be read.
 */
int instances_reader_new(struct instances_reader **ret_reader, sd_event *event,
                         const struct instances_query *query, instances_handler_t handler, void *userdata)
{
        _cleanup_(reader_freep) struct instances_reader *reader = calloc(1, sizeof(*reader));
        int r;

        if (!reader)
                return -ENOMEM;

        reader->query = query;
        reader->handler = handler;
        reader->userdata = userdata;
        r = query->n_names == 0 ? find_names(&reader->instances, query->directory) : 0;
        for (size_t i = 0; r == 0 && i < query->n_names; i++)
                r = add_name(&reader->instances, query->names[i]);
        if (r == 0)
                r = make_connections(reader);
        if (r < 0)
                return r;

        r = sd_event_add_defer(event, &reader->advance, on_advance, reader);
        if (r < 0)
                return r;

        *ret_reader = reader;
        reader = NULL;
        return 0;
}

/**
 * instances_reader_free() - free a reader and its snapshots
 * @reader: the reader, or NULL
 *
 * Return: NULL.
 */
struct instances_reader *instances_reader_free(struct instances_reader *reader)
{
        if (!reader)
                return NULL;

        for (size_t i = 0; i < reader->n_started; i++)
                connection_close(&reader->connections[i]);
        free(reader->connections);
        (void) sd_event_source_disable_unref(reader->advance);
        instances_free(&reader->instances);
        free(reader);
        return NULL;
}

static int on_complete(void *userdata, const struct instances *instances)
{
        (void) instances;

        return sd_event_exit(userdata, 0);
}

/**
 * instances_read() - read the status of instances, and wait for it
 * @ret_instances: a snapshot of each, as instances_reader_new() has them; instances_free() frees them
 * @query: which instances, and for how long
 *
 * Return: 0, or a negative errno.
 */
int instances_read(struct instances *ret_instances, const struct instances_query *query)
{
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(reader_freep) struct instances_reader *reader = NULL;
        int r;

        r = sd_event_new(&event);
        if (r < 0)
                return r;

        r = instances_reader_new(&reader, event, query, on_complete, event);
        if (r < 0)
                return r;

        r = sd_event_loop(event);
        if (r < 0)
                return r;

        *ret_instances = reader->instances;
        reader->instances = (struct instances) { 0 };
        return 0;
}

/**
 * instances_free() - free the snapshots of instances
 * @instances: the instances; empty afterwards
 */
void instances_free(struct instances *instances)
{
        for (size_t i = 0; i < instances->n; i++)
                free(instances->snapshots[i].sessions);
        free(instances->snapshots);
        *instances = (struct instances) { 0 };
}
