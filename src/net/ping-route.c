/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What the kernel answers about the routes of a ping; the causes of common/ are found from it.
 *
 *     request, from another host: CLIENT > PEER on an interface
 *     request, from this host:    CLIENT > PEER, sent here
 *     reply:                      PEER > CLIENT on the device
 */

#include "net/ping-route.h"

#include "net/netconf.h"
#include "net/route.h"

/* Asks what belongs to every question: the route of the destination alone, and settings of the interface. */
static int ask_rest(struct netlink *netlink, const struct address *destination, unsigned iif,
                    struct cause_answers *answers)
{
        const struct route_query query = { .destination = *destination };
        struct netconf netconf = { .forwards = true };
        int r;

        r = route_get(netlink, &query, &answers->destination);
        if (r >= 0 && iif > 0)
                r = netconf_get(netlink, destination->family, iif, &netconf);

        answers->forwards = netconf.forwards;
        answers->rp_filter = netconf.rp_filter;
        return r;
}

/**
 * ping_route_get_reply() - ask the kernel about the replies of a ping, which arrive on the device
 * @netlink: the socket
 * @ping: the ping
 * @ret_answers: set to the answers, for cause_find()
 *
 * Return: 0, -ENODEV if there is no such device, or another negative errno.
 */
int ping_route_get_reply(struct netlink *netlink, const struct ping_route *ping,
                         struct cause_answers *ret_answers)
{
        const struct route_query query = {
                .destination = ping->client,
                .source = ping->peer,
                .iif = ping->device,
        };
        struct cause_answers answers = { .is_reply = true, .device = ping->device };
        int r;

        r = route_get(netlink, &query, &answers.route);
        if (r >= 0)
                r = ask_rest(netlink, &query.destination, ping->device, &answers);
        if (r < 0)
                return r;

        *ret_answers = answers;
        return 0;
}

/* A rule may mean some users and not others. Whose ping it is is unknown, so the better answer counts. */
static int ask_sent_request(struct netlink *netlink, const struct ping_route *ping, struct route *ret_route)
{
        static const uid_t root = 0;
        struct route_query query = { .destination = ping->peer, .source = ping->client, .uid = &root };
        struct route route = { 0 };
        int r;

        r = route_get(netlink, &query, ret_route);
        if (r >= 0 && ret_route->error == 0 && ret_route->oif == ping->device)
                return 0;

        query.uid = NULL;
        if (route_get(netlink, &query, &route) >= 0 && (r < 0 || route.error == 0)) {
                *ret_route = route;
                return 0;
        }

        return r;
}

/**
 * ping_route_get_request() - ask the kernel about the requests of a ping
 * @netlink: the socket
 * @ping: the ping
 * @iif: the interface on which they arrive; 0: this host sends them
 * @ret_answers: set to the answers, for cause_find()
 *
 * Return: 0; -ENODEV if there is no such interface; -EINVAL if it does not have the family; or another
 *         negative errno.
 */
int ping_route_get_request(struct netlink *netlink, const struct ping_route *ping, unsigned iif,
                           struct cause_answers *ret_answers)
{
        const struct route_query query = { .destination = ping->peer, .source = ping->client, .iif = iif };
        struct cause_answers answers = { .is_forwarded = iif > 0, .device = ping->device };
        int r;

        if (iif > 0)
                r = route_get(netlink, &query, &answers.route);
        else
                r = ask_sent_request(netlink, ping, &answers.route);
        if (r >= 0)
                r = ask_rest(netlink, &query.destination, iif, &answers);
        if (r < 0)
                return r;

        *ret_answers = answers;
        return 0;
}
