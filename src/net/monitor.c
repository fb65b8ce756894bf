/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Events of the network stack: what happened to an interface, its addresses, and routing.
 *
 * The kernel queues events on a socket, and drops them when that is full. It reports the loss once (ENOBUFS),
 * and continues with later events. What happened in the gap is unknown: the caller reads the present state.
 */

#include "net/monitor.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/util.h"
#include "net/netlink-message.h"

#define GROUPS                                                                                           \
        (RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | \
         RTMGRP_IPV4_RULE | 1U << (RTNLGRP_IPV6_RULE - 1) | 1U << (RTNLGRP_IPV4_NETCONF - 1) |           \
         1U << (RTNLGRP_IPV6_NETCONF - 1))

/* Events that one call reads at most; a source of endless events must not keep it from returning. */
#define EVENTS_MAX 10000

struct monitor {
        struct mnl_socket *socket;
        unsigned index; /* the interface of the last call */
        bool down;      /* it was down at its last event, or may have been */
};

struct reading {
        struct monitor *monitor;
        struct monitor_changes *changes;
};

/* For the cleanup attribute. */
static void monitor_closep(struct monitor **monitor)
{
        *monitor = monitor_close(*monitor);
}

/**
 * monitor_open() - start to receive events
 * @ret_monitor: set to the monitor; monitor_close() frees it
 *
 * It stays in the network namespace in which it was opened.
 *
 * Return: 0, or a negative errno of socket(2).
 */
int monitor_open(struct monitor **ret_monitor)
{
        _cleanup_(monitor_closep) struct monitor *monitor = NULL;

        monitor = calloc(1, sizeof(*monitor));
        if (!monitor)
                return -ENOMEM;

        monitor->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (!monitor->socket)
                return -errno;

        if (mnl_socket_bind(monitor->socket, GROUPS, MNL_SOCKET_AUTOPID) < 0)
                return -errno;

        *ret_monitor = monitor;
        monitor = NULL;
        return 0;
}

/**
 * monitor_close() - stop to receive events
 * @monitor: what monitor_open() opened, or NULL
 *
 * Return: NULL.
 */
struct monitor *monitor_close(struct monitor *monitor)
{
        if (monitor && monitor->socket)
                mnl_socket_close(monitor->socket);
        free(monitor);
        return NULL;
}

/**
 * monitor_fd() - get the descriptor to wait for
 * @monitor: the monitor, which owns it
 *
 * Return: the descriptor, readable while monitor_read() has events to read.
 */
int monitor_fd(const struct monitor *monitor)
{
        return mnl_socket_get_fd(monitor->socket);
}

static void on_link(struct monitor *monitor, const struct nlmsghdr *message, struct monitor_changes *changes)
{
        const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
        struct link_info info;

        /* The kernel adds and deletes routes with the link; deleted IPv4 routes have no event then. */
        if (message->nlmsg_type == RTM_DELLINK || (header->ifi_change & IFF_UP))
                changes->routes_changed = true;

        if ((unsigned) header->ifi_index != monitor->index || header->ifi_family != AF_UNSPEC)
                return;

        if (message->nlmsg_type == RTM_DELLINK) {
                changes->removed = true;
                changes->link_changed = false;
                changes->came_up = false;
                return;
        }

        if (!link_info_parse(&info, message))
                return;

        changes->link_changed = true;
        changes->link = info;
        changes->came_up = info.up && (changes->came_up || monitor->down);
        monitor->down = !info.up;
}

static int on_event(const struct nlmsghdr *message, void *userdata)
{
        struct reading *reading = userdata;
        struct monitor_changes *changes = reading->changes;
        const struct ifaddrmsg *address;

        switch (message->nlmsg_type) {
        case RTM_NEWLINK:
        case RTM_DELLINK:
                on_link(reading->monitor, message, changes);
                break;

        case RTM_NEWADDR:
        case RTM_DELADDR:
                address = mnl_nlmsg_get_payload(message);
                if (address->ifa_index == reading->monitor->index)
                        changes->addresses_changed = true;
                /* The routes of IPv4 that go with an address have no event of their own. */
                changes->routes_changed = true;
                break;

        case RTM_NEWROUTE:
        case RTM_DELROUTE:
        case RTM_NEWRULE:
        case RTM_DELRULE:
        case RTM_NEWNETCONF:
                changes->routes_changed = true;
                break;

        default:
                break;
        }

        return MNL_CB_OK;
}

/* Makes the monitor follow an interface, which the caller knows to be up, or is setting up. */
static void monitor_follow(struct monitor *monitor, unsigned index)
{
        if (monitor->index == index)
                return;

        monitor->index = index;
        monitor->down = false;
}

/**
 * monitor_read() - read the events that are queued
 * @monitor: the monitor
 * @index: the interface whose changes are asked for; the same one in each call, or it counts as up until an
 *         event says that it is not
 * @ret_changes: set to what happened
 *
 * routes_changed is set by every event after which the kernel may route a packet otherwise: of a route or a
 * rule, of an address, of a link that went up or down, and of forwarding or rp_filter, on whatever interface,
 * as a route elsewhere can hide one of this interface. Ask again with route_get().
 *
 * lost is set if the kernel dropped events. Events after the gap count; came_up is then set with the first
 * one that has the interface up.
 *
 * Return: 0, or a negative errno.
 */
int monitor_read(struct monitor *monitor, unsigned index, struct monitor_changes *ret_changes)
{
        alignas(struct nlmsghdr) char event[NETLINK_ANSWER_SIZE];
        struct monitor_changes changes = { 0 };
        struct reading reading = { .monitor = monitor, .changes = &changes };

        monitor_follow(monitor, index);
        for (unsigned i = 0; i < EVENTS_MAX; i++) {
                ssize_t size = mnl_socket_recvfrom(monitor->socket, event, sizeof(event));

                if (size < 0 && errno == EAGAIN)
                        break;

                /* ENOSPC is libmnl's for an event that is larger than the buffer. */
                if (size < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
                        changes.lost = true;
                } else if (size < 0 && errno != EINTR) {
                        return -errno;
                } else if (size >= 0) {
                        (void) mnl_cb_run(event, (size_t) size, 0, 0, on_event, &reading);
                }
        }

        /* Events that are read after ENOBUFS are older than the gap, in which the link may have been down. */
        monitor->down = monitor->down || changes.lost;

        *ret_changes = changes;
        return 0;
}
