/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What follows from the settings: the policy for packets, the addresses for the link, what to ping. */

#include "config/derive.h"

#include <string.h>

#include "common/util.h"

/* Of AF_UNSPEC if there is none. */
static const struct address *peer_of_family(const struct config *config, int family)
{
        return family == AF_INET ? &config->peer_ipv4 : &config->peer_ipv6;
}

/**
 * subnet_of_peer() - find the address whose subnet a peer is in
 * @config: the settings
 * @peer: the peer
 *
 * Return: the first such address, or NULL.
 */
const struct config_address *subnet_of_peer(const struct config *config, const struct address *peer)
{
        for (size_t i = 0; i < config->n_addresses; i++)
                if (config->addresses[i].has_length &&
                    prefix_contains(&config->addresses[i].prefix, peer->family, peer->bytes))
                        return &config->addresses[i];

        return NULL;
}

/**
 * point_to_point_address() - find the address that reaches a peer without a subnet
 * @config: the settings
 * @family: AF_INET or AF_INET6
 *
 * Return: the first address of the family without a length, or NULL.
 */
const struct config_address *point_to_point_address(const struct config *config, int family)
{
        for (size_t i = 0; i < config->n_addresses; i++)
                if (!config->addresses[i].has_length && config->addresses[i].prefix.address.family == family)
                        return &config->addresses[i];

        return NULL;
}

/**
 * subnet_broadcast() - the broadcast address of the subnet of an address
 * @address: the address
 *
 * Return: as prefix_broadcast(); 0.0.0.0 without a subnet.
 */
struct in_addr subnet_broadcast(const struct config_address *address)
{
        return address->has_length ? prefix_broadcast(&address->prefix) : (struct in_addr) { 0 };
}

/**
 * config_has_ipv6() - check whether the settings have an IPv6 address
 * @config: the settings
 */
bool config_has_ipv6(const struct config *config)
{
        for (size_t i = 0; i < config->n_addresses; i++)
                if (config->addresses[i].prefix.address.family == AF_INET6)
                        return true;

        return false;
}

/**
 * config_drop_ipv6() - remove the IPv6 addresses from the settings
 * @config: the settings
 */
void config_drop_ipv6(struct config *config)
{
        size_t n = 0;

        for (size_t i = 0; i < config->n_addresses; i++)
                if (config->addresses[i].prefix.address.family == AF_INET)
                        config->addresses[n++] = config->addresses[i];

        config->n_addresses = n;
        config->peer_ipv6 = (struct address) { 0 };
}

/**
 * config_point_to_point() - the peer of an address, as rtnetlink's IFA_ADDRESS has it
 * @config: the settings
 * @address: one of its addresses
 *
 * Return: the peer, if @address is the one that reaches it without a subnet; else NULL.
 */
const struct address *config_point_to_point(const struct config *config, const struct config_address *address)
{
        int family = address->prefix.address.family;
        const struct address *peer = peer_of_family(config, family);

        if (peer->family == AF_UNSPEC || subnet_of_peer(config, peer) ||
            point_to_point_address(config, family) != address)
                return NULL;

        return peer;
}

/* fe80::/64 with the interface identifier of the peer, so that both have one solicited-node group. */
static struct in6_addr link_local_of(const struct in6_addr *peer)
{
        struct in6_addr link_local = { .s6_addr = { 0xfe, 0x80 } };

        if (IN6_IS_ADDR_UNSPECIFIED(peer))
                return *peer;

        memcpy(link_local.s6_addr + 8, peer->s6_addr + 8, 8);
        return link_local;
}

/**
 * config_policy() - make the policy for packets
 * @config: the settings
 * @ret_policy: the policy
 */
void config_policy(const struct config *config, struct policy *ret_policy)
{
        struct policy policy = {
                .peer_ipv4 = config->peer_ipv4.ipv4,
                .peer_ipv6 = config->peer_ipv6.ipv6,
                .peer_link_local = link_local_of(&config->peer_ipv6.ipv6),
                .n_destinations = config->n_destinations,
                .hop_limit = (uint8_t) config->hop_limit,
                .answer_broadcast = config->answer_broadcast,
                .answer_multicast = config->answer_multicast,
        };

        memcpy(policy.destinations, config->destinations, sizeof(policy.destinations));
        for (size_t i = 0; i < config->n_addresses; i++) {
                struct in_addr broadcast = subnet_broadcast(&config->addresses[i]);

                if (broadcast.s_addr != 0)
                        policy.broadcasts[policy.n_broadcasts++] = broadcast;
        }

        *ret_policy = policy;
}

/* The kernel answers for the addresses of this host itself. */
static bool is_answered(const struct config *config, const struct address *address)
{
        for (size_t i = 0; i < config->n_addresses; i++)
                if (address_equal(&config->addresses[i].prefix.address, address))
                        return false;

        return destinations_contain(config->destinations, config->n_destinations, address->family,
                                    address->bytes);
}

/* An address behind the device: in the subnet, but not its broadcast address, and not one of this host. */
static bool is_behind(const struct config *config, const struct prefix *prefix, const struct address *address)
{
        return prefix_contains(prefix, address->family, address->bytes) &&
               (address->family != AF_INET || address->ipv4.s_addr != prefix_broadcast(prefix).s_addr) &&
               is_answered(config, address);
}

/* One next to that of this host; the one below comes last, as the first of a subnet may not be a host's. */
static bool find_neighbour(const struct config *config, const struct prefix *prefix,
                           struct address *ret_address)
{
        static const int steps[] = { 1, 2, -1, -2 };
        size_t last = address_size(prefix->address.family) - 1;

        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                struct address address = prefix->address;
                int byte = address.bytes[last] + steps[i];

                address.bytes[last] = (uint8_t) byte;
                if (byte < 0 || byte > UINT8_MAX || !is_behind(config, prefix, &address))
                        continue;

                *ret_address = address;
                return true;
        }

        return false;
}

/**
 * config_address_to_try() - choose the address to ping
 * @config: the settings
 * @family: AF_INET or AF_INET6
 *
 * Return: the peer, or without one an address in a subnet behind the device; AF_UNSPEC if none is answered.
 */
struct address config_address_to_try(const struct config *config, int family)
{
        const struct address *peer = peer_of_family(config, family);
        struct address address = { 0 };

        if (peer->family != AF_UNSPEC)
                return is_answered(config, peer) ? *peer : address;

        for (size_t i = 0; i < config->n_addresses; i++)
                if (config->addresses[i].has_length && config->addresses[i].prefix.address.family == family &&
                    find_neighbour(config, &config->addresses[i].prefix, &address))
                        break;

        return address;
}
