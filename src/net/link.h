/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netlink;
struct nlmsghdr;

/* An interface as the network stack has it. */
struct link_info {
        unsigned index;
        char name[IFNAMSIZ];
        unsigned mtu;          /* in bytes */
        unsigned queue_length; /* in packets */
        bool up;
        bool has_ipv6; /* IPv6 is on: disable_ipv6 is 0, and the MTU is 1280 bytes at least */
        bool is_loopback;
        bool is_port; /* of a bridge or a bond, on which packets arrive instead */
};

/* All interfaces of the network namespace. */
struct link_list {
        struct link_info *items;
        size_t n;
};

int link_get(struct netlink *netlink, unsigned index, const char *name, struct link_info *ret_info);
int link_get_in(struct netlink *netlink, int namespace_fd, const char *name, struct link_info *ret_info);
int link_list_read(struct link_list *ret_list, struct netlink *netlink);
void link_list_free(struct link_list *list);
int link_set_limits(struct netlink *netlink, unsigned index, unsigned mtu, unsigned queue_length);
int link_set_up(struct netlink *netlink, unsigned index);

/* For net/ alone. */
bool link_info_parse(struct link_info *ret_info, const struct nlmsghdr *message);
int link_get_promotion(struct netlink *netlink, unsigned index, bool *ret_promoted);
int link_set_promotion(struct netlink *netlink, unsigned index, bool promoted);
