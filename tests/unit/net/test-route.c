/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the kernel answers for a packet, and the route to a peer. */

#include "net/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include "net/address.h"
#include "netns.h"

static struct address parse(const char *text)
{
        struct address address;

        if (address_parse(&address, text) < 0)
                abort();

        return address;
}

static struct route find(const struct netns *netns, const char *destination, const uid_t *uid)
{
        const struct route_query query = { .destination = parse(destination), .uid = uid };
        struct route route;

        if (route_get(netns->netlink, &query, &route) < 0)
                abort();

        return route;
}

static struct route find_input(const struct netns *netns, const char *source, const char *destination)
{
        const struct route_query query = {
                .destination = parse(destination),
                .source = parse(source),
                .iif = netns->index,
        };
        struct route route;

        if (route_get(netns->netlink, &query, &route) < 0)
                abort();

        return route;
}

static bool add_addresses(const struct netns *netns)
{
        const struct link_address addresses[] = {
                { 32, parse("198.18.0.1"), parse("198.18.0.2") },
                { 128, parse("2001:2::1"), parse("2001:2::2") },
        };

        if (link_addresses_set(netns->netlink, netns->index, addresses, 2, NULL, 0) < 0)
                return false;

        /* The kernel adds the routes of an IPv6 address a moment after it. */
        for (int i = 0; i < 1000; i++) {
                if (find(netns, "2001:2::2", NULL).oif == netns->index)
                        return true;
                (void) usleep(5000);
        }

        return false;
}

static bool open_with_addresses(struct netns *ret_netns)
{
        return netns_open(ret_netns) && add_addresses(ret_netns);
}

static const char *output(void)
{
        const struct route_query elsewhere = { .destination = parse("198.18.0.2"), .iif = 9999 };
        struct netns netns;
        struct route route;

        CHECK(open_with_addresses(&netns));
        route = find(&netns, "198.18.0.2", NULL);
        CHECK(route.error == 0 && route.type == RTN_UNICAST && route.oif == netns.index);
        route = find(&netns, "2001:2::2", NULL);
        CHECK(route.error == 0 && route.type == RTN_UNICAST && route.oif == netns.index);
        CHECK(find(&netns, "198.18.0.1", NULL).type == RTN_LOCAL);
        CHECK(find(&netns, "2001:2::1", NULL).type == RTN_LOCAL);
        CHECK(find(&netns, "192.0.2.1", NULL).error == -ENETUNREACH);
        CHECK(find(&netns, "2001:db8::1", NULL).error == -ENETUNREACH);
        CHECK(route_get(netns.netlink, &elsewhere, &route) == -ENODEV);
        return NULL;
}

static const char *refusals(void)
{
        static const struct {
                const char *type;
                int error;
        } cases[] = {
                { "blackhole", -EINVAL },
                { "prohibit", -EACCES },
                { "unreachable", -EHOSTUNREACH },
                { "throw", -ENETUNREACH },
        };
        struct netns netns;

        CHECK(open_with_addresses(&netns));
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CHECK(ip("route replace %s 203.0.113.0/24", cases[i].type));
                CHECK(find(&netns, "203.0.113.9", NULL).error == cases[i].error);
        }
        for (size_t i = 0; i < 3; i++) {
                CHECK(ip("-6 route replace %s 2001:db8:9::/48", cases[i].type));
                CHECK(find(&netns, "2001:db8:9::9", NULL).error == cases[i].error);
        }
        return NULL;
}

static const char *input(void)
{
        struct netns netns;

        CHECK(open_with_addresses(&netns));
        CHECK(sysctl_set("net/ipv4/conf/all/rp_filter", "1"));
        CHECK(find_input(&netns, "198.18.0.2", "198.18.0.1").type == RTN_LOCAL);
        CHECK(find_input(&netns, "2001:2::2", "2001:2::1").type == RTN_LOCAL);
        /* A source that is not behind the device; before Linux 6.15 the filter answers EXDEV. */
        CHECK(find_input(&netns, "192.0.2.1", "198.18.0.1").error < 0);
        CHECK(sysctl_set("net/ipv4/ip_forward", "0"));
        CHECK(find_input(&netns, "198.18.0.2", "198.18.0.3").error == -EHOSTUNREACH);
        return NULL;
}

/* Rules for users other than root do not change the route of root's ping, whichever user asks. */
static const char *users(void)
{
        static const char *const families[] = { "-4", "-6" }, *const peers[] = { "198.18.0.2", "2001:2::2" };
        static const uid_t root = 0, other = 1;
        struct netns netns;

        CHECK(netns_open_as_root(&netns) && add_addresses(&netns));
        for (size_t i = 0; i < ARRAY_SIZE(families); i++)
                CHECK(ip("%s rule add uidrange 1-65535 prohibit", families[i]));
        CHECK(setuid(other) == 0);
        for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
                CHECK(find(&netns, peers[i], &root).oif == netns.index);
                CHECK(find(&netns, peers[i], &other).error == -EACCES);
                CHECK(find(&netns, peers[i], NULL).error == -EACCES);
        }
        return NULL;
}

static const char *peer(void)
{
        static const char *const ipv4 = "198.18.0.2 dev tun0 proto kernel scope link src 198.18.0.1",
                                 *const ipv6 = "2001:2::2 dev tun0 proto kernel metric 256";
        const struct address local = parse("198.18.0.1"), remote = parse("198.18.0.2");
        const struct address local6 = parse("2001:2::1"), remote6 = parse("2001:2::2");
        const struct address other = parse("10.9.9.9");
        struct netns netns;

        CHECK(open_with_addresses(&netns));
        for (int i = 0; i < 2; i++) {
                CHECK(ip_shows("route", ipv4) && ip_shows("-6 route", ipv6));
                CHECK(route_add_peer(netns.netlink, netns.index, &local, &remote) == 0);
                CHECK(route_add_peer(netns.netlink, netns.index, &local6, &remote6) == 0);
                CHECK(ip_shows("route", ipv4) && ip_shows("-6 route", ipv6));

                CHECK(ip("route del 198.18.0.2") && ip("-6 route del 2001:2::2"));
                CHECK(!ip_shows("route", "198.18.0.2") && !ip_shows("-6 route", "2001:2::2"));
                CHECK(route_add_peer(netns.netlink, netns.index, &local, &remote) == 0);
                CHECK(route_add_peer(netns.netlink, netns.index, &local6, &remote6) == 0);
        }
        CHECK(find(&netns, "198.18.0.2", NULL).oif == netns.index);
        CHECK(find(&netns, "2001:2::2", NULL).oif == netns.index);

        CHECK(ip("addr del 198.18.0.1 peer 198.18.0.2 dev tun0"));
        CHECK(ip("-6 addr del 2001:2::1 peer 2001:2::2 dev tun0"));
        CHECK(!ip_shows("route", "198.18.0.2") && !ip_shows("-6 route", "2001:2::2"));

        CHECK(add_addresses(&netns) && ip("route replace prohibit 198.18.0.2"));
        CHECK(route_add_peer(netns.netlink, netns.index, &local, &remote) == 0);
        CHECK(find(&netns, "198.18.0.2", NULL).error == -EACCES);

        CHECK(route_add_peer(netns.netlink, netns.index, &other, &other) == -EINVAL);
        CHECK(route_add_peer(netns.netlink, 9999, &local, &other) == -ENODEV);
        CHECK(ip("link set tun0 down"));
        CHECK(route_add_peer(netns.netlink, netns.index, &local, &other) == -ENETDOWN);
        return NULL;
}

static bool has_gateway(const struct netns *netns, const char *destination, const char *gateway)
{
        const struct address found = find(netns, destination, NULL).gateway;
        struct address expected;

        if (!gateway)
                return found.family == AF_UNSPEC;

        expected = parse(gateway);
        return address_equal(&found, &expected);
}

/* Of the same family, of the other one, and none. */
static const char *gateway(void)
{
        struct netns netns;

        CHECK(open_with_addresses(&netns) && ip("address add 192.0.2.1/24 dev tun0"));
        CHECK(ip("route add 203.0.113.0/25 via 192.0.2.9"));
        CHECK(ip("route add 203.0.113.128/25 via inet6 2001:2::2 dev tun0"));
        CHECK(ip("-6 route add 2001:db8::/32 via 2001:2::2 dev tun0"));
        CHECK(has_gateway(&netns, "203.0.113.7", "192.0.2.9"));
        CHECK(has_gateway(&netns, "203.0.113.200", "2001:2::2"));
        CHECK(has_gateway(&netns, "2001:db8::7", "2001:2::2"));
        CHECK(has_gateway(&netns, "192.0.2.7", NULL) && has_gateway(&netns, "2001:2::2", NULL));
        return NULL;
}

/* A rule for a mark; and the source that the kernel chooses. */
static const char *mark_and_source(void)
{
        struct route_query query = { .destination = parse("203.0.113.9") };
        const struct address source = parse("198.18.0.1"), source6 = parse("2001:2::1");
        struct netns netns;
        struct route route;

        CHECK(open_with_addresses(&netns));
        route = find(&netns, "198.18.0.2", NULL);
        CHECK(address_equal(&route.source, &source));
        route = find(&netns, "2001:2::2", NULL);
        CHECK(address_equal(&route.source, &source6));

        CHECK(ip("route add default dev tun0 table 100") && ip("rule add fwmark 7 lookup 100"));
        CHECK(route_get(netns.netlink, &query, &route) == 0 && route.error == -ENETUNREACH);
        query.mark = 7;
        CHECK(route_get(netns.netlink, &query, &route) == 0 && route.oif == netns.index);
        return NULL;
}

int main(void)
{
        static const struct netns_case cases[] = {
                { "output", output, false },
                { "refusals", refusals, false },
                { "input", input, false },
                { "users", users, true },
                { "peer", peer, false },
                { "gateway", gateway, false },
                { "mark and source", mark_and_source, false },
        };

        return netns_run(cases, ARRAY_SIZE(cases));
}
