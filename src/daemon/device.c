/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The device: opened, then configured, then followed.
 *
 * A device that was adopted and one that was created are configured by the same code. Nothing here waits for
 * the kernel, which adds the routes of new addresses later: a timer checks them once.
 */

#include "daemon/device.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>

#include "common/util.h"
#include "daemon/descriptor.h"
#include "daemon/fail.h"
#include "daemon/routing.h"
#include "net/address.h"
#include "net/monitor.h"
#include "net/netlink.h"
#include "net/route.h"
#include "net/tun.h"

/* When the routes of new addresses are checked: far longer than the kernel needs to add them. */
#define SETTLE_USEC 1000000

struct device {
        struct config *config;
        const struct journal *journal;
        int fd;
        bool may_have_moved; /* it was not created just now */

        struct netlink *netlink;
        struct monitor *monitor;
        bool here; /* in this network namespace, at the last check */
        struct link_info link;

        /* What this process set, for kernels that do not mark addresses. */
        struct link_address owned[CONFIG_MAX_ADDRESSES];
        size_t n_owned;

        sd_event_source *events, *settle;
        device_handler_t on_change;
        void *userdata;
};

static int report_elsewhere(struct device *device)
{
        device->here = false;
        journal_send(device->journal, MESSAGE_NOT_ROUTED, NULL, -ENODEV,
                     "'%s' is not in this network namespace, its addresses and limits stay as they are",
                     device->config->interface);
        return 0;
}

static int fail_find(const struct device *device, int error)
{
        return fail(device->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, error, "Cannot find '%s': %m",
                    device->config->interface);
}

/* Whether what has the name or the index of the device in this network namespace is the device. */
static int is_here(const struct device *device)
{
        return device->may_have_moved ? tun_is_here(device->fd) : 1;
}

/* Finds the device in the network stack. */
static int find_link(struct device *device)
{
        char name[IFNAMSIZ];
        int r;

        r = is_here(device);
        if (r < 0)
                return fail_find(device, r);
        if (r == 0)
                return report_elsewhere(device);

        r = tun_name(device->fd, name);
        if (r < 0)
                return fail_find(device, r);

        r = link_get(device->netlink, 0, name, &device->link);
        if (r == -ENODEV)
                return report_elsewhere(device);
        if (r < 0)
                return fail_find(device, r);

        device->here = true;
        return 0;
}

/**
 * device_open() - recover the device from the descriptor store, or create it
 * @ret_device: set to the device, which device_free() frees
 * @config: the settings; must outlive the device
 * @journal: where to report; must outlive the device
 *
 * Needs CAP_NET_ADMIN.
 *
 * Return: 0, or the status to exit with.
 */
int device_open(struct device **ret_device, struct config *config, const struct journal *journal)
{
        struct device *device = calloc(1, sizeof(*device));
        int r;

        if (!device)
                return fail(journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, -ENOMEM,
                            "Cannot set up the device: %m");

        device->config = config;
        device->journal = journal;
        device->fd = -1;
        device->link = (struct link_info) { .mtu = config->mtu };
        (void) snprintf(device->link.name, sizeof(device->link.name), "%s", config->interface);

        /* Events are monitored from before the first request, so that no change is missed. */
        r = netlink_open(&device->netlink);
        if (r >= 0)
                r = monitor_open(&device->monitor);
        if (r < 0)
                r = fail(journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot open netlink: %m");
        if (r == 0)
                r = descriptor_open(config, journal, &device->fd, &device->may_have_moved);
        if (r == 0)
                r = find_link(device);
        if (r != 0) {
                device_free(device);
                return r;
        }

        *ret_device = device;
        return 0;
}

/**
 * device_free() - close the device; it stays if systemd or another process holds it
 * @device: the device, or NULL
 *
 * Return: NULL.
 */
struct device *device_free(struct device *device)
{
        if (!device)
                return NULL;

        sd_event_source_unref(device->settle);
        sd_event_source_unref(device->events);
        monitor_close(device->monitor);
        netlink_close(device->netlink);
        close_fdp(&device->fd);
        free(device);
        return NULL;
}

/* Returns how many addresses there are: as many as the settings have. */
static size_t wanted_addresses(const struct config *config, struct link_address wanted[CONFIG_MAX_ADDRESSES])
{
        for (size_t i = 0; i < config->n_addresses; i++) {
                const struct prefix *prefix = &config->addresses[i].prefix;
                const struct address *peer = config_point_to_point(config, &config->addresses[i]);

                wanted[i] = (struct link_address) {
                        .prefix_length = prefix->length,
                        .local = prefix->address,
                        .remote = peer ? *peer : prefix->address,
                };
        }

        return config->n_addresses;
}

static int set_addresses(struct device *device)
{
        struct link_address wanted[CONFIG_MAX_ADDRESSES];
        size_t n = wanted_addresses(device->config, wanted);
        int r;

        r = link_addresses_set(device->netlink, device->link.index, wanted, n, device->owned,
                               device->n_owned);
        if (r < 0)
                return r;

        memcpy(device->owned, wanted, n * sizeof(wanted[0]));
        device->n_owned = n;
        return 0;
}

/* Addresses that are set again do not bring back a route to a peer that an administrator has deleted. */
static int set_peer_routes(struct device *device)
{
        for (size_t i = 0; i < device->n_owned; i++) {
                const struct link_address *address = &device->owned[i];
                int r;

                if (address_equal(&address->local, &address->remote))
                        continue;

                r = route_add_peer(device->netlink, device->link.index, &address->local, &address->remote);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Removes IPv6 from the default settings if it is disabled on this host. */
static int check_ipv6(struct device *device)
{
        struct config *config = device->config;

        if (device->link.has_ipv6 || !config_has_ipv6(config))
                return 0;

        if (!config->default_addresses)
                return fail(device->journal, EX_CONFIG, MESSAGE_SETTINGS_WRONG, 0,
                            "'%s' needs IPv6 for an Address=, but IPv6 is disabled on this host",
                            config->interface);

        journal_send(device->journal, MESSAGE_IPV6_OFF, NULL, 0,
                     "IPv6 is disabled on this host, '%s' has IPv4 alone", config->interface);
        config_drop_ipv6(config);
        return 0;
}

static int configure_addresses(struct device *device)
{
        int r;

        r = check_ipv6(device);
        if (r != 0)
                return r;

        /* In this order: the kernel removes the route to an IPv6 peer when the link comes up. */
        r = link_set_up(device->netlink, device->link.index);
        if (r < 0)
                return fail(device->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot set '%s' up: %m",
                            device->link.name);

        r = set_addresses(device);
        if (r >= 0)
                r = set_peer_routes(device);
        if (r < 0)
                return fail(device->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r,
                            "Cannot set the addresses of '%s': %m", device->link.name);

        return 0;
}

static int schedule_settle(struct device *device)
{
        int r;

        if (!device->settle)
                return 0;

        r = sd_event_source_set_time_relative(device->settle, SETTLE_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(device->settle, SD_EVENT_ONESHOT);
}

/**
 * device_configure() - make the device what the settings say
 * @device: the device; its settings lose IPv6 where they are the defaults and the machine has none
 *
 * A device that is in another network namespace answers there, and stays as it is.
 *
 * Return: 0, or the status to exit with.
 */
int device_configure(struct device *device)
{
        const struct config *config = device->config;
        int r;

        if (!device->here)
                return 0;

        r = is_here(device);
        if (r < 0)
                return fail_find(device, r);
        if (r == 0)
                return report_elsewhere(device);

        r = link_set_limits(device->netlink, device->link.index, config->mtu, config->queue_length);
        if (r >= 0)
                r = link_get(device->netlink, device->link.index, NULL, &device->link);
        if (r == -ENODEV)
                return report_elsewhere(device);
        if (r < 0)
                return fail(device->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r,
                            "Cannot set the MTU and the queue length of '%s': %m", device->link.name);

        device->may_have_moved = true; /* from now on */
        r = config->configure ? configure_addresses(device) : 0;
        if (r != 0)
                return r;

        r = schedule_settle(device);
        if (r < 0)
                return fail(device->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot set a timer: %m");

        return 0;
}

static void check_routes(struct device *device)
{
        const struct address *unrouted;
        char text[PREFIX_TEXT_SIZE];

        unrouted = routing_find_wrong(device->netlink, device->link.index, device->config);
        if (unrouted)
                journal_send(device->journal, MESSAGE_NOT_ROUTED, NULL, -EHOSTUNREACH,
                             "%s is not routed as the settings of '%s' say: another route or rule takes "
                             "precedence",
                             address_text(text, unrouted), device->link.name);
}

static int on_settle(sd_event_source *source, uint64_t usec, void *userdata)
{
        struct device *device = userdata;

        (void) source;
        (void) usec;

        if (device->here && device->config->configure && is_here(device) > 0)
                check_routes(device);
        device->on_change(device->userdata);
        return 0;
}

/* The kernel removes the IPv6 addresses of a link that is set down; they come back with the link. */
static void restore_addresses(struct device *device)
{
        int r;

        if (!device->config->configure)
                return;

        r = set_addresses(device);
        if (r >= 0)
                r = set_peer_routes(device);
        if (r < 0)
                journal_send(device->journal, MESSAGE_SYSTEM_FAILED, NULL, r,
                             "Cannot set the addresses of '%s' again, ignoring: %m", device->link.name);
}

static int on_events(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        struct device *device = userdata;
        struct monitor_changes changes;
        int r;

        (void) source;
        (void) fd;
        (void) events;

        r = monitor_read(device->monitor, device->link.index, &changes);
        if (r < 0)
                return r;

        /* Another interface may have the index of the device in this namespace. */
        if (!device->here || is_here(device) <= 0)
                return 0;

        if (changes.link_changed)
                device->link = changes.link;
        else if (changes.lost && link_get(device->netlink, device->link.index, NULL, &device->link) < 0)
                return 0;
        if (device->link.up && (changes.came_up || changes.lost))
                restore_addresses(device);

        device->on_change(device->userdata);
        return 0;
}

/**
 * device_attach() - follow what happens to the device
 * @device: the device, configured
 * @event: the event loop
 * @on_change: called for what happens
 * @userdata: passed to @on_change
 *
 * Return: 0, or a negative errno.
 */
int device_attach(struct device *device, sd_event *event, device_handler_t on_change, void *userdata)
{
        int r;

        device->on_change = on_change;
        device->userdata = userdata;

        r = sd_event_add_time_relative(event, &device->settle, CLOCK_MONOTONIC, SETTLE_USEC, 0, on_settle,
                                       device);
        if (r < 0)
                return r;

        return sd_event_add_io(event, &device->events, monitor_fd(device->monitor), EPOLLIN, on_events,
                               device);
}

/**
 * device_fd() - return the descriptor of the device, which stays its own
 * @device: the device
 */
int device_fd(const struct device *device)
{
        return device->fd;
}

/**
 * device_mtu() - return the MTU of the device in bytes
 * @device: the device; in another network namespace it is the last one that is known
 */
unsigned device_mtu(const struct device *device)
{
        return device->link.mtu;
}

/**
 * device_is_settled() - find out whether the kernel delivers packets to the addresses of the settings
 * @device: the device, configured
 *
 * The kernel adds the local route of an IPv6 address some time after the address.
 *
 * Return: true also where the addresses are not tunecho's to set.
 */
bool device_is_settled(struct device *device)
{
        if (!device->here || !device->config->configure)
                return true;

        for (size_t i = 0; i < device->n_owned; i++)
                if (!routing_is_local(device->netlink, &device->owned[i].local))
                        return false;

        return true;
}
