/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The part of the daemon that makes the device, or takes it over, and configures it; with its messages. */

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "daemon/daemon-private.h"
#include "net/route.h"
#include "net/tun.h"
#include "common/util.h"

static int adopt_by_name(int fd, const char *interface)
{
        char name[IFNAMSIZ];
        int r;

        r = tun_adopt(fd);
        if (r < 0)
                return r;

        r = tun_name(fd, name);
        if (r < 0)
                return r;

        return strcmp(name, interface) == 0 ? 0 : -EINVAL;
}

/* The manager passes in what it kept for us: the device, if the run before had one. */
static bool on_descriptor(void *userdata, int fd, const char *name)
{
        struct daemon *daemon = userdata;
        const char *interface = daemon->config->interface;
        int r = -EINVAL;

        if (daemon->tun_fd < 0 && strcmp(name, SERVICE_FDNAME) == 0)
                r = adopt_by_name(fd, interface);
        if (r == 0) {
                daemon->tun_fd = fd;
                daemon->may_have_moved = true;
                journal_send(daemon->journal, MESSAGE_TAKEN_OVER, NULL, 0,
                             "'%s' is taken over from the run before, with all that is queued in it",
                             interface);
                return true;
        }

        if (r == -ENODEV)
                journal_send(daemon->journal, MESSAGE_DESCRIPTOR_CLOSED, NULL, r,
                             "The device of the run before is gone, '%s' is made anew", interface);
        else
                journal_send(daemon->journal, MESSAGE_DESCRIPTOR_CLOSED, NULL, r,
                             "Closing the descriptor '%s' that was passed in: it is not the device '%s'",
                             name, interface);
        return false;
}

static int make_device(struct daemon *daemon)
{
        const char *name = daemon->config->interface;
        _cleanup_(close_fdp) int fd = -1;
        pid_t holder;
        int r;

        r = tun_open(&fd);
        if (r == -EACCES || r == -EPERM)
                return fail(daemon, EX_UNAVAILABLE, MESSAGE_DEVICE_FAILED, r,
                            "Cannot open /dev/net/tun: %m; this user must be able to read and write it, as "
                            "with mode 0666");
        if (r == -ENOENT || r == -ENODEV || r == -ENXIO)
                return fail(daemon, EX_UNAVAILABLE, MESSAGE_DEVICE_FAILED, r,
                            "Cannot open /dev/net/tun: %m; is the kernel's module tun there?");
        if (r < 0)
                return fail(daemon, EX_UNAVAILABLE, MESSAGE_DEVICE_FAILED, r,
                            "Cannot open /dev/net/tun: %m");

        r = tun_attach_wait(fd, name, &holder);
        if (r == -EBUSY)
                return fail(daemon, EX_UNAVAILABLE, MESSAGE_DEVICE_FAILED, r,
                            "Cannot attach to '%s': another process holds this device", name);
        if (r == -EINVAL)
                return fail(daemon, EX_UNAVAILABLE, MESSAGE_DEVICE_FAILED, r,
                            "Cannot attach to '%s': an interface of this name exists, and is no TUN device "
                            "with one queue",
                            name);
        if (r == -EPERM)
                return fail(
                        daemon, EX_NOPERM, MESSAGE_PRIVILEGES, r,
                        "Not allowed to make '%s': CAP_NET_ADMIN is needed in the namespace of the network",
                        name);
        if (r < 0)
                return fail(daemon, EX_UNAVAILABLE, MESSAGE_DEVICE_FAILED, r, "Cannot make '%s': %m", name);

        daemon->tun_fd = steal_fd(&fd);
        return 0;
}

/* The loop that moves packets wants reads that do not wait. */
static int set_nonblocking(struct daemon *daemon)
{
        int flags = fcntl(daemon->tun_fd, F_GETFL);

        if (flags < 0 || fcntl(daemon->tun_fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return fail(daemon, EX_OSERR, MESSAGE_SYSTEM_FAILED, -errno, "Cannot set O_NONBLOCK: %m");

        return 0;
}

/**
 * daemon_open_device() - take the device over, or make it
 * @daemon: the daemon
 *
 * The manager keeps it from then on, so that nothing that fails later takes it along.
 *
 * Return: 0, or the status to exit with.
 */
int daemon_open_device(struct daemon *daemon)
{
        int r;

        r = service_take_descriptors(on_descriptor, daemon);
        if (r < 0)
                return fail(daemon, EX_OSERR, MESSAGE_SYSTEM_FAILED, r,
                            "Cannot take the descriptors that were passed in: %m");
        if (daemon->tun_fd >= 0 && r == 0)
                return set_nonblocking(daemon);

        /* What was removed by its name may have taken the device out of the store, too. */
        if (daemon->tun_fd < 0) {
                r = make_device(daemon);
                if (r != 0)
                        return r;
        }

        r = service_store(daemon->tun_fd);
        if (r < 0)
                journal_send(daemon->journal, MESSAGE_STORE_FAILED, NULL, r,
                             "Cannot have '%s' kept, a restart will make it anew: %m",
                             daemon->config->interface);

        return set_nonblocking(daemon);
}

/* Returns how many there are: as many as the settings have. */
static size_t link_addresses(const struct config *config, struct link_address addresses[CONFIG_MAX_ADDRESSES])
{
        for (size_t i = 0; i < config->n_addresses; i++) {
                const struct prefix *prefix = &config->addresses[i].prefix;
                const struct address *peer = config_point_to_point(config, &config->addresses[i]);

                addresses[i] = (struct link_address) {
                        .prefix_length = prefix->length,
                        .local = prefix->address,
                        .remote = peer ? *peer : prefix->address,
                };
        }

        return config->n_addresses;
}

/**
 * daemon_set_addresses() - give the device the addresses of the settings
 * @daemon: the daemon
 *
 * Return: 0, or a negative errno of link_addresses_set().
 */
int daemon_set_addresses(struct daemon *daemon)
{
        struct link_address addresses[CONFIG_MAX_ADDRESSES];
        size_t n = link_addresses(daemon->config, addresses);
        int r;

        r = link_addresses_set(daemon->netlink, daemon->index, addresses, n, daemon->owned, daemon->n_owned);
        if (r < 0)
                return r;

        memcpy(daemon->owned, addresses, n * sizeof(*addresses));
        daemon->n_owned = n;
        return 0;
}

/* As a user who pings has it: rules may lead the packets of this process elsewhere. */
static bool is_routed(struct daemon *daemon, const struct address *address, bool local)
{
        static const uid_t root;
        const struct route_query query = { .destination = *address, .uid = &root };
        struct route route;

        if (route_get(daemon->netlink, &query, &route) < 0 || route.error < 0)
                return false;

        return local ? route.type == RTN_LOCAL : route.oif == daemon->index;
}

static const struct address *find_unrouted(struct daemon *daemon)
{
        const struct config *config = daemon->config;
        const struct address *peers[] = { &config->peer_ipv4, &config->peer_ipv6 };

        for (size_t i = 0; i < config->n_addresses; i++)
                if (!is_routed(daemon, &config->addresses[i].prefix.address, true))
                        return &config->addresses[i].prefix.address;

        for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
                if (peers[i]->family != AF_UNSPEC && !is_routed(daemon, peers[i], false))
                        return peers[i];

        return NULL;
}

/* The kernel adds the routes of an IPv6 address a moment after the address; waits for milliseconds. */
static int wait_routed(struct daemon *daemon, unsigned patience, struct address *reterr_address)
{
        static const struct timespec pause = { .tv_nsec = 1000000 };
        const struct address *unrouted;

        for (unsigned i = 0;; i++) {
                unrouted = find_unrouted(daemon);
                if (!unrouted)
                        return 0;
                if (i == patience)
                        break;

                (void) nanosleep(&pause, NULL);
        }

        *reterr_address = *unrouted;
        return -EHOSTUNREACH;
}

static int restore_peers(struct daemon *daemon)
{
        for (size_t i = 0; i < daemon->n_owned; i++) {
                const struct link_address *address = &daemon->owned[i];
                int r;

                if (address_equal(&address->local, &address->remote))
                        continue;

                r = route_add_peer(daemon->netlink, daemon->index, &address->local, &address->remote);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int configure_addresses(struct daemon *daemon, unsigned patience)
{
        struct config *config = daemon->config;
        struct address unrouted;
        char text[PREFIX_TEXT_SIZE];
        struct link_info info;
        int r;

        r = link_get(daemon->netlink, daemon->index, NULL, &info);
        if (r < 0)
                return fail(daemon, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot ask '%s' for IPv6: %m",
                            config->interface);
        if (!info.has_ipv6 && config_has_ipv6(config)) {
                if (!config->default_addresses)
                        return fail(
                                daemon, EX_CONFIG, MESSAGE_SETTINGS_WRONG, 0,
                                "'%s' is to have an IPv6 address, but IPv6 is switched off on this machine",
                                config->interface);

                journal_send(daemon->journal, MESSAGE_IPV6_OFF, NULL, 0,
                             "IPv6 is switched off on this machine, '%s' has IPv4 alone", config->interface);
                config_drop_ipv6(config);
        }

        /* In this order: the kernel forgets the route to an IPv6 peer when the link comes up. */
        r = link_set_up(daemon->netlink, daemon->index);
        if (r < 0)
                return fail(daemon, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot set '%s' up: %m",
                            config->interface);

        r = daemon_set_addresses(daemon);
        if (r >= 0)
                r = restore_peers(daemon);
        if (r < 0)
                return fail(daemon, EX_OSERR, MESSAGE_SYSTEM_FAILED, r,
                            "Cannot set the addresses of '%s': %m", config->interface);

        r = wait_routed(daemon, patience, &unrouted);
        if (r < 0)
                journal_send(daemon->journal, MESSAGE_NOT_ROUTED, NULL, r,
                             "%s is not routed as the settings of '%s' say: a route or a rule of this "
                             "machine leads elsewhere",
                             address_text(text, &unrouted), config->interface);

        return 0;
}

static int tell_elsewhere(const struct daemon *daemon)
{
        journal_send(daemon->journal, MESSAGE_NOT_ROUTED, NULL, -ENODEV,
                     "'%s' is not in this network namespace, its addresses and limits stay as they are",
                     daemon->config->interface);
        return 0;
}

static int tell_not_found(const struct daemon *daemon, int error)
{
        return fail(daemon, EX_OSERR, MESSAGE_SYSTEM_FAILED, error, "Cannot find '%s': %m",
                    daemon->config->interface);
}

/**
 * daemon_is_here() - tell whether what has the name and the number of the device here is the device
 * @daemon: the daemon
 *
 * Return: 1 if it is, 0 if the device is elsewhere, or gone; or a negative errno.
 */
int daemon_is_here(const struct daemon *daemon)
{
        return daemon->may_have_moved ? tun_is_here(daemon->tun_fd) : 1;
}

/**
 * daemon_find_link() - find the device in the network stack
 * @daemon: the daemon
 *
 * A device that was taken over may be in another network namespace by now. It answers there, and stays as it
 * is.
 *
 * Return: 0, or the status to exit with.
 */
int daemon_find_link(struct daemon *daemon)
{
        struct link_info info;
        int r;

        r = daemon_is_here(daemon);
        if (r < 0)
                return tell_not_found(daemon, r);
        if (r == 0)
                return tell_elsewhere(daemon);

        r = netlink_open(&daemon->netlink);
        if (r < 0)
                return tell_not_found(daemon, r);

        r = link_get(daemon->netlink, 0, daemon->config->interface, &info);
        if (r == -ENODEV)
                return tell_elsewhere(daemon);
        if (r < 0)
                return tell_not_found(daemon, r);

        daemon->index = info.index;
        daemon->packet_max = info.mtu;
        if (daemon->packet_max < daemon->config->mtu)
                daemon->packet_max = daemon->config->mtu;
        return 0;
}

/**
 * daemon_configure_link() - make the device what the settings say
 * @daemon: the daemon; its settings lose IPv6 where the machine has none and nobody asked for it
 * @patience: how long to wait for the kernel's routes, in milliseconds
 *
 * Return: 0, or the status to exit with.
 */
int daemon_configure_link(struct daemon *daemon, unsigned patience)
{
        struct config *config = daemon->config;
        int r;

        if (daemon->index == 0)
                return 0;

        r = daemon_is_here(daemon);
        if (r < 0)
                return tell_not_found(daemon, r);
        if (r == 0)
                return tell_elsewhere(daemon);
        daemon->may_have_moved = true; /* the next time */

        r = link_set_limits(daemon->netlink, daemon->index, config->mtu, config->queue_length);
        if (r == -ENODEV)
                return tell_elsewhere(daemon);
        if (r < 0)
                return fail(daemon, EX_OSERR, MESSAGE_SYSTEM_FAILED, r,
                            "Cannot set the MTU and the queue length of '%s': %m", config->interface);

        daemon->mtu = config->mtu;

        return config->configure ? configure_addresses(daemon, patience) : 0;
}
