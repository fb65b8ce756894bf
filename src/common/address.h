/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address of either family; it is unset if the family is AF_UNSPEC (0). */
struct address {
        int family;
        union {
                struct in_addr ipv4;
                struct in6_addr ipv6;
                uint8_t bytes[sizeof(struct in6_addr)];
        };
};

struct prefix {
        struct address address;
        uint8_t length; /* in bits */
};

/* Size in bytes of the longest text of a prefix, with its terminator. */
#define PREFIX_TEXT_SIZE (INET6_ADDRSTRLEN + sizeof("/128"))

size_t address_size(int family);
uint8_t address_bits(int family);
bool address_equal(const struct address *a, const struct address *b);
bool ipv4_is_unicast(struct in_addr address);
bool ipv6_is_unicast(const struct in6_addr *address);
bool address_is_unicast(const struct address *address);
bool address_is_routable(const struct address *address);

bool prefix_contains(const struct prefix *prefix, int family, const void *address);
bool destinations_contain(const struct prefix *prefixes, size_t n, int family, const void *address);
struct in_addr prefix_broadcast(const struct prefix *prefix);
bool prefix_is_network(const struct prefix *prefix);

int address_parse(struct address *ret_address, const char *text);
int prefix_parse(struct prefix *ret_prefix, bool *ret_has_length, const char *text);
const char *address_text(char text[static PREFIX_TEXT_SIZE], const struct address *address);
const char *prefix_text(char text[static PREFIX_TEXT_SIZE], const struct prefix *prefix);
