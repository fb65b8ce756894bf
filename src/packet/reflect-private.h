/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What reflect.c and its two families share. */

#include "packet/reflect.h"

/* Every ICMP message that there is begins with 8 bytes: type, code, checksum, and 4 that depend on the type.
 */
struct icmp_echo {
        uint8_t type;
        uint8_t code;
        uint16_t checksum;
        uint16_t identifier;
        uint16_t sequence;
};

_Static_assert(sizeof(struct icmp_echo) == 8, "RFC 792, RFC 4443 section 4.1");

/* The part of an ICMP message that a packet carries. */
struct icmp_part {
        const uint8_t *data;
        size_t size;            /* in bytes */
        size_t offset;          /* of it within the message, in bytes */
        bool more;              /* follows in another fragment */
        uint64_t sum;           /* of what its checksum covers beside it */
        uint8_t request, reply; /* the types of an echo message */
};

enum verdict reflect_ipv4(const struct policy *policy, uint32_t time_of_day, uint8_t *packet, size_t size,
                          struct reflection *ret_reflection);
enum verdict reflect_ipv6(const struct policy *policy, uint8_t *packet, size_t size,
                          struct reflection *ret_reflection);

bool fragment_is_sound(const struct icmp_part *part, size_t headers);
enum verdict judge_icmp(const struct icmp_part *part, struct packet_info *ret_info);
