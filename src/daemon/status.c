/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The status that a client of the status socket reads. */

#include <stdio.h>
#include <unistd.h>

#include "common/util.h"
#include "daemon/daemon-private.h"
#include "tunecho/status.h"

/* All keys with their longest values take less, in bytes. */
#define TEXT_SIZE 4096

static void set_addresses(struct status *status, const struct config *config)
{
        static const int families[STATUS_MAX_PINGS] = { AF_INET, AF_INET6 };
        char text[PREFIX_TEXT_SIZE];
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
                struct address address = config_address_to_try(config, families[i]);

                if (address.family != AF_UNSPEC)
                        (void) snprintf(status->ping[n++], sizeof(status->ping[0]), "%s",
                                        address_text(text, &address));
        }
}

static int read_status(const struct daemon *daemon, struct status *ret_status)
{
        const struct counters *counters = engine_counters(daemon->engine);
        const char *state = daemon->reload_refused ? "reload-refused" : "running";
        struct status status = {
                .version = TUNECHO_VERSION,
                .pid = (uint64_t) getpid(),
                .mtu = daemon->mtu,
                .sessions = sessions_count(daemon->reports.sessions),
                .packets = counters_packets(counters),
                .replies = counters_replies(counters),
                .counters = *counters,
        };
        uint64_t now;
        int r;

        r = sd_event_now(daemon->event, CLOCK_MONOTONIC, &now);
        if (r < 0)
                return r;

        status.uptime_usec = now - daemon->ready;
        status.dropped = status.packets - status.replies;
        (void) snprintf(status.interface, sizeof(status.interface), "%s", daemon->config->interface);
        (void) snprintf(status.state, sizeof(status.state), "%s", state);
        (void) snprintf(status.engine, sizeof(status.engine), "%s",
                        engine_type_name(engine_status(daemon->engine)->type));
        set_addresses(&status, daemon->config);
        *ret_status = status;
        return 0;
}

/**
 * daemon_open_status() - create the status socket, or log why that failed
 * @daemon: the daemon, before it drops its privileges
 * @owner: the user that it becomes then, or NULL
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
 * daemon_serve_status() - send the status to a client
 * @daemon: the daemon
 *
 * Return: 0; or a negative errno, of status_serve() mostly: -EAGAIN if there is no client.
 */
int daemon_serve_status(struct daemon *daemon)
{
        struct status status;
        char text[TEXT_SIZE];
        int r;

        r = read_status(daemon, &status);
        if (r < 0)
                return r;

        r = status_format(&status, text, sizeof(text));
        if (r < 0)
                return r;

        return status_serve(daemon->status, text, (size_t) r);
}
