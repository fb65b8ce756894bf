/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

struct netlink;

/* What the kernel does with packets that arrive on an interface. */
struct netconf {
        bool forwards;
        bool rp_filter; /* of IPv4, strict or loose */
};

int netconf_get(struct netlink *netlink, int family, unsigned index, struct netconf *ret_netconf);
