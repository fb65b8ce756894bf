/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Whether the kernel routes as the settings say. A rule may direct the packets of other users, or those of
 * this process, to another interface: the lookup is done for root and for this process, and either result
 * counts.
 */

#include "daemon/routing.h"

#include <linux/rtnetlink.h>
#include <stddef.h>

#include "common/util.h"
#include "net/route.h"

/* An @index of 0 stands for this host. */
static bool is_routed(struct netlink *netlink, unsigned index, const struct address *address)
{
        static const uid_t root = 0;
        const uid_t *users[] = { &root, NULL };

        /* Each interface has a route of its own to a link-local address. */
        if (address->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address->ipv6))
                return true;

        for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
                struct route_query query = { .destination = *address, .uid = users[i] };
                struct route route;

                if (route_get(netlink, &query, &route) < 0 || route.error < 0)
                        continue;
                if (index > 0 ? route.oif == index : route.type == RTN_LOCAL)
                        return true;
        }

        return false;
}

/**
 * routing_is_local() - find out whether the kernel delivers packets to an address to this host
 * @netlink: the transport
 * @address: the address
 */
bool routing_is_local(struct netlink *netlink, const struct address *address)
{
        return is_routed(netlink, 0, address);
}

/**
 * routing_find_wrong() - find an address that is not routed as the settings say
 * @netlink: the transport
 * @index: of the device
 * @config: the settings
 *
 * Return: the first Address= that is not this host's, or Peer= that is not routed into the device; else NULL.
 */
const struct address *routing_find_wrong(struct netlink *netlink, unsigned index, const struct config *config)
{
        const struct address *peers[] = { &config->peer_ipv4, &config->peer_ipv6 };

        for (size_t i = 0; i < config->n_addresses; i++)
                if (!is_routed(netlink, 0, &config->addresses[i].prefix.address))
                        return &config->addresses[i].prefix.address;

        for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
                if (peers[i]->family != AF_UNSPEC && !is_routed(netlink, index, peers[i]))
                        return peers[i];

        return NULL;
}
