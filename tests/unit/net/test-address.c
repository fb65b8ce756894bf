/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which addresses of an interface are set, marked, removed and kept. */

#include "net/address.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <string.h>

#include "netns.h"

#define ADDRESSES_MAX 16

static struct link_address address(const char *local, const char *remote, uint8_t prefix_length)
{
        struct link_address address = { .prefix_length = prefix_length };

        if (address_parse(&address.local, local) < 0 ||
            address_parse(&address.remote, remote ? remote : local) < 0)
                abort();

        return address;
}

/* Sets none or one address. */
static bool set(const struct netns *netns, const struct link_address *wanted)
{
        return link_addresses_set(netns->netlink, netns->index, wanted, wanted ? 1 : 0, NULL, 0) == 0;
}

static bool find(const struct netns *netns, const char *local, struct link_address_info *ret_info)
{
        struct link_address_info infos[ADDRESSES_MAX];
        struct address wanted;
        int n = link_addresses_get(netns->netlink, netns->index, infos, ARRAY_SIZE(infos));

        if (address_parse(&wanted, local) < 0)
                abort();

        for (int i = 0; i < n; i++)
                if (address_equal(&infos[i].address.local, &wanted)) {
                        *ret_info = infos[i];
                        return true;
                }

        return false;
}

static bool has(const struct netns *netns, const char *local)
{
        struct link_address_info info;

        return find(netns, local, &info);
}

static const char *set_and_remove(void)
{
        const struct link_address wanted[] = {
                address("198.18.0.1", "198.18.0.2", 32),
                address("2001:2::1", "2001:2::2", 128),
                address("10.1.0.1", NULL, 24),
        };
        struct link_address_info info;
        struct netns netns;

        CHECK(netns_open(&netns));
        CHECK(link_addresses_set(netns.netlink, netns.index, wanted, 3, NULL, 0) == 0);
        for (size_t i = 0; i < 3; i++) {
                char text[PREFIX_TEXT_SIZE];

                CHECK(find(&netns, address_text(text, &wanted[i].local), &info));
                CHECK(info.own && !info.tentative && !info.duplicate);
                CHECK(info.address.prefix_length == wanted[i].prefix_length);
                CHECK(address_equal(&info.address.remote, &wanted[i].remote));
        }
        CHECK(ip_shows("route", "198.18.0.2 dev tun0 proto kernel scope link src 198.18.0.1"));
        CHECK(ip_shows_soon("-6 route", "2001:2::2 dev tun0 proto kernel metric 256"));

        CHECK(link_addresses_set(netns.netlink, netns.index, wanted, 2, wanted, 3) == 0);
        CHECK(has(&netns, "198.18.0.1") && has(&netns, "2001:2::1") && !has(&netns, "10.1.0.1"));
        CHECK(link_addresses_set(netns.netlink, netns.index, NULL, 0, wanted, 2) == 0);
        CHECK(!has(&netns, "198.18.0.1") && !has(&netns, "2001:2::1"));
        CHECK(link_addresses_set(netns.netlink, 9999, wanted, 1, NULL, 0) == -ENODEV);
        CHECK(link_addresses_set(netns.netlink, 9999, NULL, 0, NULL, 0) == -ENODEV);
        CHECK(link_addresses_get(netns.netlink, 9999, &info, 1) == -ENODEV);
        return NULL;
}

/* What an administrator adds, and routes with `src` of it, stays. */
static const char *keep_addresses_of_others(void)
{
        const struct link_address wanted = address("198.18.0.1", "198.18.0.2", 32);
        const struct link_address other = address("10.1.0.1", NULL, 24);
        struct link_address_info info;
        struct netns netns;

        CHECK(netns_open(&netns) && set(&netns, &wanted));
        CHECK(ip("addr add 10.50.0.1/24 dev tun0") && ip("addr add 2001:db8::1/64 nodad dev tun0"));
        CHECK(ip("route add 203.0.113.0/24 dev tun0 src 10.50.0.1"));
        CHECK(ip("-6 route add 2001:db8:1::/48 dev tun0 src 2001:db8::1"));

        CHECK(set(&netns, &wanted) && set(&netns, &other) && set(&netns, NULL));
        CHECK(!has(&netns, "198.18.0.1") && !has(&netns, "10.1.0.1"));
        CHECK(find(&netns, "10.50.0.1", &info) && !info.own);
        CHECK(find(&netns, "2001:db8::1", &info) && !info.own);
        CHECK(ip_shows("route", "203.0.113.0/24 dev tun0 scope link src 10.50.0.1"));
        CHECK(ip_shows("-6 route", "2001:db8:1::/48 dev tun0 src 2001:db8::1"));
        return NULL;
}

static const char *link_local(void)
{
        const struct link_address wanted = address("fe80::1234", NULL, 64);
        struct link_address_info infos[ADDRESSES_MAX];
        struct netns netns;

        CHECK(netns_open(&netns) && set(&netns, &wanted));
        CHECK(link_addresses_get(netns.netlink, netns.index, infos, ARRAY_SIZE(infos)) == 2);
        CHECK(infos[0].own && address_equal(&infos[0].address.local, &wanted.local));
        CHECK(!infos[1].own && IN6_IS_ADDR_LINKLOCAL(&infos[1].address.local.ipv6));

        CHECK(set(&netns, NULL));
        CHECK(link_addresses_get(netns.netlink, netns.index, infos, ARRAY_SIZE(infos)) == 1);
        CHECK(!infos[0].own);
        return NULL;
}

/* An IPv6 address exists once on an interface; its prefix length and its peer change all the same. */
static const char *change_prefix_length(void)
{
        static const uint8_t lengths[] = { 64, 48, 128, 64 };
        struct link_address wanted = address("2001:2::1", NULL, 64);
        struct link_address_info info;
        struct netns netns;

        CHECK(netns_open(&netns));
        CHECK(ip("-6 route add 2001:db8:77::/48 dev tun0"));
        for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
                wanted.prefix_length = lengths[i];
                CHECK(set(&netns, &wanted));
                CHECK(find(&netns, "2001:2::1", &info) && info.own);
                CHECK(info.address.prefix_length == lengths[i]);
        }

        wanted = address("2001:2::1", "2001:2::2", 128);
        CHECK(set(&netns, &wanted));
        CHECK(find(&netns, "2001:2::1", &info) && address_equal(&info.address.remote, &wanted.remote));
        CHECK(ip_shows_soon("-6 route", "2001:2::2 dev tun0"));
        CHECK(ip_shows("-6 route", "2001:db8:77::/48 dev tun0"));

        /* A route with a source of it shows that the address is not removed for that. */
        CHECK(ip("-6 route add 2001:db8:88::/48 dev tun0 src 2001:2::1"));
        wanted = address("2001:2::1", "2001:2::3", 128);
        CHECK(set(&netns, &wanted));
        CHECK(find(&netns, "2001:2::1", &info) && address_equal(&info.address.remote, &wanted.remote));
        CHECK(ip_shows_soon("-6 route", "2001:2::3 dev tun0"));
        CHECK(!ip_shows("-6 route", "2001:2::2 dev tun0"));
        CHECK(ip_shows("-6 route", "2001:db8:88::/48 dev tun0 src 2001:2::1"));

        wanted = address("2001:2::1", NULL, 128);
        CHECK(set(&netns, &wanted));
        CHECK(find(&netns, "2001:2::1", &info) && address_equal(&info.address.remote, &wanted.local));
        CHECK(info.own && !ip_shows("-6 route", "2001:2::3 dev tun0"));
        CHECK(ip_shows("-6 route", "2001:db8:88::/48 dev tun0 src 2001:2::1"));

        wanted = address("10.1.0.1", NULL, 24);
        CHECK(set(&netns, &wanted) && ip("route add 203.0.113.0/24 dev tun0"));
        wanted.prefix_length = 16;
        CHECK(set(&netns, &wanted));
        CHECK(!ip_shows("addr show dev tun0", "10.1.0.1/24"));
        CHECK(ip_shows("addr show dev tun0", "10.1.0.1/16"));
        CHECK(ip_shows("route", "203.0.113.0/24 dev tun0"));
        return NULL;
}

/* An address that exists without the mark gets it, and its routes stay as they are. */
static const char *mark_existing(void)
{
        const struct link_address wanted[] = {
                address("10.50.0.1", NULL, 24),
                address("2001:db8::1", NULL, 64),
        };
        struct link_address_info info;
        struct netns netns;

        CHECK(netns_open(&netns));
        CHECK(ip("addr add 10.50.0.1/24 metric 77 dev tun0"));
        CHECK(ip("addr add 2001:db8::1/64 nodad noprefixroute metric 78 dev tun0"));
        CHECK(ip("route add 203.0.113.0/24 dev tun0 src 10.50.0.1"));
        CHECK(ip("-6 route add 2001:db8:1::/48 dev tun0 src 2001:db8::1"));

        CHECK(link_addresses_set(netns.netlink, netns.index, wanted, 2, NULL, 0) == 0);
        CHECK(find(&netns, "10.50.0.1", &info) && info.metric == 77);
        CHECK(find(&netns, "2001:db8::1", &info) && info.own && (info.flags & IFA_F_NOPREFIXROUTE));
        CHECK(info.metric == 78);
        CHECK(ip_shows("route", "10.50.0.0/24 dev tun0 proto kernel scope link src 10.50.0.1 metric 77"));
        CHECK(ip_shows("route", "203.0.113.0/24 dev tun0 scope link src 10.50.0.1"));
        CHECK(!ip_shows("-6 route", "2001:db8::/64"));
        CHECK(ip_shows("-6 route", "2001:db8:1::/48 dev tun0 src 2001:db8::1"));

        /* A kernel may keep the protocol of an IPv4 address that exists. */
        CHECK(link_addresses_set(netns.netlink, netns.index, NULL, 0, wanted, 1) == 0);
        CHECK(!has(&netns, "10.50.0.1") && !has(&netns, "2001:db8::1"));
        return NULL;
}

/* Where no address has a mark, as before Linux 5.18, those that the caller names are removed. */
static const char *without_marks(void)
{
        const struct link_address owned = address("10.1.0.1", NULL, 24);
        struct netns netns;

        CHECK(netns_open(&netns));
        CHECK(ip("addr add 10.1.0.1/24 dev tun0") && ip("addr add 10.50.0.1/24 dev tun0"));
        CHECK(set(&netns, NULL) && has(&netns, "10.1.0.1"));
        CHECK(link_addresses_set(netns.netlink, netns.index, NULL, 0, &owned, 1) == 0);
        CHECK(!has(&netns, "10.1.0.1") && has(&netns, "10.50.0.1"));
        return NULL;
}

static const char *remove_a_primary(const char *promote)
{
        static const char *const path = "net/ipv4/conf/tun0/promote_secondaries";
        const struct link_address first[] = { address("10.1.0.1", NULL, 24), address("10.1.0.2", NULL, 24) };
        const struct link_address second = address("10.1.0.7", NULL, 24);
        struct link_address_info info;
        struct netns netns;

        CHECK(netns_open(&netns) && sysctl_set("net/ipv4/conf/all/promote_secondaries", "0"));
        CHECK(sysctl_set(path, promote));
        CHECK(link_addresses_set(netns.netlink, netns.index, first, 2, NULL, 0) == 0);
        CHECK(ip("addr add 10.1.0.50/24 dev tun0"));
        CHECK(find(&netns, "10.1.0.50", &info) && (info.flags & IFA_F_SECONDARY));
        CHECK(ip("route add 203.0.113.0/24 dev tun0 src 10.1.0.50") && ip("route add 192.0.2.0/24 dev tun0"));

        CHECK(set(&netns, &second));
        CHECK(!has(&netns, "10.1.0.1") && !has(&netns, "10.1.0.2"));
        CHECK(has(&netns, "10.1.0.7") && has(&netns, "10.1.0.50"));
        CHECK(ip_shows("route", "203.0.113.0/24 dev tun0 scope link src 10.1.0.50"));
        CHECK(ip_shows("route", "192.0.2.0/24 dev tun0"));
        CHECK(sysctl_is(path, promote) && sysctl_is("net/ipv4/conf/all/promote_secondaries", "0"));

        CHECK(set(&netns, NULL));
        CHECK(!has(&netns, "10.1.0.7") && has(&netns, "10.1.0.50"));
        CHECK(ip_shows("route", "203.0.113.0/24 dev tun0 scope link src 10.1.0.50"));
        CHECK(sysctl_is(path, promote));
        return NULL;
}

static const char *primary_without_promotion(void)
{
        return remove_a_primary("0");
}

static const char *primary_with_promotion(void)
{
        return remove_a_primary("1");
}

/* More addresses than a part of a dump has, of which few are reported: the own ones first. */
static const char *many_addresses(void)
{
        const struct link_address wanted = address("198.18.0.1", "198.18.0.2", 32);
        struct link_address_info infos[2];
        struct netns netns;

        CHECK(netns_open(&netns));
        for (int i = 1; i <= 200; i++)
                CHECK(ip("addr add 10.50.%d.1/24 dev tun0", i));
        CHECK(set(&netns, &wanted) && set(&netns, &wanted));
        CHECK(has(&netns, "198.18.0.1"));
        CHECK(link_addresses_get(netns.netlink, netns.index, infos, ARRAY_SIZE(infos)) == 2);
        CHECK(infos[0].own && address_equal(&infos[0].address.local, &wanted.local) && !infos[1].own);

        CHECK(set(&netns, NULL));
        CHECK(link_addresses_get(netns.netlink, netns.index, infos, ARRAY_SIZE(infos)) == 2);
        CHECK(!infos[0].own && ip_shows("addr show dev tun0", "10.50.200.1/24"));
        return NULL;
}

/* IPv6 addresses of a link that goes down are deleted by the kernel. */
static const char *set_again(void)
{
        const struct link_address wanted[] = {
                address("198.18.0.1", "198.18.0.2", 32),
                address("2001:2::1", "2001:2::2", 128),
        };
        struct link_address_info info;
        struct netns netns;

        CHECK(netns_open(&netns));
        CHECK(link_addresses_set(netns.netlink, netns.index, wanted, 2, NULL, 0) == 0);
        CHECK(ip("link set tun0 down") && ip("link set tun0 up") && !has(&netns, "2001:2::1"));
        CHECK(link_addresses_set(netns.netlink, netns.index, wanted, 2, wanted, 2) == 0);
        CHECK(find(&netns, "198.18.0.1", &info) && info.own && find(&netns, "2001:2::1", &info) && info.own);
        CHECK(ip_shows_soon("-6 route", "2001:2::2 dev tun0"));
        return NULL;
}

int main(void)
{
        static const struct netns_case cases[] = {
                { "set_and_remove", set_and_remove, false },
                { "keep_addresses_of_others", keep_addresses_of_others, false },
                { "link_local", link_local, false },
                { "change_prefix_length", change_prefix_length, false },
                { "mark_existing", mark_existing, false },
                { "without_marks", without_marks, false },
                { "primary_without_promotion", primary_without_promotion, false },
                { "primary_with_promotion", primary_with_promotion, false },
                { "many_addresses", many_addresses, false },
                { "set_again", set_again, false },
        };

        return netns_run(cases, ARRAY_SIZE(cases));
}
