/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The addresses of the settings on the device, and the routes to the peers. */

#include "daemon/device-addresses.h"

#include <string.h>
#include <sysexits.h>

#include "common/util.h"
#include "daemon/fail.h"
#include "daemon/routing.h"
#include "net/route.h"

/**
 * device_addresses_check_ipv6() - take IPv6 out of the default settings where the device cannot have it
 * @config: the settings, changed if they are the defaults
 * @has_ipv6: whether the device can have IPv6 addresses
 * @journal: where to report
 *
 * Return: 0, or the status to exit with if the settings ask for IPv6.
 */
int device_addresses_check_ipv6(struct config *config, bool has_ipv6, const struct journal *journal)
{
        if (has_ipv6 || !config_has_ipv6(config))
                return 0;

        if (!config->default_addresses)
                return fail(journal, EX_CONFIG, MESSAGE_SETTINGS_WRONG, 0,
                            "'%s' needs IPv6 for an Address=, but IPv6 is disabled on this host",
                            config->interface);

        journal_send(journal, MESSAGE_IPV6_OFF, NULL, 0,
                     "IPv6 is disabled on this host, '%s' has IPv4 alone", config->interface);
        config_drop_ipv6(config);
        return 0;
}

/* Returns how many addresses there are: as many as the settings have. */
static size_t wanted_addresses(const struct config *config, struct link_address wanted[CONFIG_MAX_ADDRESSES])
{
        for (size_t i = 0; i < config->n_addresses; i++) {
                const struct prefix *prefix = &config->addresses[i].prefix;
                const struct address *peer = config_point_to_point(config, &config->addresses[i]);

                wanted[i] = (struct link_address) {
                        .prefix_length = prefix->length,
                        .local = prefix->address,
                        .remote = peer ? *peer : prefix->address,
                };
        }

        return config->n_addresses;
}

/* Addresses that are set again do not bring back a route to a peer that an administrator has deleted. */
static int set_peer_routes(const struct device_addresses *addresses, struct netlink *netlink, unsigned index)
{
        for (size_t i = 0; i < addresses->n; i++) {
                const struct link_address *address = &addresses->items[i];
                int r;

                if (address_equal(&address->local, &address->remote))
                        continue;

                r = route_add_peer(netlink, index, &address->local, &address->remote);
                if (r < 0)
                        return r;
        }

        return 0;
}

/**
 * device_addresses_set() - set the addresses of the settings, and the routes to the peers
 * @addresses: what this process set before; updated
 * @netlink: the transport
 * @index: the device, which is up
 * @config: the settings
 *
 * Return: 0, or a negative errno as of link_addresses_set() and route_add_peer().
 */
int device_addresses_set(struct device_addresses *addresses, struct netlink *netlink, unsigned index,
                         const struct config *config)
{
        struct link_address wanted[CONFIG_MAX_ADDRESSES] = { 0 };
        size_t n = wanted_addresses(config, wanted);
        int r;

        r = link_addresses_set(netlink, index, wanted, n, addresses->items, addresses->n);
        if (r < 0)
                return r;

        memcpy(addresses->items, wanted, n * sizeof(wanted[0]));
        addresses->n = n;
        return set_peer_routes(addresses, netlink, index);
}

/**
 * device_addresses_are_local() - find out whether the kernel delivers packets to the addresses to this host
 * @addresses: the addresses
 * @netlink: the transport
 */
bool device_addresses_are_local(const struct device_addresses *addresses, struct netlink *netlink)
{
        for (size_t i = 0; i < addresses->n; i++)
                if (!routing_is_local(netlink, &addresses->items[i].local))
                        return false;

        return true;
}
