/* SPDX-License-Identifier: GPL-2.0-or-later */

/* One interface: its name, limits and state. The functions that set something need CAP_NET_ADMIN. */

#include "net/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/util.h"
#include "net/netlink-message.h"

static struct nlmsghdr *link_request(char *buffer, int type, unsigned index, struct ifinfomsg **ret_header)
{
        struct nlmsghdr *request = netlink_request(buffer, type, NLM_F_ACK);

        *ret_header = mnl_nlmsg_put_extra_header(request, sizeof(**ret_header));
        (*ret_header)->ifi_index = (int) index;
        return request;
}

/* Reads one setting of an array of them; false if the kernel does not have it. */
static bool conf_read(const struct nlattr *conf, unsigned n, int32_t *ret_value)
{
        if (!conf || mnl_attr_get_payload_len(conf) < (n + 1) * sizeof(*ret_value))
                return false;

        *ret_value = ((const int32_t *) mnl_attr_get_payload(conf))[n];
        return true;
}

/* The settings of one family: what /proc/sys/net has, which a sandbox may hide. */
static const struct nlattr *conf_find(const struct nlmsghdr *message, int family, unsigned type)
{
        struct netlink_attributes link = netlink_attributes(message, sizeof(struct ifinfomsg));
        struct netlink_attributes families = netlink_nested(link.of[IFLA_AF_SPEC]);

        return netlink_nested(families.of[family]).of[type];
}

/* Whether IP sees the packets of an interface on another one, which has it as a port. */
static bool is_port(const struct netlink_attributes *link)
{
        static const char *const kinds[] = { "bridge", "bond", "team" };
        struct netlink_attributes info = netlink_nested(link->of[IFLA_LINKINFO]);
        const struct nlattr *kind = info.of[IFLA_INFO_SLAVE_KIND];

        if (!kind || mnl_attr_validate(kind, MNL_TYPE_NUL_STRING) < 0)
                return false;

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (strcmp(mnl_attr_get_str(kind), kinds[i]) == 0)
                        return true;

        return false;
}

/**
 * link_info_parse() - read what a message says of an interface
 * @ret_info: set to it
 * @message: RTM_NEWLINK
 *
 * Return: whether the message describes an interface; some, such as those of wireless drivers, do not.
 */
bool link_info_parse(struct link_info *ret_info, const struct nlmsghdr *message)
{
        const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
        struct netlink_attributes attributes = netlink_attributes(message, sizeof(*header));
        const struct nlattr *name = attributes.of[IFLA_IFNAME];
        int32_t disabled;

        if (header->ifi_family != AF_UNSPEC || !name || mnl_attr_validate(name, MNL_TYPE_NUL_STRING) < 0 ||
            mnl_attr_get_payload_len(name) > sizeof(ret_info->name) || !attributes.of[IFLA_MTU])
                return false;

        *ret_info = (struct link_info) {
                .index = (unsigned) header->ifi_index,
                .mtu = netlink_u32(attributes.of[IFLA_MTU]),
                .queue_length = netlink_u32(attributes.of[IFLA_TXQLEN]),
                .up = header->ifi_flags & IFF_UP,
                .has_ipv6 = conf_read(conf_find(message, AF_INET6, IFLA_INET6_CONF), DEVCONF_DISABLE_IPV6,
                                      &disabled) &&
                            disabled == 0,
                .is_loopback = header->ifi_flags & IFF_LOOPBACK,
                .is_port = is_port(&attributes),
        };
        strcpy(ret_info->name, mnl_attr_get_str(name));
        return true;
}

static int on_info(const struct nlmsghdr *message, void *userdata)
{
        if (link_info_parse(userdata, message))
                return MNL_CB_OK;

        errno = EPROTO;
        return MNL_CB_ERROR;
}

/**
 * link_get() - read the state of an interface
 * @netlink: the socket
 * @index: its index, if @name is NULL
 * @name: its name, or NULL
 * @ret_info: set to the state
 *
 * Return: 0, -ENODEV if there is no such interface, or another negative errno.
 */
int link_get(struct netlink *netlink, unsigned index, const char *name, struct link_info *ret_info)
{
        struct nlmsghdr *request;
        struct ifinfomsg *header;
        struct link_info info = { 0 };
        NETLINK_BUFFER(buffer);
        int r;

        if (name ? strlen(name) >= IFNAMSIZ : index == 0)
                return -ENODEV;

        request = link_request(buffer, RTM_GETLINK, name ? 0 : index, &header);
        if (name)
                mnl_attr_put_strz(request, IFLA_IFNAME, name);
        mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);

        r = netlink_send(netlink, request, on_info, &info);
        if (r < 0)
                return r;

        *ret_info = info;
        return 0;
}

static void restart_list(void *userdata)
{
        link_list_free(userdata);
}

static int on_listed(const struct nlmsghdr *message, void *userdata)
{
        struct link_list *list = userdata;
        struct link_info *items;
        struct link_info info;

        if (!link_info_parse(&info, message))
                return MNL_CB_OK;

        items = reallocarray(list->items, list->n + 1, sizeof(*items));
        if (!items)
                return MNL_CB_ERROR;

        list->items = items;
        list->items[list->n++] = info;
        return MNL_CB_OK;
}

/**
 * link_list_read() - read the state of all interfaces
 * @ret_list: set to them; link_list_free() frees them
 * @netlink: the socket
 *
 * Return: 0, -EINTR if changes kept the interfaces from being read, or another negative errno.
 */
int link_list_read(struct link_list *ret_list, struct netlink *netlink)
{
        _cleanup_(link_list_free) struct link_list list = { 0 };
        struct nlmsghdr *request;
        NETLINK_BUFFER(buffer);
        int r;

        request = netlink_request(buffer, RTM_GETLINK, NLM_F_DUMP);
        (void) mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
        mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        r = netlink_dump(netlink, request, restart_list, on_listed, &list);
        if (r < 0)
                return r;

        *ret_list = list;
        list = (struct link_list) { 0 };
        return 0;
}

/**
 * link_list_free() - free the interfaces of a list
 * @list: the list, which is empty afterwards
 */
void link_list_free(struct link_list *list)
{
        free(list->items);
        *list = (struct link_list) { 0 };
}

static int on_namespace_id(const struct nlmsghdr *message, void *userdata)
{
        struct netlink_attributes attributes = netlink_attributes(message, sizeof(struct rtgenmsg));

        *(int32_t *) userdata = (int32_t) netlink_u32(attributes.of[NETNSA_NSID]);
        return MNL_CB_OK;
}

/* Requests RTM_GETNSID, or RTM_NEWNSID with an id that the kernel chooses. */
static int namespace_id_request(struct netlink *netlink, int type, int namespace_fd, int32_t *ret_id)
{
        struct nlmsghdr *request;
        NETLINK_BUFFER(buffer);

        request = netlink_request(buffer, type, NLM_F_ACK);
        (void) mnl_nlmsg_put_extra_header(request, sizeof(struct rtgenmsg));
        mnl_attr_put_u32(request, NETNSA_FD, (uint32_t) namespace_fd);
        if (type == RTM_NEWNSID)
                mnl_attr_put_u32(request, NETNSA_NSID, (uint32_t) NETNSA_NSID_NOT_ASSIGNED);
        return netlink_send(netlink, request, on_namespace_id, ret_id);
}

/* The id that this network namespace has for another one; moving an interface there assigns one. */
static int namespace_id(struct netlink *netlink, int namespace_fd, int32_t *ret_id)
{
        int32_t id = NETNSA_NSID_NOT_ASSIGNED;
        int r;

        r = namespace_id_request(netlink, RTM_GETNSID, namespace_fd, &id);
        if (r >= 0 && id == NETNSA_NSID_NOT_ASSIGNED) {
                r = namespace_id_request(netlink, RTM_NEWNSID, namespace_fd, &id);
                if (r >= 0)
                        r = namespace_id_request(netlink, RTM_GETNSID, namespace_fd, &id);
        }
        if (r < 0)
                return r;

        *ret_id = id;
        return 0;
}

/**
 * link_get_in() - read the state of an interface of another network namespace
 * @netlink: the socket
 * @namespace_fd: a descriptor of the namespace
 * @name: the name of the interface there, shorter than IFNAMSIZ
 * @ret_info: set to the state
 *
 * Needs CAP_NET_ADMIN in the user namespaces that own both network namespaces.
 *
 * Return: 0, -ENODEV if there is no such interface, or another negative errno.
 */
int link_get_in(struct netlink *netlink, int namespace_fd, const char *name, struct link_info *ret_info)
{
        struct link_info info = { 0 };
        struct nlmsghdr *request;
        struct ifinfomsg *header;
        NETLINK_BUFFER(buffer);
        int32_t id;
        int r;

        r = namespace_id(netlink, namespace_fd, &id);
        if (r < 0)
                return r;

        request = link_request(buffer, RTM_GETLINK, 0, &header);
        mnl_attr_put_strz(request, IFLA_IFNAME, name);
        mnl_attr_put_u32(request, IFLA_TARGET_NETNSID, (uint32_t) id);
        mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        r = netlink_send(netlink, request, on_info, &info);
        if (r < 0)
                return r;

        *ret_info = info;
        return 0;
}

/**
 * link_set_limits() - set the largest packet and the length of the queue
 * @netlink: the socket
 * @index: the interface
 * @mtu: in bytes
 * @queue_length: in packets, what a TUN device holds until they are read
 *
 * Return: 0, -ENODEV if there is no such interface, or another negative errno.
 */
int link_set_limits(struct netlink *netlink, unsigned index, unsigned mtu, unsigned queue_length)
{
        struct nlmsghdr *request;
        struct ifinfomsg *header;
        NETLINK_BUFFER(buffer);

        request = link_request(buffer, RTM_NEWLINK, index, &header);
        mnl_attr_put_u32(request, IFLA_MTU, mtu);
        mnl_attr_put_u32(request, IFLA_TXQLEN, queue_length);
        return netlink_send(netlink, request, NULL, NULL);
}

/**
 * link_set_up() - set an interface up
 * @netlink: the socket
 * @index: the interface
 *
 * The kernel deletes the route to an IPv6 peer when a link comes up, so addresses are set afterwards.
 *
 * Return: 0, -ENODEV if there is no such interface, or another negative errno.
 */
int link_set_up(struct netlink *netlink, unsigned index)
{
        struct nlmsghdr *request;
        struct ifinfomsg *header;
        NETLINK_BUFFER(buffer);

        request = link_request(buffer, RTM_NEWLINK, index, &header);
        header->ifi_flags = IFF_UP;
        header->ifi_change = IFF_UP;
        return netlink_send(netlink, request, NULL, NULL);
}

static int on_promotion(const struct nlmsghdr *message, void *userdata)
{
        const struct nlattr *conf = conf_find(message, AF_INET, IFLA_INET_CONF);
        int32_t value;

        if (conf_read(conf, IPV4_DEVCONF_PROMOTE_SECONDARIES - 1, &value))
                *(bool *) userdata = value != 0;
        return MNL_CB_OK;
}

/**
 * link_get_promotion() - read net.ipv4.conf.INTERFACE.promote_secondaries
 * @netlink: the socket
 * @index: the interface
 * @ret_promoted: set to whether it is on
 *
 * Return: 0, -ENODEV if there is no such interface, or another negative errno.
 */
int link_get_promotion(struct netlink *netlink, unsigned index, bool *ret_promoted)
{
        struct nlmsghdr *request;
        struct ifinfomsg *header;
        NETLINK_BUFFER(buffer);
        bool promoted = false;
        int r;

        request = link_request(buffer, RTM_GETLINK, index, &header);
        mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);

        r = netlink_send(netlink, request, on_promotion, &promoted);
        if (r < 0)
                return r;

        *ret_promoted = promoted;
        return 0;
}

/**
 * link_set_promotion() - set net.ipv4.conf.INTERFACE.promote_secondaries
 * @netlink: the socket
 * @index: the interface
 * @promoted: whether it is on
 *
 * Return: 0, -ENODEV if there is no such interface, or another negative errno.
 */
int link_set_promotion(struct netlink *netlink, unsigned index, bool promoted)
{
        struct nlattr *families, *ipv4, *conf;
        struct nlmsghdr *request;
        struct ifinfomsg *header;
        NETLINK_BUFFER(buffer);

        request = link_request(buffer, RTM_NEWLINK, index, &header);
        families = mnl_attr_nest_start(request, IFLA_AF_SPEC);
        ipv4 = mnl_attr_nest_start(request, AF_INET);
        conf = mnl_attr_nest_start(request, IFLA_INET_CONF);
        mnl_attr_put_u32(request, IPV4_DEVCONF_PROMOTE_SECONDARIES, promoted);
        mnl_attr_nest_end(request, conf);
        mnl_attr_nest_end(request, ipv4);
        mnl_attr_nest_end(request, families);
        return netlink_send(netlink, request, NULL, NULL);
}
