/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the settings are together: the addresses that follow from a name, and what does not fit together. */

#include "config/check.h"

#include <string.h>

#include "config/derive.h"
#include "config/settings.h"

#define MTU_OF_IPV6 1280 /* bytes, RFC 8200 section 5 */

/* RFC 2544 and RFC 5180 set these blocks aside for benchmarks: they are never on the public internet. */
static void set_default_addresses(struct loader *loader, const char *path)
{
        struct config *config = loader->config;
        const char *digits = config->interface + strlen("tun");
        unsigned n;

        if (strncmp(config->interface, "tun", strlen("tun")) != 0 || number_parse(&n, digits) < 0 ||
            n > 255 || (digits[0] == '0' && digits[1] != '\0')) {
                error_add(&loader->errors, &(struct origin) { .path = path },
                          "'%s' has no default addresses, as tun0 to tun255 have: set Address= in this file",
                          config->interface);
                return;
        }

        config->default_addresses = true;
        config->n_addresses = 2;
        config->addresses[0].prefix =
                (struct prefix) { { AF_INET, .bytes = { 198, 18, (uint8_t) n, 1 } }, 32 };
        config->addresses[1].prefix = (struct prefix) {
                { AF_INET6, .bytes = { 0x20, 0x01, 0x00, 0x02, [7] = (uint8_t) n, [15] = 1 } }, 128
        };
        config->peer_ipv4 = (struct address) { AF_INET, .bytes = { 198, 18, (uint8_t) n, 2 } };
        config->peer_ipv6 = (struct address) { AF_INET6, .bytes = { 0x20, 0x01, 0x00,
                                                                    0x02, [7] = (uint8_t) n, [15] = 2 } };
}

/* Returns why there cannot be such a peer, or NULL. */
static const char *check_peer(const struct config *config, const struct address *peer)
{
        bool has_family = false;

        for (size_t i = 0; i < config->n_addresses; i++) {
                const struct config_address *address = &config->addresses[i];
                struct in_addr broadcast = subnet_broadcast(address);

                has_family = has_family || address->prefix.address.family == peer->family;
                if (address_equal(peer, &address->prefix.address))
                        return "is an Address= of this host";
                if (peer->family == AF_INET && broadcast.s_addr != 0 &&
                    broadcast.s_addr == peer->ipv4.s_addr)
                        return "is the broadcast address of a subnet";
        }

        if (!has_family)
                return "has no Address= of its family";
        if (!subnet_of_peer(config, peer) && !point_to_point_address(config, peer->family))
                return "is in no subnet of an Address=; one without /LEN would reach it";

        return NULL;
}

static void report_peer(struct loader *loader, const struct address *peer, const struct origin *origin)
{
        const char *reason = peer->family == AF_UNSPEC ? NULL : check_peer(loader->config, peer);
        char text[PREFIX_TEXT_SIZE];

        if (reason)
                error_add(&loader->errors, origin, "Peer=%s %s", address_text(text, peer), reason);
}

/**
 * check_settings() - add default addresses, and report what no setting shows by itself
 * @loader: the settings, each of which is good by itself
 * @path: the settings file, which has to have addresses where there are no default ones
 */
void check_settings(struct loader *loader, const char *path)
{
        struct config *config = loader->config;

        if (config->configure && config->n_addresses == 0 && config->peer_ipv4.family == AF_UNSPEC &&
            config->peer_ipv6.family == AF_UNSPEC)
                set_default_addresses(loader, path);

        if (config->mtu < MTU_OF_IPV6 && config_has_ipv6(config))
                error_add(&loader->errors, &loader->mtu,
                          "MTUBytes=%u is too small for IPv6, which needs %d%s", config->mtu, MTU_OF_IPV6,
                          config->default_addresses ? "; an Address= of IPv4 alone would do without IPv6"
                                                    : "");

        report_peer(loader, &config->peer_ipv4, &loader->peer_ipv4);
        report_peer(loader, &config->peer_ipv6, &loader->peer_ipv6);
}
