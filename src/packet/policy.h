/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

#define POLICY_MAX_ADDRESSES    16
#define POLICY_MAX_DESTINATIONS 64

/* Which requests are answered, and how. An address that is all zero is unset. */
struct policy {
        struct in_addr peer_ipv4;
        struct in6_addr peer_ipv6;
        struct in6_addr peer_link_local;
        struct in_addr broadcasts[POLICY_MAX_ADDRESSES]; /* of the device's subnets */
        size_t n_broadcasts;
        struct prefix destinations[POLICY_MAX_DESTINATIONS]; /* empty: every unicast destination */
        size_t n_destinations;
        uint8_t hop_limit;
        bool answer_broadcast;
        bool answer_multicast;
};
