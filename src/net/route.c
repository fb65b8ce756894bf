/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Routes: which one the kernel would use, and the one to a peer. */

#include "net/route.h"

#include <errno.h>
#include <linux/ipv6_route.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "common/util.h"
#include "net/netlink-message.h"

/* The metric of the routes that the kernel adds for IPv6 addresses: IP6_RT_PRIO_ADDRCONF of the kernel. */
#define IPV6_ADDRESS_METRIC 256

static struct nlmsghdr *route_request(char *buffer, int type, int flags, const struct address *destination,
                                      struct rtmsg **ret_header)
{
        struct nlmsghdr *request = netlink_request(buffer, type, NLM_F_ACK | flags);

        *ret_header = mnl_nlmsg_put_extra_header(request, sizeof(**ret_header));
        (*ret_header)->rtm_family = (uint8_t) destination->family;
        (*ret_header)->rtm_dst_len = address_bits(destination->family);
        mnl_attr_put(request, RTA_DST, address_size(destination->family), destination->bytes);
        return request;
}

static struct address read_address(int family, const void *bytes, size_t size)
{
        struct address address = { .family = family };

        if ((family != AF_INET && family != AF_INET6) || size != address_size(family))
                return (struct address) { 0 };

        memcpy(address.bytes, bytes, size);
        return address;
}

static struct address read_source(int family, const struct netlink_attributes *attributes)
{
        const struct nlattr *source = attributes->of[RTA_PREFSRC];

        if (!source)
                return (struct address) { 0 };

        return read_address(family, mnl_attr_get_payload(source), mnl_attr_get_payload_len(source));
}

/* The gateway has an attribute of its own where it is of the other family. */
static struct address read_gateway(int family, const struct netlink_attributes *attributes)
{
        const struct nlattr *gateway = attributes->of[RTA_GATEWAY], *via = attributes->of[RTA_VIA];

        if (gateway)
                return read_address(family, mnl_attr_get_payload(gateway), mnl_attr_get_payload_len(gateway));
        if (via && mnl_attr_get_payload_len(via) > sizeof(struct rtvia)) {
                const struct rtvia *value = mnl_attr_get_payload(via);

                return read_address(value->rtvia_family, value->rtvia_addr,
                                    mnl_attr_get_payload_len(via) - sizeof(*value));
        }

        return (struct address) { 0 };
}

static int on_route(const struct nlmsghdr *message, void *userdata)
{
        const struct rtmsg *header = mnl_nlmsg_get_payload(message);
        struct netlink_attributes attributes = netlink_attributes(message, sizeof(*header));

        *(struct route *) userdata = (struct route) {
                .type = header->rtm_type,
                .oif = netlink_u32(attributes.of[RTA_OIF]),
                .gateway = read_gateway(header->rtm_family, &attributes),
                .source = read_source(header->rtm_family, &attributes),
        };
        return MNL_CB_OK;
}

/* The errors with which the kernel answers for a packet that it would not route. */
static bool is_answer(int error)
{
        static const int answers[] = { -ENETUNREACH, -EHOSTUNREACH, -EINVAL, -EXDEV, -EACCES };

        for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
                if (error == answers[i])
                        return true;

        return false;
}

/**
 * route_get() - ask the kernel how it would route a packet
 * @netlink: the socket
 * @query: the packet
 * @ret_route: set to the route, or to the error with which the kernel refuses the packet: -ENETUNREACH: no
 *             route; -EHOSTUNREACH: a route of type unreachable, or this host does not forward; -EACCES:
 *             prohibit; -EINVAL: blackhole, a source that cannot be there, or a user whom this user namespace
 *             does not have; -EXDEV: the reverse path filter refuses the source (-EINVAL on newer kernels)
 *
 * Rules of policy routing can depend on the user (`ip rule add uidrange`), so that the answer for this
 * process is not the one for a user who pings.
 *
 * Return: 0, -ENODEV if there is no interface @query->iif, or another negative errno.
 */
int route_get(struct netlink *netlink, const struct route_query *query, struct route *ret_route)
{
        const struct address *source = &query->source;
        struct route route = { 0 };
        struct nlmsghdr *request;
        struct rtmsg *header;
        NETLINK_BUFFER(buffer);
        int r;

        request = route_request(buffer, RTM_GETROUTE, 0, &query->destination, &header);
        if (source->family != AF_UNSPEC) {
                header->rtm_src_len = address_bits(source->family);
                mnl_attr_put(request, RTA_SRC, address_size(source->family), source->bytes);
        }
        if (query->iif > 0)
                mnl_attr_put_u32(request, RTA_IIF, query->iif);
        if (query->mark > 0)
                mnl_attr_put_u32(request, RTA_MARK, query->mark);
        if (query->uid)
                mnl_attr_put_u32(request, RTA_UID, *query->uid);

        r = netlink_send(netlink, request, on_route, &route);
        if (is_answer(r))
                route = (struct route) { .error = r };
        else if (r < 0)
                return r;

        *ret_route = route;
        return 0;
}

/**
 * route_add_peer() - add the route to a peer if it is missing
 * @netlink: the socket
 * @index: the interface, which is up
 * @local: its own address
 * @peer: the peer of that address
 *
 * The route is the one that the kernel adds with a point-to-point address. A route to this peer alone (for
 * IPv6: of the same metric) that is there already stays as it is, wherever it leads. Needs CAP_NET_ADMIN.
 *
 * Return: 0, also if there is one; -ENETDOWN if the interface is down; -EINVAL if an IPv4 @local is no
 *         address of this host; -ENODEV if there is no such interface; or another negative errno.
 */
int route_add_peer(struct netlink *netlink, unsigned index, const struct address *local,
                   const struct address *peer)
{
        struct nlmsghdr *request;
        struct rtmsg *header;
        NETLINK_BUFFER(buffer);
        int r;

        request = route_request(buffer, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, peer, &header);
        header->rtm_table = RT_TABLE_MAIN;
        header->rtm_protocol = RTPROT_KERNEL;
        header->rtm_type = RTN_UNICAST;
        mnl_attr_put_u32(request, RTA_OIF, index);
        if (peer->family == AF_INET) {
                header->rtm_scope = RT_SCOPE_LINK;
                mnl_attr_put(request, RTA_PREFSRC, address_size(AF_INET), local->bytes);
        } else {
                header->rtm_scope = RT_SCOPE_UNIVERSE;
                mnl_attr_put_u32(request, RTA_PRIORITY, IPV6_ADDRESS_METRIC);
        }

        r = netlink_send(netlink, request, NULL, NULL);
        return r == -EEXIST ? 0 : r;
}
