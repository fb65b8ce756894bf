/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Addresses and prefixes of both families: parse, format, compare.
 *
 * common/ is linked into both programs: what they agree on beside the contract in include/tunecho/. It opens no
 * file and no socket, logs nothing, and knows neither packets nor settings.
 */

#include "common/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * address_size() - size of an address
 * @family: AF_INET or AF_INET6
 *
 * Return: the size in bytes.
 */
size_t address_size(int family)
{
        return family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

/**
 * address_bits() - length of the prefix of a single address
 * @family: AF_INET or AF_INET6
 *
 * Return: the length in bits, 32 or 128.
 */
uint8_t address_bits(int family)
{
        return (uint8_t) (address_size(family) * 8);
}

/**
 * address_equal() - compare two addresses
 * @a: an address
 * @b: another
 *
 * Return: whether both are set, of the same family and equal.
 */
bool address_equal(const struct address *a, const struct address *b)
{
        if (a->family == AF_UNSPEC || a->family != b->family)
                return false;

        return a->family == AF_INET ? a->ipv4.s_addr == b->ipv4.s_addr
                                    : memcmp(&a->ipv6, &b->ipv6, sizeof(a->ipv6)) == 0;
}

/**
 * ipv4_is_unicast() - check whether an address is valid for a host on a network
 * @address: the address
 *
 * Return: false for 0/8, 127/8, multicast and 240/4, 255.255.255.255 included (RFC 1122 section 3.2.1.3).
 */
bool ipv4_is_unicast(struct in_addr address)
{
        uint32_t first = ntohl(address.s_addr) >> 24;

        return first != 0 && first != IN_LOOPBACKNET && first < 224;
}

/**
 * ipv6_is_unicast() - check whether an address is valid for a host on a network
 * @address: the address
 *
 * Return: false for ::, ::1, multicast (RFC 4291 section 2.4) and IPv4-mapped ones.
 */
bool ipv6_is_unicast(const struct in6_addr *address)
{
        return !IN6_IS_ADDR_UNSPECIFIED(address) && !IN6_IS_ADDR_LOOPBACK(address) &&
               !IN6_IS_ADDR_MULTICAST(address) && !IN6_IS_ADDR_V4MAPPED(address);
}

/**
 * address_is_unicast() - check whether an address is valid for a host on a network
 * @address: the address, of either family
 *
 * Return: as ipv4_is_unicast() and ipv6_is_unicast().
 */
bool address_is_unicast(const struct address *address)
{
        return address->family == AF_INET ? ipv4_is_unicast(address->ipv4) : ipv6_is_unicast(&address->ipv6);
}

/**
 * address_is_routable() - check whether routes alone decide where packets to and from an address go
 * @address: the address, of either family
 *
 * Return: false for groups and for link-local addresses of IPv6, which depend on an interface, too.
 */
bool address_is_routable(const struct address *address)
{
        if (!address_is_unicast(address))
                return false;

        return address->family != AF_INET6 || !IN6_IS_ADDR_LINKLOCAL(&address->ipv6);
}

/**
 * prefix_contains() - check whether a prefix contains an address
 * @prefix: the prefix; the bits after its length are ignored
 * @family: AF_INET or AF_INET6, of @address
 * @address: the address in network byte order, of any alignment
 */
bool prefix_contains(const struct prefix *prefix, int family, const void *address)
{
        const uint8_t *bytes = address;
        unsigned whole = prefix->length / 8, rest = prefix->length % 8;

        if (prefix->address.family != family || memcmp(prefix->address.bytes, bytes, whole) != 0)
                return false;

        return rest == 0 || (prefix->address.bytes[whole] ^ bytes[whole]) >> (8 - rest) == 0;
}

/**
 * destinations_contain() - check whether a destination matches the Destination= prefixes
 * @prefixes: the prefixes
 * @n: their number
 * @family: AF_INET or AF_INET6, of @address
 * @address: the address in network byte order, of any alignment
 *
 * Return: whether one of the prefixes contains @address, or @n is 0.
 */
bool destinations_contain(const struct prefix *prefixes, size_t n, int family, const void *address)
{
        for (size_t i = 0; i < n; i++)
                if (prefix_contains(&prefixes[i], family, address))
                        return true;

        return n == 0;
}

/**
 * prefix_broadcast() - compute the broadcast address of an IPv4 subnet
 * @prefix: the address of a host with the length of its subnet
 *
 * Return: the directed broadcast address, or 0.0.0.0 if the subnet has none: IPv6, a single
 *         address, a point-to-point /31 (RFC 3021).
 */
struct in_addr prefix_broadcast(const struct prefix *prefix)
{
        if (prefix->address.family != AF_INET || prefix->length > 30)
                return (struct in_addr) { 0 };

        return (struct in_addr) { prefix->address.ipv4.s_addr | htonl(UINT32_MAX >> prefix->length) };
}

/**
 * prefix_is_network() - check whether an address is that of its subnet as a whole
 * @prefix: the address, and the length of the subnet's prefix
 *
 * Return: whether all bits behind the prefix are zero: a network address of IPv4, or the subnet-router anycast
 *         address of IPv6 (RFC 4291 section 2.6.1). False for single addresses and for links between two
 *         hosts, which have none: /31 and /32 (RFC 3021), /127 and /128 (RFC 6164).
 */
bool prefix_is_network(const struct prefix *prefix)
{
        size_t size = address_size(prefix->address.family), i = prefix->length / 8;

        if (prefix->length + 1 >= address_bits(prefix->address.family) ||
            (prefix->address.bytes[i] & 0xff >> prefix->length % 8) != 0)
                return false;

        while (++i < size)
                if (prefix->address.bytes[i] != 0)
                        return false;

        return true;
}

/**
 * address_parse() - parse an address
 * @ret_address: set to the address on success
 * @text: an IPv4 or IPv6 address in the usual notation
 *
 * Return: 0, or -EINVAL if @text is not an address.
 */
int address_parse(struct address *ret_address, const char *text)
{
        struct address address = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

        if (inet_pton(address.family, text, address.bytes) != 1)
                return -EINVAL;

        *ret_address = address;
        return 0;
}

/**
 * prefix_parse() - parse an address with an optional prefix length
 * @ret_prefix: set to the prefix on success; the bits after its length are kept
 * @ret_has_length: set to whether @text has a length; without one it is 32 or 128
 * @text: ADDRESS or ADDRESS/LENGTH
 *
 * Return: 0, or -EINVAL if @text is neither.
 */
int prefix_parse(struct prefix *ret_prefix, bool *ret_has_length, const char *text)
{
        char address[PREFIX_TEXT_SIZE];
        struct prefix prefix;
        const char *slash = strchr(text, '/');
        size_t size = slash ? (size_t) (slash - text) : strlen(text);
        int r;

        if (size >= sizeof(address))
                return -EINVAL;
        memcpy(address, text, size);
        address[size] = '\0';

        r = address_parse(&prefix.address, address);
        if (r < 0)
                return r;

        prefix.length = address_bits(prefix.address.family);
        if (slash) {
                size_t digits = strspn(slash + 1, "0123456789");
                unsigned long length = strtoul(slash + 1, NULL, 10);

                if (digits == 0 || digits > 3 || slash[1 + digits] != '\0' || length > prefix.length)
                        return -EINVAL;
                prefix.length = (uint8_t) length;
        }

        *ret_prefix = prefix;
        *ret_has_length = slash != NULL;
        return 0;
}

/**
 * address_text() - format an address
 * @text: buffer for the text
 * @address: the address
 *
 * Return: @text, which is empty if @address is unset.
 */
const char *address_text(char text[static PREFIX_TEXT_SIZE], const struct address *address)
{
        if (!inet_ntop(address->family, address->bytes, text, PREFIX_TEXT_SIZE))
                text[0] = '\0';

        return text;
}

/**
 * prefix_text() - format a prefix as ADDRESS/LENGTH
 * @text: buffer for the text
 * @prefix: the prefix
 *
 * Return: @text.
 */
const char *prefix_text(char text[static PREFIX_TEXT_SIZE], const struct prefix *prefix)
{
        size_t size = strlen(address_text(text, &prefix->address));

        (void) snprintf(text + size, PREFIX_TEXT_SIZE - size, "/%u", prefix->length);
        return text;
}
