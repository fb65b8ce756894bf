/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tunecho/protocol.h"

/* The socket beside that of the status. */
#define SESSIONS_SOCKET "sessions"

/* A client refuses a text of this size or more, in bytes, and more sessions than that. */
#define SESSIONS_TEXT_MAX (512 * 1024)
#define SESSIONS_ROWS_MAX 256

/* A ping session that is open. A client that may not see addresses gets none. */
struct session_row {
        char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
        uint64_t identifier;
        uint64_t requests;
        uint64_t missing; /* PROTOCOL_NONE where it is unknown */
        char unknown[24]; /* why, as session_unknown_name(), or "" */
        uint64_t step;    /* from one number to the next, or PROTOCOL_NONE */
        uint64_t duplicates, reordered;
        uint64_t sequence_first, sequence_last;
        uint64_t fragmented, later_fragments;
        uint64_t bytes;
        uint64_t length_min, length_max; /* of a request, in bytes */
        uint64_t hop_limit_min, hop_limit_max;
        uint64_t duration_usec; /* from the first request to the latest one */
        uint64_t idle_usec;     /* since the latest one */

        uint64_t refused; /* ICMP errors about replies; of the latest one: */
        char reporter[INET6_ADDRSTRLEN];
        char reason[64];
        uint64_t type, code, path_mtu; /* or PROTOCOL_NONE */
};

/* What an instance reports of its sessions. */
struct sessions {
        char interface[IFNAMSIZ];
        char recording[8]; /* "yes", or "no" with Sessions=no */
        char addresses[8]; /* "yes", or "no" if the client may not see them */
        uint64_t open;     /* how many there are; the last ones are absent if a socket has too little space */
        size_t n;
        struct session_row rows[SESSIONS_ROWS_MAX]; /* the latest one first */
};

extern const struct protocol_key sessions_keys[], session_row_keys[]; /* the last ones have no name */

int sessions_format_head(const struct sessions *sessions, char *text, size_t size);
int session_row_format(const struct session_row *row, char *text, size_t size);
int sessions_parse(struct sessions *ret_sessions, char *text, size_t size);
