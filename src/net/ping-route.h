/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "common/address.h"
#include "common/cause.h"

struct netlink;

/* A ping to a device of this host. */
struct ping_route {
        struct address client, peer;
        unsigned device; /* index of the device */
};

int ping_route_get_reply(struct netlink *netlink, const struct ping_route *ping,
                         struct cause_answers *ret_answers);
int ping_route_get_request(struct netlink *netlink, const struct ping_route *ping, unsigned iif,
                           struct cause_answers *ret_answers);
