/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the kernel answers about pings from here and from elsewhere, and the cause that it stands for. */

#include "net/ping-route.h"

#include <errno.h>

#include "netns.h"

static const struct {
        const char *change; /* of ip(8), which stays for the cases that follow; or NULL */
        const char *client, *peer;
        char direction; /* a reply, or a request that is forwarded or sent here */
        enum cause cause;
} cases[] = {
        { NULL, "192.0.2.9", "198.18.0.2", 'f', CAUSE_NONE },
        { NULL, "192.0.2.9", "198.18.0.2", 'r', CAUSE_NONE },
        { NULL, "2001:db8::9", "2001:2::2", 'f', CAUSE_NONE },
        { NULL, "2001:db8::9", "2001:2::2", 'r', CAUSE_NONE },
        { NULL, "198.18.0.1", "198.18.0.2", 's', CAUSE_NONE },
        { NULL, "198.18.0.1", "198.18.0.2", 'r', CAUSE_NONE },
        { NULL, "203.0.113.9", "198.18.0.2", 'r', CAUSE_NO_RETURN_ROUTE },
        { NULL, "192.0.2.9", "198.18.0.9", 'f', CAUSE_NO_ROUTE },
        { "route add prohibit 198.18.0.9", "192.0.2.9", "198.18.0.9", 'f', CAUSE_PROHIBIT },
        { "route add 203.0.113.9 dev tun0", "203.0.113.9", "198.18.0.2", 'r', CAUSE_ROUTED_BACK },
        { "-6 route add blackhole 2001:db8:9::/48", "2001:db8:9::9", "2001:2::2", 'r', CAUSE_BLACKHOLE },
        { "route add 198.18.0.8 dev a", "192.0.2.9", "198.18.0.8", 'f', CAUSE_ROUTED_ELSEWHERE },
};

static bool set_up(struct netns *netns)
{
        return netns_open(netns) && ip("link add name a type veth peer name b") && ip("link set dev b up") &&
               ip("link set dev a up") && ip("address add 192.0.2.1/24 dev a") &&
               ip("address add 198.18.0.1 peer 198.18.0.2 dev tun0") &&
               ip("address add 2001:db8::1/64 dev a nodad") &&
               ip("address add 2001:2::1 peer 2001:2::2 dev tun0 nodad") &&
               ip_shows_soon("-6 route", "2001:2::2") && ip_shows_soon("-6 route", "2001:db8::/64") &&
               sysctl_set("net/ipv4/ip_forward", "1") && sysctl_set("net/ipv6/conf/all/forwarding", "1");
}

static const char *causes(void)
{
        struct cause_answers answers;
        struct ping_route ping;
        struct netns netns;
        unsigned other;
        int r;

        CHECK(set_up(&netns));
        other = if_nametoindex("a");
        ping.device = netns.index;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CHECK(!cases[i].change || ip("%s", cases[i].change));
                CHECK(address_parse(&ping.client, cases[i].client) == 0);
                CHECK(address_parse(&ping.peer, cases[i].peer) == 0);
                if (cases[i].direction == 'r')
                        r = ping_route_get_reply(netns.netlink, &ping, &answers);
                else
                        r = ping_route_get_request(netns.netlink, &ping, cases[i].direction == 'f' ? other : 0,
                                                   &answers);
                CHECK(r == 0);
                if (cause_find(&answers) != cases[i].cause) {
                        fprintf(stderr, "# case %zu: %s\n", i, cause_name(cause_find(&answers)));
                        return "another cause";
                }
        }

        CHECK(ping_route_get_request(netns.netlink, &ping, 9999, &answers) == -ENODEV);
        ping.device = 9999;
        CHECK(ping_route_get_reply(netns.netlink, &ping, &answers) == -ENODEV);
        return NULL;
}

int main(void)
{
        static const struct netns_case tests[] = {
                { "causes", causes, false },
        };

        return netns_run(tests, ARRAY_SIZE(tests));
}
