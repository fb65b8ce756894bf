/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The device as the network stack sees it: limits, addresses, link state; rtnetlink(7) through libmnl.
 *
 * Everything here leads to the same state from wherever it starts, so that a device that was just made and
 * one that was taken over are treated alike. All but the questions needs CAP_NET_ADMIN.
 */

#include "net/link.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <net/if.h>
#include <time.h>

#include "common/util.h"

#define REQUEST_SIZE 256  /* bytes; the largest one here has some 100 */
#define ANSWER_SIZE  8192 /* bytes; the kernel fills no larger part of a dump than there is room for */

/* What one dump can find; another one follows while there are more. */
#define FOREIGN_MAX 32

/* How often to ask for a dump that changes interrupt. */
#define DUMPS_MAX 100

struct link {
        struct mnl_socket *socket;
        struct mnl_socket *events; /* NULL: nobody watches */
        unsigned sequence;
        unsigned index;
        bool up; /* as far as the events tell */
        struct link_change change;
};

/* The attributes of a message by their type; what lies beyond is not asked for here. */
struct attributes {
        const struct nlattr *of[IFLA_AF_SPEC + 1];
};

struct foreign_addresses {
        const struct link *link;
        const struct link_address *configured;
        size_t n_configured;
        struct link_address found[FOREIGN_MAX];
        size_t n_found;
};

static int socket_open(struct mnl_socket **ret_socket, int flags, unsigned groups)
{
        struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags);
        int r;

        if (!socket)
                return -errno;

        if (mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0) {
                r = -errno;
                mnl_socket_close(socket);
                return r;
        }

        *ret_socket = socket;
        return 0;
}

static struct nlmsghdr *request_begin(struct link *link, char *buffer, int type, int flags)
{
        struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

        request->nlmsg_type = (uint16_t) type;
        request->nlmsg_flags = (uint16_t) (NLM_F_REQUEST | flags);
        request->nlmsg_seq = ++link->sequence;
        return request;
}

/*
 * Tells whether something changed while the kernel went through what it dumps. libmnl would stop there, and
 * leave the rest of the dump in the way of the next request: it is not to see it.
 */
static bool take_interruption(char *answer, size_t size)
{
        struct nlmsghdr *message = (struct nlmsghdr *) answer;
        bool interrupted = false;
        int left = (int) size;

        while (mnl_nlmsg_ok(message, left)) {
                interrupted = interrupted || (message->nlmsg_flags & NLM_F_DUMP_INTR);
                message->nlmsg_flags &= (uint16_t) ~NLM_F_DUMP_INTR;
                message = mnl_nlmsg_next(message, &left);
        }

        return interrupted;
}

/*
 * Sends a request, and passes what comes to on_message until the kernel's acknowledgement, its error, or a
 * last part. Returns -EINTR after a dump that may not tell everything.
 */
static int request_send(struct link *link, const struct nlmsghdr *request, mnl_cb_t on_message,
                        void *userdata)
{
        alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
        bool interrupted = false;
        int r;

        if (TEMP_FAILURE_RETRY(mnl_socket_sendto(link->socket, request, request->nlmsg_len)) < 0)
                return -errno;

        do {
                ssize_t size = TEMP_FAILURE_RETRY(mnl_socket_recvfrom(link->socket, answer, sizeof(answer)));

                if (size < 0)
                        return -errno;

                /* What a request that failed did not wait for. */
                if (((const struct nlmsghdr *) answer)->nlmsg_seq != link->sequence) {
                        r = MNL_CB_OK;
                        continue;
                }

                interrupted = take_interruption(answer, (size_t) size) || interrupted;
                r = mnl_cb_run(answer, (size_t) size, link->sequence, mnl_socket_get_portid(link->socket),
                               on_message, userdata);
        } while (r > MNL_CB_STOP);

        if (r < 0)
                return -errno;

        return interrupted ? -EINTR : 0;
}

static int on_attribute(const struct nlattr *attribute, void *userdata)
{
        struct attributes *attributes = userdata;

        if (mnl_attr_get_type(attribute) < ARRAY_SIZE(attributes->of))
                attributes->of[mnl_attr_get_type(attribute)] = attribute;

        return MNL_CB_OK;
}

static struct attributes attributes_of(const struct nlmsghdr *message, size_t header)
{
        struct attributes attributes = { 0 };

        (void) mnl_attr_parse(message, (unsigned) header, on_attribute, &attributes);
        return attributes;
}

static struct attributes attributes_in(const struct nlattr *nest)
{
        struct attributes attributes = { 0 };

        if (nest)
                (void) mnl_attr_parse_nested(nest, on_attribute, &attributes);
        return attributes;
}

static struct nlmsghdr *link_request(struct link *link, char *buffer, int type, struct ifinfomsg **ret_info)
{
        struct nlmsghdr *request = request_begin(link, buffer, type, NLM_F_ACK);

        *ret_info = mnl_nlmsg_put_extra_header(request, sizeof(**ret_info));
        (*ret_info)->ifi_index = (int) link->index;
        return request;
}

/* The MTU that a message about an interface tells, or 0. */
static unsigned mtu_of(const struct nlmsghdr *message)
{
        struct attributes attributes = attributes_of(message, sizeof(struct ifinfomsg));
        const struct nlattr *mtu = attributes.of[IFLA_MTU];

        return mtu && mnl_attr_get_payload_len(mtu) == sizeof(uint32_t) ? mnl_attr_get_u32(mtu) : 0;
}

struct found {
        unsigned index, mtu;
};

static int on_found(const struct nlmsghdr *message, void *userdata)
{
        const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
        struct found *found = userdata;

        found->index = (unsigned) info->ifi_index;
        found->mtu = mtu_of(message);
        return MNL_CB_OK;
}

/**
 * link_new() - find an interface
 * @ret_link: where to put it; link_free() frees it
 * @name: the interface's name
 * @ret_mtu: its MTU, in bytes
 *
 * Return: 0, -ENODEV if there is no such interface, or another negative errno of netlink(7).
 */
int link_new(struct link **ret_link, const char *name, unsigned *ret_mtu)
{
        _cleanup_(link_freep) struct link *link = NULL;
        alignas(struct nlmsghdr) char buffer[REQUEST_SIZE];
        struct nlmsghdr *request;
        struct found found = { 0 };
        struct ifinfomsg *info;
        int r;

        link = calloc(1, sizeof(*link));
        if (!link)
                return -ENOMEM;

        r = socket_open(&link->socket, 0, 0);
        if (r < 0)
                return r;

        /* So that a dump can be of this interface alone. Without it, it is of all. */
        (void) mnl_socket_setsockopt(link->socket, NETLINK_GET_STRICT_CHK, &(int) { 1 }, sizeof(int));

        request = link_request(link, buffer, RTM_GETLINK, &info);
        mnl_attr_put_strz(request, IFLA_IFNAME, name);

        r = request_send(link, request, on_found, &found);
        if (r < 0)
                return r;

        link->index = found.index;
        *ret_mtu = found.mtu;
        *ret_link = link;
        link = NULL;
        return 0;
}

/**
 * link_free() - forget an interface; it stays as it is
 * @link: what link_new() made, or NULL
 *
 * Return: NULL.
 */
struct link *link_free(struct link *link)
{
        if (link && link->events)
                mnl_socket_close(link->events);
        if (link && link->socket)
                mnl_socket_close(link->socket);
        free(link);
        return NULL;
}

/* For the cleanup attribute. */
void link_freep(struct link **link)
{
        *link = link_free(*link);
}

/**
 * link_set_limits() - set how large and how many packets the device takes
 * @link: the interface
 * @mtu: in bytes
 * @queue_length: in packets, what it holds while nobody reads
 *
 * Return: 0, or a negative errno.
 */
int link_set_limits(struct link *link, unsigned mtu, unsigned queue_length)
{
        alignas(struct nlmsghdr) char buffer[REQUEST_SIZE];
        struct nlmsghdr *request;
        struct ifinfomsg *info;

        request = link_request(link, buffer, RTM_NEWLINK, &info);
        mnl_attr_put_u32(request, IFLA_MTU, mtu);
        mnl_attr_put_u32(request, IFLA_TXQLEN, queue_length);
        return request_send(link, request, NULL, NULL);
}

/**
 * link_set_up() - set the interface up
 * @link: the interface
 *
 * Return: 0, or a negative errno.
 */
int link_set_up(struct link *link)
{
        alignas(struct nlmsghdr) char buffer[REQUEST_SIZE];
        struct nlmsghdr *request;
        struct ifinfomsg *info;

        request = link_request(link, buffer, RTM_NEWLINK, &info);
        info->ifi_flags = IFF_UP;
        info->ifi_change = IFF_UP;
        return request_send(link, request, NULL, NULL);
}

static int on_ipv6(const struct nlmsghdr *message, void *userdata)
{
        struct attributes link = attributes_of(message, sizeof(struct ifinfomsg));
        struct attributes families = attributes_in(link.of[IFLA_AF_SPEC]);
        struct attributes ipv6 = attributes_in(families.of[AF_INET6]);
        const struct nlattr *conf = ipv6.of[IFLA_INET6_CONF];
        const int32_t *settings;

        if (!conf || mnl_attr_get_payload_len(conf) <= DEVCONF_DISABLE_IPV6 * sizeof(*settings))
                return MNL_CB_OK;

        settings = mnl_attr_get_payload(conf);
        *(int *) userdata = settings[DEVCONF_DISABLE_IPV6] == 0;
        return MNL_CB_OK;
}

/**
 * link_has_ipv6() - ask whether IPv6 is on
 * @link: the interface; the kernel has IPv6 off where the MTU is below 1280 bytes
 *
 * Asks what /proc/sys/net/ipv6/conf/INTERFACE/disable_ipv6 says; a sandbox may hide that file.
 *
 * Return: 1 if it is on, 0 if it is off or the kernel has none, or a negative errno.
 */
int link_has_ipv6(struct link *link)
{
        alignas(struct nlmsghdr) char buffer[REQUEST_SIZE];
        struct nlmsghdr *request;
        struct ifinfomsg *info;
        int r, ipv6 = 0;

        request = link_request(link, buffer, RTM_GETLINK, &info);
        mnl_attr_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);

        r = request_send(link, request, on_ipv6, &ipv6);
        return r < 0 ? r : ipv6;
}

static int address_send(struct link *link, int type, int flags, const struct link_address *address)
{
        alignas(struct nlmsghdr) char buffer[REQUEST_SIZE];
        size_t size = address_size(address->local.family);
        struct nlmsghdr *request;
        struct ifaddrmsg *info;

        request = request_begin(link, buffer, type, NLM_F_ACK | flags);
        info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
        info->ifa_family = (uint8_t) address->local.family;
        info->ifa_prefixlen = address->prefix_length;
        /* Nobody else is on the device, and a tentative address would not answer the first ping. */
        info->ifa_flags = address->local.family == AF_INET6 ? IFA_F_NODAD : 0;
        info->ifa_scope = RT_SCOPE_UNIVERSE;
        info->ifa_index = link->index;
        mnl_attr_put(request, IFA_LOCAL, size, address->local.bytes);
        mnl_attr_put(request, IFA_ADDRESS, size, address->remote.bytes);

        return request_send(link, request, NULL, NULL);
}

static int add_addresses(struct link *link, const struct link_address *addresses, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                int r;

                r = address_send(link, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &addresses[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}

static bool is_configured(const struct foreign_addresses *foreign, const struct link_address *address)
{
        for (size_t i = 0; i < foreign->n_configured; i++) {
                const struct link_address *configured = &foreign->configured[i];

                if (configured->prefix_length == address->prefix_length &&
                    address_equal(&configured->local, &address->local) &&
                    address_equal(&configured->remote, &address->remote))
                        return true;
        }

        return false;
}

static bool address_read(struct address *ret_address, int family, const struct nlattr *attribute)
{
        if ((family != AF_INET && family != AF_INET6) || !attribute ||
            mnl_attr_get_payload_len(attribute) != address_size(family))
                return false;

        ret_address->family = family;
        memcpy(ret_address->bytes, mnl_attr_get_payload(attribute), address_size(family));
        return true;
}

static int on_address(const struct nlmsghdr *message, void *userdata)
{
        const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
        struct attributes attributes = attributes_of(message, sizeof(*info));
        struct foreign_addresses *foreign = userdata;
        struct link_address address = { .prefix_length = info->ifa_prefixlen };

        if (info->ifa_index != foreign->link->index ||
            !address_read(&address.remote, info->ifa_family, attributes.of[IFA_ADDRESS]))
                return MNL_CB_OK;

        /* Without a local one it is IPv6 that is not point-to-point. */
        if (!address_read(&address.local, info->ifa_family, attributes.of[IFA_LOCAL]))
                address.local = address.remote;

        /* The kernel gives each interface a link-local address, and that one is wanted. */
        if (address.local.family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address.local.ipv6))
                return MNL_CB_OK;

        if (!is_configured(foreign, &address) && foreign->n_found < ARRAY_SIZE(foreign->found))
                foreign->found[foreign->n_found++] = address;

        return MNL_CB_OK;
}

/*
 * A primary address that goes would take the secondary ones of its subnet along, and if none is left, every
 * route; net.ipv4.conf.INTERFACE.promote_secondaries keeps them.
 */
static int keep_secondary_addresses(struct link *link)
{
        alignas(struct nlmsghdr) char buffer[REQUEST_SIZE];
        struct nlattr *families, *ipv4, *conf;
        struct nlmsghdr *request;
        struct ifinfomsg *info;

        request = link_request(link, buffer, RTM_NEWLINK, &info);
        families = mnl_attr_nest_start(request, IFLA_AF_SPEC);
        ipv4 = mnl_attr_nest_start(request, AF_INET);
        conf = mnl_attr_nest_start(request, IFLA_INET_CONF);
        mnl_attr_put_u32(request, IPV4_DEVCONF_PROMOTE_SECONDARIES, 1);
        mnl_attr_nest_end(request, conf);
        mnl_attr_nest_end(request, ipv4);
        mnl_attr_nest_end(request, families);
        return request_send(link, request, NULL, NULL);
}

/* Where addresses change at the same time, the kernel is asked again. */
static int find_foreign_addresses(struct link *link, const struct link_address *addresses, size_t n,
                                  struct foreign_addresses *ret_foreign)
{
        int r = -EINTR;

        for (unsigned i = 0; i < DUMPS_MAX && r == -EINTR; i++) {
                alignas(struct nlmsghdr) char buffer[REQUEST_SIZE];
                struct nlmsghdr *request;
                struct ifaddrmsg *info;

                *ret_foreign = (struct foreign_addresses) {
                        .link = link,
                        .configured = addresses,
                        .n_configured = n,
                };
                request = request_begin(link, buffer, RTM_GETADDR, NLM_F_DUMP);
                info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
                info->ifa_family = AF_UNSPEC;
                info->ifa_index = link->index;

                r = request_send(link, request, on_address, ret_foreign);
        }

        return r;
}

/* Returns how many addresses went, or a negative errno. */
static int remove_foreign_addresses(struct link *link, const struct link_address *addresses, size_t n_addresses)
{
        struct foreign_addresses foreign;
        int n = 0, r;

        do {
                r = find_foreign_addresses(link, addresses, n_addresses, &foreign);
                if (r < 0)
                        return r;

                for (size_t i = 0; i < foreign.n_found; i++, n++) {
                        r = address_send(link, RTM_DELADDR, 0, &foreign.found[i]);
                        if (r < 0 && r != -EADDRNOTAVAIL) /* it is gone already */
                                return r;
                }
        } while (foreign.n_found == ARRAY_SIZE(foreign.found));

        return n;
}

/**
 * link_set_addresses() - give the interface its addresses, and none else
 * @link: the interface
 * @addresses: the addresses
 * @n: how many there are
 *
 * New ones come first: an interface that loses its last IPv4 address loses every route. One of
 * IPv6 whose prefix length changes cannot be there twice: it goes with the foreign ones, and is put
 * back. Link-local IPv6 addresses stay.
 *
 * Return: 0, or a negative errno.
 */
int link_set_addresses(struct link *link, const struct link_address *addresses, size_t n)
{
        int r;

        r = add_addresses(link, addresses, n);
        if (r < 0)
                return r;

        r = keep_secondary_addresses(link);
        if (r < 0)
                return r;

        r = remove_foreign_addresses(link, addresses, n);
        return r > 0 ? add_addresses(link, addresses, n) : r;
}

struct route {
        uint8_t type;
        uint32_t interface;
};

static int on_route(const struct nlmsghdr *message, void *userdata)
{
        const struct rtmsg *info = mnl_nlmsg_get_payload(message);
        struct attributes attributes = attributes_of(message, sizeof(*info));
        struct route *route = userdata;

        route->type = info->rtm_type;
        if (attributes.of[RTA_OIF] && mnl_attr_get_payload_len(attributes.of[RTA_OIF]) == sizeof(uint32_t))
                route->interface = mnl_attr_get_u32(attributes.of[RTA_OIF]);

        return MNL_CB_OK;
}

/* What `ip route get` tells; where there is no route at all, type and interface are 0. */
static struct route route_get(struct link *link, const struct address *address)
{
        alignas(struct nlmsghdr) char buffer[REQUEST_SIZE];
        struct route route = { 0 };
        struct nlmsghdr *request;
        struct rtmsg *info;

        request = request_begin(link, buffer, RTM_GETROUTE, NLM_F_ACK);
        info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
        info->rtm_family = (uint8_t) address->family;
        info->rtm_dst_len = address_bits(address->family);
        mnl_attr_put(request, RTA_DST, address_size(address->family), address->bytes);

        if (request_send(link, request, on_route, &route) < 0)
                return (struct route) { 0 };

        return route;
}

static const struct address *find_unrouted(struct link *link, const struct link_address *addresses,
                                           size_t n_addresses, const struct address *peers, size_t n_peers)
{
        for (size_t i = 0; i < n_addresses; i++)
                if (route_get(link, &addresses[i].local).type != RTN_LOCAL)
                        return &addresses[i].local;

        for (size_t i = 0; i < n_peers; i++)
                if (peers[i].family != AF_UNSPEC && route_get(link, &peers[i]).interface != link->index)
                        return &peers[i];

        return NULL;
}

/**
 * link_wait_routed() - wait until the kernel routes as the settings say
 * @link: the interface, up and with its addresses
 * @addresses: this host's addresses
 * @n_addresses: how many there are
 * @peers: the addresses behind the interface; those of AF_UNSPEC are passed over
 * @n_peers: how many there are
 * @patience: how long to wait at most, in milliseconds
 * @reterr_address: set to the first address that is not routed
 *
 * The kernel adds the routes of an IPv6 address a moment after the address. Longer than that only
 * routes or rules of somebody else are in the way.
 *
 * Return: 0 once every Address= is this host's and every Peer= lies behind the interface, else -EHOSTUNREACH.
 */
int link_wait_routed(struct link *link, const struct link_address *addresses, size_t n_addresses,
                     const struct address *peers, size_t n_peers, unsigned patience,
                     const struct address **reterr_address)
{
        static const struct timespec pause = { .tv_nsec = 1000000 };

        for (unsigned i = 0;; i++) {
                *reterr_address = find_unrouted(link, addresses, n_addresses, peers, n_peers);
                if (!*reterr_address)
                        return 0;
                if (i == patience)
                        return -EHOSTUNREACH;

                (void) nanosleep(&pause, NULL);
        }
}

static int on_link_event(const struct nlmsghdr *message, void *userdata)
{
        const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
        struct link *link = userdata;
        unsigned mtu = mtu_of(message);
        bool up;

        if (message->nlmsg_type != RTM_NEWLINK || (unsigned) info->ifi_index != link->index)
                return MNL_CB_OK;

        up = info->ifi_flags & IFF_UP;
        link->change.came_up = link->change.came_up || (up && !link->up);
        link->up = up;

        link->change.mtu = mtu > 0 ? mtu : link->change.mtu;

        return MNL_CB_OK;
}

/**
 * link_watch() - begin to watch the interface
 * @link: the interface, which is up now
 * @ret_fd: readable when link_changes() has something to tell; @link keeps it
 *
 * Return: 0, or a negative errno.
 */
int link_watch(struct link *link, int *ret_fd)
{
        int r;

        r = socket_open(&link->events, SOCK_NONBLOCK, RTMGRP_LINK);
        if (r < 0)
                return r;

        link->up = true;
        *ret_fd = mnl_socket_get_fd(link->events);
        return 0;
}

/**
 * link_changes() - tell what happened to the interface since the last call
 * @link: the interface, which link_watch() watches
 *
 * Return: the changes; where the kernel had more to tell than it could hold, the link counts as come up.
 */
struct link_change link_changes(struct link *link)
{
        alignas(struct nlmsghdr) char events[ANSWER_SIZE];
        struct link_change change;
        ssize_t size;

        while ((size = mnl_socket_recvfrom(link->events, events, sizeof(events))) > 0)
                (void) mnl_cb_run(events, (size_t) size, 0, 0, on_link_event, link);
        if (errno != EAGAIN && errno != EINTR)
                link->change.came_up = true;

        change = link->change;
        link->change = (struct link_change) { 0 };
        return change;
}
