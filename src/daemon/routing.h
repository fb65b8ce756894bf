/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "common/route.h"
#include "config/config.h"

struct netlink;

bool routing_is_local(struct netlink *netlink, const struct address *address);
bool routing_is_into(struct netlink *netlink, unsigned index, const struct address *address,
                     struct route *ret_route);
struct address routing_address_to_ping(const struct config *config, int family);
