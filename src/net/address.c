/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The addresses of an interface: those that tunecho sets, beside those of an administrator and of the kernel.
 *
 * An address that tunecho sets is marked with its protocol (IFA_PROTO, Linux 5.18), so that a later process
 * recognises it. Only marked addresses are removed, and those that the caller names, as it has set them
 * itself: a kernel may not keep the mark.
 */

#include "net/address.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/util.h"
#include "net/link.h"
#include "net/netlink-message.h"

/* IFA_PROTO of linux/if_addr.h, which the headers of older distributions do not have. */
#define ATTRIBUTE_PROTOCOL 11

struct address_list {
        unsigned index; /* of the interface */
        struct link_address_info *items;
        size_t n, n_allocated;
};

static void address_list_done(struct address_list *list)
{
        free(list->items);
}

static bool link_address_equal(const struct link_address *a, const struct link_address *b)
{
        return a->prefix_length == b->prefix_length && address_equal(&a->local, &b->local) &&
               address_equal(&a->remote, &b->remote);
}

static bool link_addresses_contain(const struct link_address *addresses, size_t n,
                                   const struct link_address *address)
{
        for (size_t i = 0; i < n; i++)
                if (link_address_equal(&addresses[i], address))
                        return true;

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

static bool info_parse(struct link_address_info *ret_info, const struct nlmsghdr *message)
{
        const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
        struct netlink_attributes attributes = netlink_attributes(message, sizeof(*header));
        const struct nlattr *protocol = attributes.of[ATTRIBUTE_PROTOCOL];
        struct link_address_info info = {
                .address.prefix_length = header->ifa_prefixlen,
                .flags = attributes.of[IFA_FLAGS] ? netlink_u32(attributes.of[IFA_FLAGS]) : header->ifa_flags,
                .metric = netlink_u32(attributes.of[IFA_RT_PRIORITY]),
        };

        if (!address_read(&info.address.remote, header->ifa_family, attributes.of[IFA_ADDRESS]))
                return false;
        /* An IPv6 address that is not point-to-point has no IFA_LOCAL. */
        if (!address_read(&info.address.local, header->ifa_family, attributes.of[IFA_LOCAL]))
                info.address.local = info.address.remote;

        if (protocol && mnl_attr_get_payload_len(protocol) == sizeof(uint8_t))
                info.protocol = mnl_attr_get_u8(protocol);
        info.own = info.protocol == ADDRESS_PROTOCOL;
        info.tentative = info.flags & IFA_F_TENTATIVE;
        info.duplicate = info.flags & IFA_F_DADFAILED;
        *ret_info = info;
        return true;
}

static int on_address(const struct nlmsghdr *message, void *userdata)
{
        const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
        struct address_list *list = userdata;
        struct link_address_info info;

        if (header->ifa_index != list->index || !info_parse(&info, message))
                return MNL_CB_OK;

        if (list->n == list->n_allocated) {
                size_t n = list->n_allocated > 0 ? 2 * list->n_allocated : 8;
                struct link_address_info *items = reallocarray(list->items, n, sizeof(*items));

                if (!items)
                        return MNL_CB_ERROR; /* errno is ENOMEM */
                list->items = items;
                list->n_allocated = n;
        }

        list->items[list->n++] = info;
        return MNL_CB_OK;
}

static void on_restart(void *userdata)
{
        struct address_list *list = userdata;

        list->n = 0;
}

/* The list replaces what it had before. */
static int address_list_read(struct address_list *list, struct netlink *netlink)
{
        struct nlmsghdr *request;
        struct ifaddrmsg *header;
        NETLINK_BUFFER(buffer);

        request = netlink_request(buffer, RTM_GETADDR, NLM_F_DUMP);
        header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
        header->ifa_family = AF_UNSPEC;
        header->ifa_index = list->index;
        return netlink_dump(netlink, request, on_restart, on_address, list);
}

static struct nlmsghdr *address_request(char *buffer, int type, int flags, unsigned index,
                                        const struct link_address *address)
{
        size_t size = address_size(address->local.family);
        struct nlmsghdr *request;
        struct ifaddrmsg *header;

        request = netlink_request(buffer, type, NLM_F_ACK | flags);
        header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
        header->ifa_family = (uint8_t) address->local.family;
        header->ifa_prefixlen = address->prefix_length;
        header->ifa_scope = RT_SCOPE_UNIVERSE;
        header->ifa_index = index;
        mnl_attr_put(request, IFA_LOCAL, size, address->local.bytes);
        mnl_attr_put(request, IFA_ADDRESS, size, address->remote.bytes);
        return request;
}

/*
 * Adds an address, or marks one that exists: NLM_F_REPLACE sets its protocol (on Linux 6.18; older kernels
 * may keep that of an IPv4 address), makes it permanent, and deletes no route. It would reset the metric of
 * the route (IPv4) and the flags (IPv6), which are therefore repeated.
 */
static int address_add(struct netlink *netlink, unsigned index, const struct link_address *address,
                       const struct link_address_info *existing)
{
        uint32_t flags = existing ? existing->flags : 0;
        struct nlmsghdr *request;
        NETLINK_BUFFER(buffer);

        /* The device has one host on it, and a tentative address would not answer the first ping. */
        if (address->local.family == AF_INET6)
                flags |= IFA_F_NODAD;

        request = address_request(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, address);
        mnl_attr_put_u32(request, IFA_FLAGS, flags);
        mnl_attr_put_u8(request, ATTRIBUTE_PROTOCOL, ADDRESS_PROTOCOL);
        if (existing && existing->metric > 0)
                mnl_attr_put_u32(request, IFA_RT_PRIORITY, existing->metric);
        return netlink_send(netlink, request, NULL, NULL);
}

/* Removes an address, which may be gone already. */
static int address_remove(struct netlink *netlink, unsigned index, const struct link_address *address)
{
        struct nlmsghdr *request;
        NETLINK_BUFFER(buffer);
        int r;

        request = address_request(buffer, RTM_DELADDR, 0, index, address);
        r = netlink_send(netlink, request, NULL, NULL);
        return r == -EADDRNOTAVAIL ? 0 : r;
}

/* Replaces the peer of an IPv6 address: Linux 5.7 and later, where the unspecified address stands for none. */
static int address_replace_peer(struct netlink *netlink, unsigned index, const struct link_address *address,
                                const struct link_address_info *existing)
{
        struct link_address request = *address;

        if (address_equal(&address->local, &address->remote))
                request.remote = (struct address) { .family = AF_INET6 };

        return address_add(netlink, index, &request, existing);
}

/*
 * An IPv6 address exists once on an interface, whatever its prefix length and peer. Its peer is replaced; with
 * another prefix length it is removed first, and replies to that address are lost until it is back.
 */
static int address_ensure(struct netlink *netlink, const struct address_list *list,
                          const struct link_address *address, bool replace_peer)
{
        const struct link_address_info *existing = NULL;
        int r;

        for (size_t i = 0; i < list->n; i++) {
                const struct link_address *other = &list->items[i].address;

                if (link_address_equal(other, address)) {
                        existing = &list->items[i];
                } else if (other->local.family == AF_INET6 && address_equal(&other->local, &address->local)) {
                        if (replace_peer && other->prefix_length == address->prefix_length)
                                return address_replace_peer(netlink, list->index, address, &list->items[i]);

                        r = address_remove(netlink, list->index, other);
                        if (r < 0)
                                return r;
                }
        }

        return existing && existing->own ? 0 : address_add(netlink, list->index, address, existing);
}

static bool address_list_contains(const struct address_list *list, const struct link_address *address)
{
        for (size_t i = 0; i < list->n; i++)
                if (link_address_equal(&list->items[i].address, address))
                        return true;

        return false;
}

/* The list is up to date afterwards: which address is secondary, and whether the kernel keeps the mark. */
static int ensure_all(struct netlink *netlink, struct address_list *list, const struct link_address *wanted,
                      size_t n_wanted)
{
        int r;

        r = address_list_read(list, netlink);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n_wanted; i++) {
                r = address_ensure(netlink, list, &wanted[i], true);
                if (r < 0)
                        return r;
        }

        r = address_list_read(list, netlink);
        if (r < 0)
                return r;

        /* A kernel that does not replace a peer succeeds and changes nothing. */
        for (size_t i = 0; i < n_wanted; i++) {
                if (address_list_contains(list, &wanted[i]))
                        continue;

                r = address_ensure(netlink, list, &wanted[i], false);
                if (r >= 0)
                        r = address_list_read(list, netlink);
                if (r < 0)
                        return r;
        }

        return 0;
}

struct removal {
        struct netlink *netlink;
        const struct address_list *list;
        const struct link_address *wanted, *owned;
        size_t n_wanted, n_owned;
};

static bool is_dropped(const struct removal *removal, const struct link_address_info *info)
{
        if (link_addresses_contain(removal->wanted, removal->n_wanted, &info->address))
                return false;

        return info->own || link_addresses_contain(removal->owned, removal->n_owned, &info->address);
}

/* Whether an IPv4 address shares the subnet of an earlier one, with which the kernel would remove it. */
static bool is_secondary(const struct link_address_info *info)
{
        return info->address.local.family == AF_INET && (info->flags & IFA_F_SECONDARY);
}

static int remove_dropped(const struct removal *removal, bool secondary)
{
        const struct address_list *list = removal->list;

        for (size_t i = 0; i < list->n; i++) {
                const struct link_address_info *info = &list->items[i];
                int r;

                if (is_secondary(info) != secondary || !is_dropped(removal, info))
                        continue;

                r = address_remove(removal->netlink, list->index, &info->address);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Whether the kernel would remove an address that stays with one that is dropped. */
static bool needs_promotion(const struct removal *removal)
{
        const struct address_list *list = removal->list;
        bool primary = false, secondary = false;

        for (size_t i = 0; i < list->n; i++) {
                const struct link_address_info *info = &list->items[i];
                bool dropped = is_dropped(removal, info), ipv4 = info->address.local.family == AF_INET;

                primary = primary || (dropped && ipv4 && !is_secondary(info));
                secondary = secondary || (!dropped && is_secondary(info));
        }

        return primary && secondary;
}

/*
 * A primary address takes the secondary ones of its subnet with it, and the routes with `src` of them, unless
 * promote_secondaries is on. No order of requests avoids that for the addresses of an administrator, so it is
 * switched on for the time of the removal.
 */
static int remove_primaries(const struct removal *removal)
{
        bool promoted = true;
        int r, error;

        if (needs_promotion(removal)) {
                r = link_get_promotion(removal->netlink, removal->list->index, &promoted);
                if (r < 0)
                        return r;
        }
        if (promoted)
                return remove_dropped(removal, false);

        r = link_set_promotion(removal->netlink, removal->list->index, true);
        if (r < 0)
                return r;

        r = remove_dropped(removal, false);
        error = link_set_promotion(removal->netlink, removal->list->index, false);
        return r < 0 ? r : error;
}

/**
 * link_addresses_set() - set the addresses of an interface
 * @netlink: the socket
 * @index: the interface
 * @wanted: the addresses that it is to have
 * @n_wanted: how many there are
 * @owned: addresses that this process has set before, for a kernel that does not keep the mark
 * @n_owned: how many there are
 *
 * Adds what is missing, then removes what tunecho has set and is no longer wanted; in this order, as an
 * interface that loses its last IPv4 address loses its IPv4 routes. Every other address stays, and so do
 * routes with `src` of it. A wanted address that exists already is marked, and thus removed once it is no
 * longer wanted.
 *
 * Return: 0; -ENODEV if there is no such interface; -EINTR if other changes kept the addresses from being
 *         read; or another negative errno, with some of the changes made.
 */
int link_addresses_set(struct netlink *netlink, unsigned index, const struct link_address *wanted,
                       size_t n_wanted, const struct link_address *owned, size_t n_owned)
{
        _cleanup_(address_list_done) struct address_list list = { .index = index };
        const struct removal removal = {
                .netlink = netlink,
                .list = &list,
                .wanted = wanted,
                .owned = owned,
                .n_wanted = n_wanted,
                .n_owned = n_owned,
        };
        int r;

        r = ensure_all(netlink, &list, wanted, n_wanted);
        if (r < 0)
                return r;

        r = remove_dropped(&removal, true);
        if (r < 0)
                return r;

        return remove_primaries(&removal);
}

/**
 * link_addresses_get() - read the addresses of an interface
 * @netlink: the socket
 * @index: the interface
 * @ret_addresses: set to the addresses, those that tunecho has set first
 * @max: how many fit; further ones are left out
 *
 * Return: how many were read, -ENODEV if there is no such interface, or another negative errno.
 */
int link_addresses_get(struct netlink *netlink, unsigned index, struct link_address_info *ret_addresses,
                       size_t max)
{
        _cleanup_(address_list_done) struct address_list list = { .index = index };
        size_t n = 0;
        int r;

        r = address_list_read(&list, netlink);
        if (r < 0)
                return r;

        for (unsigned own = 2; own-- > 0;)
                for (size_t i = 0; i < list.n && n < max; i++)
                        if (list.items[i].own == (own > 0))
                                ret_addresses[n++] = list.items[i];

        return (int) n;
}
