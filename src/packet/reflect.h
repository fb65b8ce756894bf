/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "tunecho/verdict.h"

/* The parsed header fields of a packet; those that reflect() did not parse are 0. */
struct policy;

struct packet_info {
        struct address source;
        struct address destination;
        uint8_t protocol;  /* IPv6: the next header after the extension headers */
        uint8_t hop_limit; /* TTL or hop limit of the packet */
        bool is_fragment;
        uint32_t fragment_id;     /* of a fragment, in the order of its bytes */
        uint16_t fragment_offset; /* in bytes; above 0 in a later fragment */
        bool has_icmp;            /* type and code are set */
        uint8_t type;
        uint8_t code;
        bool is_echo;        /* echo request or reply; identifier and sequence are set */
        uint16_t identifier; /* in host byte order */
        uint16_t sequence;   /* in host byte order */
};

struct reflection {
        size_t offset; /* of the reply within the packet's buffer, in bytes */
        size_t length; /* of the reply in bytes, 0 if there is none */
        struct packet_info packet;
};

bool reflect_needs_time(const void *packet, size_t size);
enum verdict reflect(const struct policy *policy, uint32_t time_of_day, void *packet, size_t size,
                     struct reflection *ret_reflection);
