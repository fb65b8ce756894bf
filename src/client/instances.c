/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The instances that run, asked for their status all at once: one that does not answer keeps nobody waiting
 * for the others.
 */

#include "client/instances.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/interface.h"
#include "common/util.h"

/* A daemon that many ask at once may have no place for one more at first. */
#define RETRY_MSEC 10

struct exchange {
        struct snapshot *snapshot;
        struct sockaddr_un address;
        int fd; /* -1 at the end */
        bool connected;
        size_t used;
        char text[STATUS_TEXT_MAX + 1];
};

static void freep(void *pointer)
{
        free(*(void **) pointer);
}

static void end_exchange(struct exchange *exchange, int error)
{
        exchange->snapshot->error = error;
        close_fdp(&exchange->fd);
}

static void begin_exchange(struct exchange *exchange, struct snapshot *snapshot, const char *directory)
{
        struct sockaddr_un *address = &exchange->address;
        int size;

        exchange->snapshot = snapshot;
        exchange->fd = -1;
        address->sun_family = AF_UNIX;
        size = snprintf(address->sun_path, sizeof(address->sun_path), "%s/%s/" STATUS_SOCKET, directory,
                        snapshot->status.interface);
        if (size < 0 || (size_t) size >= sizeof(address->sun_path)) {
                end_exchange(exchange, -ENAMETOOLONG);
                return;
        }

        exchange->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (exchange->fd < 0)
                end_exchange(exchange, -errno);
}

static void connect_exchange(struct exchange *exchange)
{
        if (connect(exchange->fd, (struct sockaddr *) &exchange->address, sizeof(exchange->address)) == 0)
                exchange->connected = true;
        else if (errno != EAGAIN)
                end_exchange(exchange, -errno);
}

static void understand(struct exchange *exchange)
{
        exchange->text[exchange->used] = '\0';
        snapshot_parse(exchange->snapshot, exchange->text, exchange->used);
        end_exchange(exchange, exchange->snapshot->error);
}

static void read_exchange(struct exchange *exchange)
{
        ssize_t size;

        size = read(exchange->fd, exchange->text + exchange->used, STATUS_TEXT_MAX - exchange->used);
        if (size > 0) {
                exchange->used += (size_t) size;
                if (exchange->used == STATUS_TEXT_MAX)
                        end_exchange(exchange, -EBADMSG);
        } else if (size == 0)
                understand(exchange);
        else if (errno != EAGAIN && errno != EINTR)
                end_exchange(exchange, -errno);
}

/* Connect those that are not, and wait until one can be read. Returns whether there are any left. */
static bool advance(struct exchange exchanges[], struct pollfd polled[], size_t n, int64_t deadline)
{
        int64_t left = deadline - monotonic_msec();
        bool any = false;

        for (size_t i = 0; i < n; i++) {
                if (exchanges[i].fd >= 0 && !exchanges[i].connected)
                        connect_exchange(&exchanges[i]);
                if (exchanges[i].fd >= 0 && !exchanges[i].connected && left > RETRY_MSEC)
                        left = RETRY_MSEC;
                any = any || exchanges[i].fd >= 0;
                polled[i] = (struct pollfd) { exchanges[i].connected ? exchanges[i].fd : -1, POLLIN, 0 };
        }

        if (!any || poll(polled, n, left > 0 ? (int) left : 0) <= 0)
                return any;
        for (size_t i = 0; i < n; i++)
                if (polled[i].revents != 0)
                        read_exchange(&exchanges[i]);

        return true;
}

static int ask(struct instances *instances, const struct instances_query *query)
{
        int64_t deadline = monotonic_msec() + query->timeout_msec;
        _cleanup_(freep) struct exchange *exchanges = calloc(instances->n, sizeof(*exchanges));
        _cleanup_(freep) struct pollfd *polled = calloc(instances->n, sizeof(*polled));

        if (instances->n > 0 && (!exchanges || !polled))
                return -ENOMEM;

        for (size_t i = 0; i < instances->n; i++)
                begin_exchange(&exchanges[i], &instances->snapshots[i], query->directory);

        while (advance(exchanges, polled, instances->n, deadline) && monotonic_msec() < deadline)
                ;

        for (size_t i = 0; i < instances->n; i++)
                if (exchanges[i].fd >= 0)
                        end_exchange(&exchanges[i], -ETIMEDOUT);

        return 0;
}

static int prepare(struct instances *instances, size_t n)
{
        instances->snapshots = calloc(n, sizeof(*instances->snapshots));
        return instances->snapshots || n == 0 ? 0 : -ENOMEM;
}

static void add(struct instances *instances, const char *name)
{
        struct snapshot *snapshot = &instances->snapshots[instances->n++];

        memcpy(snapshot->status.interface, name, strnlen(name, IFNAMSIZ - 1));
}

static int has_name_of_interface(const struct dirent *entry)
{
        return interface_is_name(entry->d_name);
}

static int find(struct instances *instances, const char *directory)
{
        struct dirent **entries = NULL;
        int n, r;

        n = scandir(directory, &entries, has_name_of_interface, versionsort);
        if (n < 0)
                return errno == ENOENT ? 0 : -errno;

        r = prepare(instances, (size_t) n);
        for (int i = 0; i < n; i++) {
                if (r == 0)
                        add(instances, entries[i]->d_name);
                free(entries[i]);
        }

        free(entries);
        return r;
}

static int take_names(struct instances *instances, char *const names[], size_t n)
{
        int r = prepare(instances, n);

        for (size_t i = 0; r == 0 && i < n; i++)
                add(instances, names[i]);

        return r;
}

/* Not up yet or not any more, killed so that the socket stayed, or none of ours. */
static void forget_absent(struct instances *instances)
{
        size_t n = 0;

        for (size_t i = 0; i < instances->n; i++)
                if (snapshot_is_running(&instances->snapshots[i]))
                        instances->snapshots[n++] = instances->snapshots[i];

        instances->n = n;
}

/**
 * instances_read() - ask instances for their status
 * @query: which, and for how long
 * @ret_instances: a snapshot of each, to be freed by instances_free(); those that were found are in the order
 *                 of their names, those that were asked for in the order of the query
 *
 * An instance that does not answer has a snapshot with the reason.
 *
 * Return: 0, or a negative errno if the instances could not be looked for.
 */
int instances_read(const struct instances_query *query, struct instances *ret_instances)
{
        _cleanup_(instances_free) struct instances instances = { 0 };
        int r;

        r = query->n_names > 0 ? take_names(&instances, query->names, query->n_names)
                               : find(&instances, query->directory);
        if (r < 0)
                return r;

        r = ask(&instances, query);
        if (r < 0)
                return r;

        if (query->n_names == 0)
                forget_absent(&instances);

        *ret_instances = instances;
        instances = (struct instances) { 0 };
        return 0;
}

/**
 * instances_free() - free what instances_read() has made
 * @instances: the instances; there are none afterwards
 */
void instances_free(struct instances *instances)
{
        free(instances->snapshots);
        *instances = (struct instances) { 0 };
}
