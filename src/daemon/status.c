/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The part of the daemon that tells its state to whoever asks at the status socket. */

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/daemon-private.h"
#include "common/util.h"

/* All fields, and an end of line for each. */
#define SNAPSHOT_SIZE (sizeof((struct journal_fields) { 0 }.text) + JOURNAL_MAX_FIELDS)

static void add_addresses(struct journal_fields *fields, const struct config *config)
{
        static const int families[] = { AF_INET, AF_INET6 };

        for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
                struct address address = config_address_to_try(config, families[i]);
                char text[PREFIX_TEXT_SIZE];

                if (address.family != AF_UNSPEC)
                        journal_add(fields, "TUNECHO_PING=%s", address_text(text, &address));
        }
}

/* The names of the fields are those of the journal, where that has them. */
static int take_snapshot(const struct daemon *daemon, struct journal_fields *ret_fields)
{
        uint64_t now;
        int r;

        r = sd_event_now(daemon->event, CLOCK_MONOTONIC, &now);
        if (r < 0)
                return r;

        *ret_fields = (struct journal_fields) { 0 };
        journal_add(ret_fields, "TUNECHO_INTERFACE=%s", daemon->config->interface);
        journal_add(ret_fields, "TUNECHO_VERSION=%s", TUNECHO_VERSION);
        journal_add(ret_fields, "TUNECHO_PID=%d", getpid());
        journal_add(ret_fields, "TUNECHO_STATE=%s", daemon->reload_refused ? "reload-refused" : "running");
        add_addresses(ret_fields, daemon->config);
        journal_add(ret_fields, "TUNECHO_MTU=%u", daemon->mtu);
        journal_add(ret_fields, "TUNECHO_ENGINE=%s", engine_type_name(engine_status(daemon->engine)->type));
        journal_add(ret_fields, "TUNECHO_UPTIME_USEC=%" PRIu64, now - daemon->ready);
        journal_add(ret_fields, "TUNECHO_SESSIONS=%u", sessions_count(daemon->reports.sessions));
        journal_add_counters(ret_fields, engine_counters(daemon->engine));
        return 0;
}

/**
 * daemon_open_status() - make the status socket, or tell why there is none
 * @daemon: the daemon, before it drops its privileges
 * @owner: whom it is about to become, or NULL
 */
void daemon_open_status(struct daemon *daemon, const struct identity *owner)
{
        int r = status_new(&daemon->status, daemon->config->interface, owner);

        if (r < 0)
                journal_send(daemon->journal, MESSAGE_STATUS_FAILED, NULL, r,
                             "'%s' has no status socket, which tunechoctl asks: %m",
                             daemon->config->interface);
}

/**
 * daemon_serve_status() - tell a client the state
 * @daemon: the daemon
 *
 * Return: 0; or a negative errno, of status_serve() mostly: -EAGAIN if there is no client.
 */
int daemon_serve_status(struct daemon *daemon)
{
        struct journal_fields fields;
        char text[SNAPSHOT_SIZE];
        size_t size = 0;
        int r;

        r = take_snapshot(daemon, &fields);
        if (r < 0)
                return r;

        for (size_t i = 0; i < fields.n_items; i++)
                size += (size_t) snprintf(text + size, sizeof(text) - size, "%.*s\n",
                                          (int) fields.items[i].iov_len,
                                          (const char *) fields.items[i].iov_base);

        return status_serve(daemon->status, text, size);
}
