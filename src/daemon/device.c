/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The device: opened, then configured, then followed.
 *
 * A device that was adopted and one that was created are configured by the same code. Nothing here waits for
 * the kernel: after a start, a reload or an event a timer checks what a ping would find, and reports what
 * changed. The changes of one second have one entry.
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
#include "daemon/device-addresses.h"
#include "daemon/fail.h"
#include "daemon/routing.h"
#include "net/monitor.h"
#include "net/netlink.h"
#include "net/tun.h"

/* From a change to the check: far longer than the kernel takes to add the routes of new addresses. */
#define CHECK_USEC 1000000

struct device {
        struct config *config;
        const struct journal *journal;
        int fd;
        bool may_have_moved; /* it was not created just now */

        struct netlink *netlink;
        struct monitor *monitor;
        bool here; /* in this network namespace, at the last check */
        struct link_info link;

        struct device_addresses addresses;

        struct device_condition condition; /* that was reported */
        bool checked;                      /* once at least */

        sd_event_source *events, *timer;
        device_handler_t on_change;
        void *userdata;
};

/* Whether what has the name or the index of the device in this network namespace is the device. */
static int is_here(const struct device *device)
{
        return device->may_have_moved ? tun_is_here(device->fd) : 1;
}

/* Finds the device in the network stack. Returns 1, 0 if it is in another network namespace, or an errno. */
static int find_link(struct device *device)
{
        char name[IFNAMSIZ];
        int r;

        device->here = false;
        r = is_here(device);
        if (r <= 0)
                return r;

        r = tun_name(device->fd, name);
        if (r < 0)
                return r;

        r = link_get(device->netlink, 0, name, &device->link);
        if (r < 0)
                return r == -ENODEV ? 0 : r;

        device->here = true;
        return 1;
}

static void report_condition(struct device *device, const struct device_condition *condition)
{
        device_condition_report(condition, &device->condition, &device->link, device->netlink,
                                device->journal);
        device->condition = *condition;
}

/* Finds it for a start or a reload. Returns 0, or the status to exit with. */
static int open_link(struct device *device)
{
        int r = find_link(device);

        if (r < 0)
                return fail(device->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot find '%s': %m",
                            device->config->interface);
        if (r == 0)
                report_condition(device, &(struct device_condition) { .state = STATE_MOVED });

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
                r = open_link(device);
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

        sd_event_source_unref(device->timer);
        sd_event_source_unref(device->events);
        monitor_close(device->monitor);
        netlink_close(device->netlink);
        close_fdp(&device->fd);
        free(device);
        return NULL;
}

static int set_addresses(struct device *device)
{
        return device_addresses_set(&device->addresses, device->netlink, device->link.index, device->config);
}

static int configure_addresses(struct device *device)
{
        int r;

        r = device_addresses_check_ipv6(device->config, device->link.has_ipv6, device->journal);
        if (r != 0)
                return r;

        /* In this order: the kernel removes the route to an IPv6 peer when the link comes up. */
        r = link_set_up(device->netlink, device->link.index);
        if (r < 0)
                return fail(device->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot set '%s' up: %m",
                            device->link.name);

        r = set_addresses(device);
        if (r < 0)
                return fail(device->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r,
                            "Cannot set the addresses of '%s': %m", device->link.name);

        return 0;
}

/* A check that is due already is not put off, so that endless events do not prevent it. */
static int schedule_check(struct device *device)
{
        int enabled, r;

        if (!device->timer)
                return 0;

        r = sd_event_source_get_enabled(device->timer, &enabled);
        if (r < 0 || enabled != SD_EVENT_OFF)
                return r < 0 ? r : 0;

        r = sd_event_source_set_time_relative(device->timer, CHECK_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(device->timer, SD_EVENT_ONESHOT);
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

        /* A reload finds a device that was moved back; the start has just found it. */
        r = device->timer ? open_link(device) : 0;
        if (r != 0 || !device->here)
                return r;

        r = link_set_limits(device->netlink, device->link.index, config->mtu, config->queue_length);
        if (r >= 0)
                r = link_get(device->netlink, device->link.index, NULL, &device->link);
        if (r == -ENODEV)
                return open_link(device);
        if (r < 0)
                return fail(device->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r,
                            "Cannot set the MTU and the queue length of '%s': %m", device->link.name);

        device->may_have_moved = true; /* from now on */
        r = config->configure ? configure_addresses(device) : 0;
        if (r != 0)
                return r;

        r = schedule_check(device);
        if (r < 0)
                return fail(device->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot set a timer: %m");

        return 0;
}

/* Not all of the link has events: the kernel sends none when IPv6 is switched off. */
static void find_condition(struct device *device, struct device_condition *ret_condition)
{
        struct link_info link;

        if (device->here && link_get(device->netlink, device->link.index, NULL, &link) == 0) {
                device->link.up = link.up;
                device->link.has_ipv6 = link.has_ipv6;
        }
        device_condition_find(ret_condition, device->netlink, device->config, &device->link, device->here);
}

/* Without Configure=, what was there when it started is nothing to report. */
static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        struct device *device = userdata;
        struct device_condition condition;

        (void) source;
        (void) usec;
        find_condition(device, &condition);
        if (!device->checked && !device->config->configure)
                device->condition = condition;
        else if (!device_condition_equal(&condition, &device->condition))
                report_condition(device, &condition);

        device->checked = true;
        device->on_change(device->userdata, DEVICE_CHECKED);
        return 0;
}

/* The kernel removes the IPv6 addresses of a link that is set down; they come back with the link. */
static void restore_addresses(struct device *device)
{
        int r;

        if (!device->config->configure)
                return;

        r = set_addresses(device);
        if (r < 0)
                journal_send(device->journal, MESSAGE_SYSTEM_FAILED, NULL, r,
                             "Cannot set the addresses of '%s' again, ignoring: %m", device->link.name);
}

/* Updates what is known of the link. What has its index or name here may be another interface by now. */
static int follow_link(struct device *device, const struct monitor_changes *changes)
{
        char name[IFNAMSIZ];
        bool was_here = device->here;
        int r;

        memcpy(name, device->link.name, sizeof(name));
        r = !was_here || changes->lost || is_here(device) <= 0 ? find_link(device) : 0;
        if (r < 0 && r != -ENODEV)
                return r;
        if (was_here && device->here && changes->link_changed && !changes->lost)
                device->link = changes->link;
        if (device->here && strcmp(device->link.name, name) != 0)
                journal_send(device->journal, MESSAGE_RENAMED, NULL, 0,
                             "'%s' was renamed to '%s', and continues under that name", name,
                             device->link.name);
        return 0;
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

        r = follow_link(device, &changes);
        if (r < 0)
                return r;
        if (device->here && device->link.up && (changes.came_up || changes.lost))
                restore_addresses(device);

        r = schedule_check(device);
        if (r < 0)
                return r;

        device->on_change(device->userdata, DEVICE_CHANGED);
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

        r = sd_event_add_time_relative(event, &device->timer, CLOCK_MONOTONIC, CHECK_USEC, 0, on_timer,
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
 * device_link() - return the link of the device, as it was when it was last in this network namespace
 * @device: the device
 */
const struct link_info *device_link(const struct device *device)
{
        return &device->link;
}

/**
 * device_mtu() - find out the MTU of the device in bytes
 * @device: the device; in a network namespace that cannot be opened it is the last one that is known
 */
unsigned device_mtu(struct device *device)
{
        _cleanup_(close_fdp) int namespace = -1;
        struct link_info link;
        char name[IFNAMSIZ];

        if (!device->here && tun_namespace(device->fd, &namespace) == 0 && tun_name(device->fd, name) == 0 &&
            link_get_in(device->netlink, namespace, name, &link) == 0)
                device->link.mtu = link.mtu;

        return device->link.mtu;
}

/**
 * device_condition() - return the condition of the device that was reported
 * @device: the device
 */
const struct device_condition *device_condition(const struct device *device)
{
        return &device->condition;
}

/**
 * device_find_state() - ask the kernel for the state of the device now
 * @device: the device
 */
enum state device_find_state(struct device *device)
{
        struct device_condition condition;

        find_condition(device, &condition);
        return condition.state;
}

/**
 * device_is_pinged() - find out whether a ping to an address is routed into the device
 * @device: the device; in another network namespace it is as far as is known
 * @address: the address
 */
bool device_is_pinged(struct device *device, const struct address *address)
{
        struct route route;

        return !device->here || routing_is_into(device->netlink, device->link.index, address, &route);
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

        return device_addresses_are_local(&device->addresses, device->netlink);
}
