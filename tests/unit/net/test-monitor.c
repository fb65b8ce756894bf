/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the monitor reports of an interface. */

#include "net/monitor.h"

#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "netns.h"

struct watch {
        struct netns netns;
        struct monitor *monitor;
};

static bool watch_open(struct watch *watch)
{
        return netns_open(&watch->netns) && monitor_open(&watch->monitor) == 0;
}

static struct monitor_changes read_changes(const struct watch *watch)
{
        struct monitor_changes changes;

        if (monitor_read(watch->monitor, watch->netns.index, &changes) < 0)
                abort();

        return changes;
}

static bool is_readable(const struct watch *watch)
{
        struct pollfd fd = { .fd = monitor_fd(watch->monitor), .events = POLLIN };

        return poll(&fd, 1, 0) == 1;
}

/* The kernel finishes some of its own changes of a new link a moment later. */
static bool become_quiet(const struct watch *watch)
{
        struct pollfd fd = { .fd = monitor_fd(watch->monitor), .events = POLLIN };

        for (int i = 0; i < 50; i++) {
                (void) read_changes(watch);
                if (poll(&fd, 1, 200) == 0)
                        return true;
        }

        return false;
}

/* The kernel reports a new IPv6 address a moment later. */
static bool wait_for_address(const struct watch *watch)
{
        struct pollfd fd = { .fd = monitor_fd(watch->monitor), .events = POLLIN };

        while (poll(&fd, 1, 5000) == 1)
                if (read_changes(watch).addresses_changed)
                        return true;

        return false;
}

static const char *links(void)
{
        struct monitor_changes changes;
        struct watch watch;
        int other;

        CHECK(watch_open(&watch) && become_quiet(&watch));
        changes = read_changes(&watch);
        CHECK(!changes.link_changed && !changes.routes_changed && !changes.addresses_changed);
        CHECK(!changes.lost);

        CHECK(ip("link set tun0 mtu 9000") && is_readable(&watch));
        changes = read_changes(&watch);
        CHECK(changes.link_changed && changes.link.mtu == 9000 && changes.link.up && !changes.came_up);
        CHECK(changes.link.has_ipv6 && changes.link.index == watch.netns.index);

        CHECK(ip("link set tun0 down"));
        changes = read_changes(&watch);
        CHECK(changes.link_changed && !changes.link.up && !changes.came_up && changes.routes_changed);
        CHECK(ip("link set tun0 name foo0"));
        changes = read_changes(&watch);
        CHECK(changes.link_changed && strcmp(changes.link.name, "foo0") == 0 && !changes.came_up);
        CHECK(ip("link set foo0 up"));
        changes = read_changes(&watch);
        CHECK(changes.link_changed && changes.link.up && changes.came_up && changes.routes_changed);
        CHECK(ip("link set foo0 down") && ip("link set foo0 up"));
        CHECK(read_changes(&watch).came_up);
        CHECK(ip("link set foo0 down") && ip("link set foo0 up") && ip("link set foo0 down"));
        CHECK(!read_changes(&watch).came_up);

        CHECK(become_quiet(&watch) && netns_add_tun("tun1", &other) && ip("link set tun1 up"));
        changes = read_changes(&watch);
        CHECK(!changes.link_changed && !changes.removed && !changes.addresses_changed);
        return NULL;
}

static const char *removed(void)
{
        struct monitor_changes changes;
        struct watch watch;
        pid_t child;
        int pair[2], ready[2];

        CHECK(watch_open(&watch) && ip("link set tun0 mtu 1400") && ip("link del tun0"));
        changes = read_changes(&watch);
        CHECK(changes.removed && !changes.link_changed && !changes.came_up && !changes.lost);

        /* To another network namespace. */
        CHECK(netns_add_tun("tun0", &watch.netns.tun_fd));
        watch.netns.index = if_nametoindex("tun0");
        CHECK(!read_changes(&watch).removed);
        CHECK(pipe(pair) == 0 && pipe(ready) == 0);
        child = fork();
        CHECK(child >= 0);
        if (child == 0) {
                char byte = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';

                close(pair[1]);
                if (write(ready[1], &byte, 1) == 1)
                        (void) !read(pair[0], &byte, 1);
                _exit(0);
        }
        {
                char byte = 'n';

                CHECK(read(ready[0], &byte, 1) == 1 && byte == 'y');
        }
        CHECK(ip("link set tun0 netns %d", (int) child));
        close(pair[1]);
        CHECK(waitpid(child, NULL, 0) == child);
        CHECK(read_changes(&watch).removed);
        return NULL;
}

static const char *addresses(void)
{
        struct monitor_changes changes;
        struct watch watch;
        int other;

        CHECK(watch_open(&watch) && netns_add_tun("tun1", &other) && become_quiet(&watch));
        CHECK(ip("addr add 10.1.0.1/24 dev tun1"));
        changes = read_changes(&watch);
        CHECK(!changes.addresses_changed && changes.routes_changed);

        CHECK(ip("addr add 10.50.0.1/24 dev tun0"));
        CHECK(read_changes(&watch).addresses_changed);
        CHECK(ip("addr del 10.50.0.1/24 dev tun0"));
        changes = read_changes(&watch);
        CHECK(changes.addresses_changed && changes.routes_changed && !changes.link_changed);
        CHECK(ip("addr add 2001:db8::1/64 nodad dev tun0") && wait_for_address(&watch));
        CHECK(ip("addr del 2001:db8::1/64 dev tun0") && wait_for_address(&watch));
        return NULL;
}

static const char *routes(void)
{
        static const char *const changing[] = {
                "route add 203.0.113.0/24 dev tun0",
                "route del 203.0.113.0/24",
                "-6 route add 2001:db8::/48 dev lo",
                "-6 route del 2001:db8::/48",
                "route add blackhole 203.0.113.0/24",
                "rule add from 192.0.2.1 prohibit",
                "rule del from 192.0.2.1 prohibit",
                "-6 rule add from 2001:db8::1 prohibit",
        };
        struct watch watch;

        CHECK(watch_open(&watch) && become_quiet(&watch));
        for (size_t i = 0; i < ARRAY_SIZE(changing); i++) {
                struct monitor_changes changes;

                CHECK(ip("%s", changing[i]));
                changes = read_changes(&watch);
                CHECK(changes.routes_changed && !changes.link_changed && !changes.addresses_changed);
        }
        return NULL;
}

static bool set_buffer(const struct watch *watch, int size)
{
        return setsockopt(monitor_fd(watch->monitor), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) == 0;
}

/* Changes another link until the queue of events is full; the kernel queues none then until all are read. */
static bool storm(const struct watch *watch, unsigned index)
{
        /* The kernel's minimum. */
        if (!set_buffer(watch, 0))
                return false;

        for (unsigned i = 0; i < 200; i++)
                if (link_set_limits(watch->netns.netlink, index, 1400 + i % 2, 500) < 0)
                        return false;

        return set_buffer(watch, 200000);
}

static const char *lost(void)
{
        struct monitor_changes changes;
        struct watch watch;
        unsigned index;
        int other;

        CHECK(watch_open(&watch) && netns_add_tun("tun1", &other) && become_quiet(&watch));
        index = if_nametoindex("tun1");
        CHECK(storm(&watch, index));
        /* In the gap. */
        CHECK(ip("link set tun0 down") && ip("link set tun0 mtu 9000"));
        changes = read_changes(&watch);
        CHECK(changes.lost);
        changes = read_changes(&watch);
        CHECK(!changes.lost && !changes.link_changed);

        /* Every further event counts, and that the link was down is not lost. */
        CHECK(ip("link set tun0 up"));
        changes = read_changes(&watch);
        CHECK(changes.link_changed && changes.came_up && changes.link.mtu == 9000);
        CHECK(ip("link set tun0 mtu 1300"));
        changes = read_changes(&watch);
        CHECK(changes.link_changed && changes.link.mtu == 1300 && !changes.came_up);

        for (int i = 0; i < 3; i++) {
                CHECK(storm(&watch, index));
                CHECK(read_changes(&watch).lost);
                CHECK(ip("link set tun0 mtu %d", 1400 + i));
                changes = read_changes(&watch);
                CHECK(!changes.lost && changes.link_changed && changes.link.mtu == 1400U + (unsigned) i);
        }
        return NULL;
}

int main(void)
{
        static const struct netns_case cases[] = {
                { "links", links, false },
                { "removed", removed, false },
                { "addresses", addresses, false },
                { "routes", routes, false },
                { "lost", lost, false },
        };

        return netns_run(cases, ARRAY_SIZE(cases));
}
