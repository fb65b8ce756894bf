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
static bool is_routed(struct netlink *netlink, unsigned index, const struct address *address,
                      struct route *ret_route)
{
        static const uid_t root = 0;
        const uid_t *users[] = { NULL, &root };

        *ret_route = (struct route) { 0 };

        /* Each interface has a route of its own to a link-local address. */
        if (address->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address->ipv6))
                return true;

        for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
                struct route_query query = { .destination = *address, .uid = users[i] };

                /* Where the kernel does not answer nothing is wrong as far as is known. */
                if (route_get(netlink, &query, ret_route) < 0)
                        return true;
                if (ret_route->error == 0 &&
                    (index > 0 ? ret_route->oif == index : ret_route->type == RTN_LOCAL))
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
        struct route route;

        return is_routed(netlink, 0, address, &route);
}

/**
 * routing_is_into() - find out whether the kernel routes packets to an address into the device
 * @netlink: the transport
 * @index: of the device
 * @address: the address
 * @ret_route: set to the route that root's packets have, if the result is false
 */
bool routing_is_into(struct netlink *netlink, unsigned index, const struct address *address,
                     struct route *ret_route)
{
        return is_routed(netlink, index, address, ret_route);
}

/**
 * routing_address_to_ping() - choose the address of a family that is to be routed into the device
 * @config: the settings
 * @family: AF_INET or AF_INET6
 *
 * Return: what there is to ping, or a peer that Destination= excludes; AF_UNSPEC if there is none.
 */
struct address routing_address_to_ping(const struct config *config, int family)
{
        struct address address = config_address_to_try(config, family);

        if (address.family != AF_UNSPEC)
                return address;

        return family == AF_INET ? config->peer_ipv4 : config->peer_ipv6;
}
