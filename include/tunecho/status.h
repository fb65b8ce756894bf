/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tunecho/counters.h"

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

/* A row of the table of keys. Tables of numbers elsewhere use the same offsets. */
struct status_key {
        const char *name; /* in the protocol */
        const char *json; /* in the output of tunechoctl --json */
        size_t offset;    /* of the value within struct status */
        size_t size;      /* of a text and its terminator, in bytes; 0: a number, uint64_t */
        size_t max;       /* how often the key may occur; the texts of a repeated one form an array */
        bool is_optional;
};

extern const struct status_key status_keys[]; /* the last one has no name */

int status_format(const struct status *status, char *text, size_t size);
int status_parse(struct status *ret_status, char *text, size_t size);
uint64_t status_get_number(const struct status *status, size_t offset);
const char *status_get_text(const struct status *status, const struct status_key *key, size_t i);
