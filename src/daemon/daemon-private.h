/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of the daemon share. */

#include <systemd/sd-event.h>

#include "config/config.h"
#include "daemon/journal.h"
#include "daemon/service.h"
#include "daemon/status-socket.h"
#include "engine/engine.h"
#include "net/address.h"
#include "net/monitor.h"
#include "net/netlink.h"
#include "packet/session.h"

/* What was told of the drops of one verdict. */
struct drops {
        uint64_t told; /* how many */
        uint64_t when; /* the last time, in microseconds */
};

/* Entries of one kind, of which no second may have more. */
#define SESSION_ENTRIES_MAX 10

struct pace {
        uint64_t when[SESSION_ENTRIES_MAX]; /* the latest ones were, in microseconds */
        unsigned oldest;
};

/* Sessions that found no place among the entries. */
struct session_sum {
        uint64_t sessions, requests, missing, duplicates, reordered;
};

/* What packets make the daemon tell, and how much of it since the last tick. */
struct reports {
        struct sessions *sessions;
        struct session_sum sum;
        struct drops drops[_VERDICT_MAX];
        struct pace opened, closed; /* entries for sessions */
        unsigned packet_entries;
        uint64_t packets_left_out;
        uint64_t packets; /* as STATUS= has them */
};

struct daemon {
        struct config *config;
        const struct journal *journal;
        int tun_fd;
        bool may_have_moved; /* the device: it was made some time ago */
        struct netlink *netlink;
        unsigned index; /* of the interface; 0: the device is in another network namespace */
        struct monitor *monitor;
        struct link_address owned[CONFIG_MAX_ADDRESSES]; /* addresses that this process has set */
        size_t n_owned;
        unsigned mtu;        /* of the device, in bytes */
        unsigned packet_max; /* what may be queued in it at the start, in bytes */
        struct policy policy;
        struct engine *engine;
        struct status_socket *status;         /* or NULL */
        sd_event_source *clients;             /* of the status, or NULL */
        int told_fallback, told_unregistered; /* what the journal knows of its status */
        sd_event *event;
        uint64_t ready;      /* when it was, in microseconds */
        bool ticking;        /* the alarm rings within a tick, and not only when reports are due */
        bool reload_refused; /* the settings are older than the file */
        struct reports reports;
};

/* Tells why it ends, and returns the status to end with. */
#define fail(daemon, status, message, error, ...)                                \
        (journal_send((daemon)->journal, (message), NULL, (error), __VA_ARGS__), \
         service_failed("Failed, the journal says why", (error)), (status))

int daemon_open_device(struct daemon *daemon);
int daemon_is_here(const struct daemon *daemon);
int daemon_find_link(struct daemon *daemon);
int daemon_set_addresses(struct daemon *daemon);
int daemon_configure_link(struct daemon *daemon, unsigned patience);

void daemon_open_status(struct daemon *daemon, const struct identity *owner);
int daemon_serve_status(struct daemon *daemon);

void daemon_observe(void *userdata, uint64_t now, const struct packet_info *packet, size_t size,
                    enum verdict verdict);
uint64_t daemon_report(struct daemon *daemon, uint64_t now);
void daemon_report_all(struct daemon *daemon);
