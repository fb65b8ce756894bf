/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tunecho/counters.h"

/* Far more than an instance has to say, in bytes. */
#define SNAPSHOT_TEXT_MAX 16384

#define SNAPSHOT_MAX_PEERS 2

/* What an instance says of itself at one moment. */
struct snapshot {
        int error; /* 0; or why there is nothing but the name, a negative errno */
        char interface[IFNAMSIZ];
        char state[24];
        char version[24];
        char engine[16];
        char peers[SNAPSHOT_MAX_PEERS][INET6_ADDRSTRLEN]; /* what to ping; "" at the end */
        uint64_t pid;
        uint64_t mtu;         /* in bytes */
        uint64_t uptime_usec; /* since the first ping could be answered */
        uint64_t sessions;    /* open ones */

        /* As the instance adds them up, which may know more verdicts than we do. */
        uint64_t packets, replies, dropped;
        struct counters counters;
};

int snapshot_parse(struct snapshot *snapshot, char *text);
uint64_t snapshot_number(const struct snapshot *snapshot, size_t offset);
bool snapshot_is_running(const struct snapshot *snapshot);
const char *snapshot_state(const struct snapshot *snapshot);
