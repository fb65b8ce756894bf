/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/config.h"
#include "daemon/journal.h"
#include "net/address.h"

struct netlink;

/* The addresses of the device that this process set, for kernels that do not mark addresses. */
struct device_addresses {
        struct link_address items[CONFIG_MAX_ADDRESSES];
        size_t n;
};

int device_addresses_check_ipv6(struct config *config, bool has_ipv6, const struct journal *journal);
int device_addresses_set(struct device_addresses *addresses, struct netlink *netlink, unsigned index,
                         const struct config *config);
bool device_addresses_are_local(const struct device_addresses *addresses, struct netlink *netlink);
