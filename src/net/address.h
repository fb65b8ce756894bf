/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

struct netlink;

/* The IFA_PROTO of the addresses that tunecho sets; iproute2 prints it as a number. */
#define ADDRESS_PROTOCOL 198

/* An address of an interface. The remote one is the peer of a point-to-point address, else the same. */
struct link_address {
        uint8_t prefix_length; /* in bits */
        struct address local, remote;
};

/* An address as the kernel has it. */
struct link_address_info {
        struct link_address address;
        uint32_t flags;  /* IFA_F_*, linux/if_addr.h */
        uint32_t metric; /* of its route; 0: the kernel's default */
        uint8_t protocol;
        bool own;       /* marked: tunecho set it */
        bool tentative; /* not used yet: duplicate address detection runs */
        bool duplicate; /* never used: the kernel detected a duplicate */
};

int link_addresses_set(struct netlink *netlink, unsigned index, const struct link_address *wanted,
                       size_t n_wanted, const struct link_address *owned, size_t n_owned);
int link_addresses_get(struct netlink *netlink, unsigned index, struct link_address_info *ret_addresses,
                       size_t max);
