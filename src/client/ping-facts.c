/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Asks the kernel about the path of a ping: the device, its addresses, and the routes of request and reply.
 */

#include "client/ping-facts.h"

#include <linux/rtnetlink.h>
#include <string.h>

#include "common/util.h"
#include "net/address.h"
#include "net/netlink.h"
#include "net/ping-route.h"
#include "net/route.h"

#define ADDRESSES_MAX 64

static bool has_address(struct netlink *netlink, unsigned index, int family)
{
        struct link_address_info addresses[ADDRESSES_MAX];
        int n;

        n = link_addresses_get(netlink, index, addresses, ARRAY_SIZE(addresses));
        for (int i = 0; i < n; i++) {
                const struct address *local = &addresses[i].address.local;

                if (local->family == family && (family == AF_INET || !IN6_IS_ADDR_LINKLOCAL(&local->ipv6)))
                        return true;
        }

        return n < 0;
}

/* Which cause the route of the requests has; what cannot be asked has none. */
static unsigned find_request_cause(struct ping_kernel *kernel, struct netlink *netlink,
                                   const struct ping_request *request)
{
        struct cause_answers answers = { .device = kernel->link.index };
        struct route_query query = {
                .destination = request->destination,
                .source = request->source,
                .mark = request->mark,
        };
        struct link_info out;

        if (route_get(netlink, &query, &answers.route) < 0)
                return CAUSE_NONE;
        query.source = (struct address) { 0 };
        if (route_get(netlink, &query, &answers.destination) < 0)
                return CAUSE_NONE;

        kernel->source = request->source.family != AF_UNSPEC ? request->source : answers.route.source;
        if (answers.route.oif > 0 && link_get(netlink, answers.route.oif, NULL, &out) >= 0)
                strcpy(kernel->out, out.name);
        return cause_find(&answers);
}

/* A reply that would be forwarded, or not routed for that, is for an address that this host does not have. */
static unsigned find_reply_cause(const struct ping_kernel *kernel, struct netlink *netlink,
                                 const struct address *peer)
{
        const struct ping_route ping = { .client = kernel->source,
                                         .peer = *peer,
                                         .device = kernel->link.index };
        struct cause_answers answers;
        unsigned cause;

        if (kernel->source.family != peer->family || ping_route_get_reply(netlink, &ping, &answers) < 0)
                return CAUSE_NONE;

        cause = cause_find(&answers);
        if (cause == CAUSE_NOT_FORWARDING || (answers.route.error == 0 && answers.route.type != RTN_LOCAL))
                return PING_CAUSE_NOT_LOCAL;

        return cause;
}

/**
 * ping_facts_read() - ask the kernel about the path of a ping
 * @facts: members of it are set
 * @ret_kernel: set to what the cause names
 * @netlink: the socket
 * @interface: name of the device
 * @request: the ping
 */
void ping_facts_read(struct ping_facts *facts, struct ping_kernel *ret_kernel, struct netlink *netlink,
                     const char *interface, const struct ping_request *request)
{
        int family = request->destination.family;
        struct ping_kernel kernel = { 0 };

        facts->family = family;
        facts->size = request->size;
        facts->has_link = link_get(netlink, 0, interface, &kernel.link) >= 0;
        if (facts->has_link) {
                facts->is_up = kernel.link.up;
                facts->has_ipv6 = kernel.link.has_ipv6;
                facts->has_address = has_address(netlink, kernel.link.index, family);
                facts->mtu = kernel.link.mtu;
                kernel.has_qdisc = qdisc_get(netlink, kernel.link.index, &kernel.qdisc) >= 0;
        }

        /* A link-local address is on each interface. */
        if (family == AF_INET || !IN6_IS_ADDR_LINKLOCAL(&request->destination.ipv6))
                facts->request = find_request_cause(&kernel, netlink, request);
        if (facts->has_link && facts->request == CAUSE_NONE)
                facts->reply = find_reply_cause(&kernel, netlink, &request->destination);

        *ret_kernel = kernel;
}
