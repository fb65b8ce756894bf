/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"

#define SESSIONS_MAX         256
#define SESSION_TIMEOUT_USEC UINT64_C(10000000)

/* How many sequence numbers behind the latest one are remembered; what is older is another ping. */
#define SESSION_WINDOW 512

/* What arrived of one ping: the echo requests from one source to one destination with one identifier. */
struct session {
        struct address source;
        struct address destination;
        uint16_t identifier; /* in host byte order */
        bool shared;         /* another destination had one meanwhile, and may have some of its numbers */

        uint64_t opened; /* when the first request arrived, in microseconds */
        uint64_t latest; /* when the latest one did */
        uint64_t requests;
        uint64_t duplicates;
        uint64_t reordered; /* requests that arrived behind a later one */
        uint64_t fragmented;
        uint64_t bytes; /* of all requests, as packets */
        uint32_t size_min, size_max;
        uint8_t hop_limit_min, hop_limit_max;

        int64_t first, last; /* the lowest and the highest sequence number, wraps counted on */
        uint64_t seen[SESSION_WINDOW / 64];
};

/* What sessions have in common that are too many for an entry each. */
struct session_sum {
        uint64_t sessions, requests, missing, duplicates, reordered;
};

struct packet_info;
struct sessions;

struct sessions *sessions_new(uint64_t seed);
struct sessions *sessions_free(struct sessions *sessions);

/* What a request did to the sessions; either may be NULL. */
struct session_change {
        const struct session *opened;
        const struct session *closed; /* had to make room; until the next request */
};

void sessions_add(struct sessions *sessions, uint64_t now, const struct packet_info *packet, size_t size,
                  struct session_change *ret_change);
const struct session *sessions_close_idle(struct sessions *sessions, uint64_t now);
const struct session *sessions_close_oldest(struct sessions *sessions);
uint64_t sessions_idle_at(const struct sessions *sessions);
unsigned sessions_count(const struct sessions *sessions);

uint64_t session_missing(const struct session *session);
bool session_knows_missing(const struct session *session);
void session_sum_add(struct session_sum *sum, const struct session *session);
