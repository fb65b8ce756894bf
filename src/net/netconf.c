/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Settings of /proc/sys/net/ipv4/conf and ipv6/conf, which a sandbox may hide, by netlink. */

#include "net/netconf.h"

#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "net/netlink-message.h"

/* Linux 6.17 and later: IPv6 is forwarded from this interface even if it is not from all. */
#define ATTRIBUTE_FORCE_FORWARDING 9

struct values {
        uint32_t forwarding, rp_filter, force_forwarding;
};

static int on_values(const struct nlmsghdr *message, void *userdata)
{
        struct netlink_attributes attributes = netlink_attributes(message, sizeof(struct netconfmsg));

        *(struct values *) userdata = (struct values) {
                .forwarding = netlink_u32(attributes.of[NETCONFA_FORWARDING]),
                .rp_filter = netlink_u32(attributes.of[NETCONFA_RP_FILTER]),
                .force_forwarding = netlink_u32(attributes.of[ATTRIBUTE_FORCE_FORWARDING]),
        };
        return MNL_CB_OK;
}

static int read_values(struct netlink *netlink, int family, int index, struct values *ret_values)
{
        struct netconfmsg *header;
        struct nlmsghdr *request;
        NETLINK_BUFFER(buffer);

        request = netlink_request(buffer, RTM_GETNETCONF, NLM_F_ACK);
        header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
        header->ncm_family = (uint8_t) family;
        mnl_attr_put_u32(request, NETCONFA_IFINDEX, (uint32_t) index);
        return netlink_send(netlink, request, on_values, ret_values);
}

/**
 * netconf_get() - find out what the kernel does with packets that arrive on an interface
 * @netlink: the socket
 * @family: AF_INET or AF_INET6
 * @index: the interface
 * @ret_netconf: set to it
 *
 * Return: 0, or a negative errno: -EINVAL if there is no such interface, or if it does not have the family.
 */
int netconf_get(struct netlink *netlink, int family, unsigned index, struct netconf *ret_netconf)
{
        struct values all = { 0 }, one = { 0 };
        int r;

        r = read_values(netlink, family, NETCONFA_IFINDEX_ALL, &all);
        if (r >= 0)
                r = read_values(netlink, family, (int) index, &one);
        if (r < 0)
                return r;

        /* IPv4 uses the setting of the interface, IPv6 that of all; the stricter filter counts. */
        *ret_netconf = (struct netconf) {
                .forwards = family == AF_INET ? one.forwarding != 0
                                              : all.forwarding != 0 || one.force_forwarding != 0,
                .rp_filter = all.rp_filter != 0 || one.rp_filter != 0,
        };
        return 0;
}
