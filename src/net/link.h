/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

struct link;

/* An address of the interface, as rtnetlink(7) has it: remote is local, too, but for a point-to-point one. */
struct link_address {
        uint8_t prefix_length; /* in bits */
        struct address local, remote;
};

/* What happened to an interface. */
struct link_change {
        bool came_up; /* it was down in between */
        unsigned mtu; /* the one it has now, or 0 if nothing happened to it */
};

int link_new(struct link **ret_link, const char *name, unsigned *ret_mtu);
struct link *link_free(struct link *link);
void link_freep(struct link **link);

int link_set_limits(struct link *link, unsigned mtu, unsigned queue_length);
int link_has_ipv6(struct link *link);
int link_set_addresses(struct link *link, const struct link_address *addresses, size_t n);
int link_set_up(struct link *link);
int link_wait_routed(struct link *link, const struct link_address *addresses, size_t n_addresses,
                     const struct address *peers, size_t n_peers, unsigned patience,
                     const struct address **reterr_address);

int link_watch(struct link *link, int *ret_fd);
struct link_change link_changes(struct link *link);
