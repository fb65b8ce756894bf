/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Forwarding and the reverse path filter, as the sysctls set them. */

#include "net/netconf.h"

#include <errno.h>
#include <sys/socket.h>

#include "netns.h"

static struct netconf get(const struct netns *netns, int family)
{
        struct netconf netconf;

        if (netconf_get(netns->netlink, family, netns->index, &netconf) < 0)
                abort();

        return netconf;
}

static const char *forwarding(void)
{
        struct netns netns;

        CHECK(netns_open(&netns));
        CHECK(sysctl_set("net/ipv4/ip_forward", "0"));
        CHECK(!get(&netns, AF_INET).forwards && !get(&netns, AF_INET6).forwards);
        CHECK(sysctl_set("net/ipv4/ip_forward", "1"));
        CHECK(get(&netns, AF_INET).forwards && !get(&netns, AF_INET6).forwards);
        CHECK(sysctl_set("net/ipv4/conf/tun0/forwarding", "0"));
        CHECK(!get(&netns, AF_INET).forwards);
        CHECK(sysctl_set("net/ipv6/conf/all/forwarding", "1"));
        CHECK(get(&netns, AF_INET6).forwards);
        return NULL;
}

static const char *filter(void)
{
        struct netns netns;

        CHECK(netns_open(&netns));
        CHECK(sysctl_set("net/ipv4/conf/all/rp_filter", "0"));
        CHECK(sysctl_set("net/ipv4/conf/tun0/rp_filter", "0"));
        CHECK(!get(&netns, AF_INET).rp_filter);
        CHECK(sysctl_set("net/ipv4/conf/tun0/rp_filter", "1"));
        CHECK(get(&netns, AF_INET).rp_filter);
        CHECK(sysctl_set("net/ipv4/conf/tun0/rp_filter", "0"));
        CHECK(sysctl_set("net/ipv4/conf/all/rp_filter", "2"));
        CHECK(get(&netns, AF_INET).rp_filter);
        return NULL;
}

static const char *no_interface(void)
{
        struct netconf netconf;
        struct netns netns;

        CHECK(netns_open(&netns));
        CHECK(netconf_get(netns.netlink, AF_INET, 9999, &netconf) < 0);
        return NULL;
}

int main(void)
{
        static const struct netns_case cases[] = {
                { "forwarding", forwarding, false },
                { "filter", filter, false },
                { "no interface", no_interface, false },
        };

        return netns_run(cases, ARRAY_SIZE(cases));
}
