/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/reflect.h"

/* The first 8 bytes of every ICMP message; the meaning of the last 4 depends on the type. */
struct icmp_echo {
        uint8_t type;
        uint8_t code;
        uint16_t checksum;
        uint16_t identifier; /* in network byte order */
        uint16_t sequence;   /* in network byte order */
};

_Static_assert(sizeof(struct icmp_echo) == 8, "RFC 792, RFC 4443 section 4.1");

/* The part of an ICMP message that one packet carries: the whole message, or a fragment of it. */
struct icmp_part {
        const uint8_t *data;
        size_t size;            /* in bytes */
        size_t offset;          /* within the message, in bytes */
        bool more;              /* another fragment follows */
        uint64_t sum;           /* of the pseudo-header, 0 for IPv4 */
        uint8_t request, reply; /* types of the family's echo messages */
};

bool icmp_is_error(int family, uint8_t type);
bool icmp_part_is_valid(const struct icmp_part *part, size_t headers);
enum verdict icmp_check(const struct icmp_part *part, struct packet_info *ret_info);
