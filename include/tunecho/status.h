/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "tunecho/counters.h"
#include "tunecho/protocol.h"

/* The socket of an instance, within its directory below /run/tunecho. */
#define STATUS_SOCKET "status"

/* A client refuses a status of this size or more, in bytes. */
#define STATUS_TEXT_MAX 16384

#define STATUS_MAX_PINGS 2

/* What an instance reports of itself. */
struct status {
        char interface[IFNAMSIZ];
        char state[24];
        char ping[STATUS_MAX_PINGS][INET6_ADDRSTRLEN]; /* addresses to ping; "" behind the last */
        char version[24];
        char engine[16];
        uint64_t pid;
        uint64_t mtu;         /* in bytes */
        uint64_t uptime_usec; /* since READY=1 */
        uint64_t sessions;    /* open ones */
        uint64_t sessions_opened, sessions_evicted;
        uint64_t refused; /* ICMP errors about replies */

        /* The sums are the daemon's: a newer one counts verdicts that an older client does not know. */
        uint64_t packets, replies, dropped;
        struct counters counters;
};

extern const struct protocol_key status_keys[]; /* the last one has no name */

int status_format(const struct status *status, char *text, size_t size);
int status_parse(struct status *ret_status, char *text, size_t size);
