/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "common/address.h"
#include "common/route.h"

struct netlink;

/* A packet whose route is asked for. */
struct route_query {
        struct address destination;
        struct address source; /* AF_UNSPEC: none */
        unsigned iif;          /* the interface on which it arrives; 0: this host sends it */
        uint32_t mark;         /* of the packet; 0: none */
        const uid_t *uid;      /* of the user who sends it; NULL: of this process */
};

int route_get(struct netlink *netlink, const struct route_query *query, struct route *ret_route);
int route_add_peer(struct netlink *netlink, unsigned index, const struct address *local,
                   const struct address *peer);
