/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The state and the limits of an interface. */

#include "net/link.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "net/netlink.h"
#include "net/tun.h"
#include "netns.h"

static const char *get(void)
{
        struct link_info info, by_name;
        struct netns netns;

        CHECK(netns_open(&netns));
        CHECK(link_get(netns.netlink, netns.index, NULL, &info) == 0);
        CHECK(info.index == netns.index && strcmp(info.name, "tun0") == 0 && info.mtu == 1500 && info.up);
        CHECK(link_get(netns.netlink, 0, "tun0", &by_name) == 0);
        CHECK(by_name.index == netns.index && by_name.queue_length == info.queue_length);

        CHECK(link_get(netns.netlink, 0, "tun1", &info) == -ENODEV);
        CHECK(link_get(netns.netlink, 0, "a-name-that-is-too-long", &info) == -ENODEV);
        CHECK(link_get(netns.netlink, 9999, NULL, &info) == -ENODEV);
        CHECK(link_get(netns.netlink, 0, NULL, &info) == -ENODEV);
        CHECK(info.index == netns.index);

        CHECK(ip("link set tun0 down") && ip("link set tun0 name foo0"));
        CHECK(link_get(netns.netlink, netns.index, NULL, &info) == 0);
        CHECK(strcmp(info.name, "foo0") == 0 && !info.up);
        return NULL;
}

static const char *set(void)
{
        struct link_info info;
        struct netns netns;

        CHECK(netns_open(&netns) && ip("link set tun0 down"));
        CHECK(link_set_limits(netns.netlink, netns.index, 9000, 77) == 0);
        CHECK(link_set_up(netns.netlink, netns.index) == 0);
        CHECK(link_get(netns.netlink, netns.index, NULL, &info) == 0);
        CHECK(info.mtu == 9000 && info.queue_length == 77 && info.up);
        CHECK(link_set_limits(netns.netlink, 9999, 1500, 77) == -ENODEV);
        CHECK(link_set_limits(netns.netlink, netns.index, 67, 77) == -EINVAL);
        CHECK(link_set_up(netns.netlink, 9999) == -ENODEV);
        return NULL;
}

/* The kernel has no IPv6 on an interface whose MTU is below 1280 bytes, either. */
static const char *ipv6(void)
{
        struct link_info info;
        struct netns netns;

        CHECK(netns_open(&netns));
        CHECK(link_get(netns.netlink, netns.index, NULL, &info) == 0 && info.has_ipv6);
        CHECK(sysctl_set("net/ipv6/conf/tun0/disable_ipv6", "1"));
        CHECK(link_get(netns.netlink, netns.index, NULL, &info) == 0 && !info.has_ipv6);
        CHECK(sysctl_set("net/ipv6/conf/tun0/disable_ipv6", "0") && ip("link set tun0 mtu 1279"));
        CHECK(link_get(netns.netlink, netns.index, NULL, &info) == 0 && !info.has_ipv6);
        return NULL;
}

/* A device that was moved is known where it is, by its descriptor. */
static const char *elsewhere(void)
{
        _cleanup_(close_fdp) int namespace = -1;
        struct link_info info;
        struct netns netns;

        CHECK(netns_open(&netns) && ip("link set tun0 mtu 1400"));
        CHECK(tun_namespace(netns.tun_fd, &namespace) == 0);
        CHECK(unshare(CLONE_NEWNET) == 0);
        netns.netlink = netlink_close(netns.netlink);
        CHECK(netlink_open(&netns.netlink) == 0);
        CHECK(tun_is_here(netns.tun_fd) == 0);

        /* The first question of this namespace about that one, and one that knows it. */
        for (int i = 0; i < 2; i++) {
                CHECK(link_get_in(netns.netlink, namespace, "tun0", &info) == 0);
                CHECK(strcmp(info.name, "tun0") == 0 && info.mtu == 1400 && info.up);
        }
        CHECK(link_get_in(netns.netlink, namespace, "tun1", &info) == -ENODEV);
        CHECK(link_get_in(netns.netlink, netns.tun_fd, "tun0", &info) < 0);
        return NULL;
}

static const char *promotion(void)
{
        struct netns netns;
        bool promoted;

        CHECK(netns_open(&netns));
        for (unsigned i = 0; i < 4; i++) {
                CHECK(link_set_promotion(netns.netlink, netns.index, i % 2 > 0) == 0);
                CHECK(sysctl_is("net/ipv4/conf/tun0/promote_secondaries", i % 2 > 0 ? "1" : "0"));
                CHECK(link_get_promotion(netns.netlink, netns.index, &promoted) == 0);
                CHECK(promoted == (i % 2 > 0));
        }
        return NULL;
}

static const struct link_info *find(const struct link_list *list, const char *name)
{
        for (size_t i = 0; i < list->n; i++)
                if (strcmp(list->items[i].name, name) == 0)
                        return &list->items[i];

        return NULL;
}

/* More interfaces than fit in one message of the dump; the packets of a port arrive on its bridge. */
static const char *list(void)
{
        struct link_list links = { 0 };
        struct netns netns;
        char name[IFNAMSIZ];

        CHECK(netns_open(&netns) && ip("link add bridge0 type bridge"));
        for (int i = 0; i < 40; i++)
                CHECK(ip("link add port%d type veth peer name end%d", i, i));
        CHECK(ip("link set port0 master bridge0"));

        CHECK(link_list_read(&links, netns.netlink) == 0 && links.n >= 83);
        CHECK(find(&links, "tun0")->index == netns.index && find(&links, "tun0")->up);
        CHECK(find(&links, "lo")->is_loopback && !find(&links, "tun0")->is_loopback);
        CHECK(!find(&links, "bridge0")->is_port && find(&links, "port0")->is_port);
        for (int i = 0; i < 40; i++) {
                (void) snprintf(name, sizeof(name), "end%d", i);
                CHECK(find(&links, name) && !find(&links, name)->is_port);
        }

        link_list_free(&links);
        CHECK(links.n == 0 && !links.items);
        return NULL;
}

int main(void)
{
        static const struct netns_case cases[] = {
                { "get", get, false },
                { "set", set, false },
                { "ipv6", ipv6, false },
                { "elsewhere", elsewhere, false },
                { "promotion", promotion, false },
                { "list", list, false },
        };

        return netns_run(cases, ARRAY_SIZE(cases));
}
