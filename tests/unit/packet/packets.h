/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Packets and policies that the tests of reflect() share, and the check of one packet against the model. */

#include "packet/policy.h"
#include "packet/reflect.h"

#define PACKET_ROOM 160

/* What the clock says in all of these tests; the Timestamp options have it in their bytes. */
#define TIME_OF_DAY 0x01234567

struct packet {
        size_t size;
        uint8_t bytes[PACKET_ROOM];
};

/* Packets that are answered, and how: with a HopLimit of 64, and where in the request's buffer. */
struct golden {
        const char *what;
        struct packet request, reply;
        size_t offset;
};

#define N_GOLDENS 22

extern struct golden goldens[N_GOLDENS];

/* An echo request from 198.18.0.1 to 198.18.0.2, one from 2001:2::1 to 2001:2::2, with 16 bytes of data each.
 */
extern const struct packet plain_ipv4;
extern const struct packet plain_ipv6;

enum {
        PLAIN,
        PEERS,
        BROADCAST,
        BROADCAST_WITHOUT_PEER,
        NO_MULTICAST,
        DESTINATION_IPV4,
        DESTINATION_IPV6,
        DESTINATIONS,
        _POLICY_MAX,
};

extern struct policy policies[_POLICY_MAX];

int policies_set_up(void **state);

enum verdict check(const struct policy *policy, const uint8_t *packet, size_t size);
enum verdict check_repaired(const struct policy *policy, struct packet packet);
