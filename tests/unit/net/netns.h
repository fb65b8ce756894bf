/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Tests that are root in a network namespace of their own, in which no assertion of cmocka may be. */

#include <net/if.h>

#include "net/netlink.h"
#include "unit.h"

/* Returns the line that is not so. */
#define CHECK(condition)                                         \
        do {                                                     \
                if (!(condition))                                \
                        return __FILE__ ": not so: " #condition; \
        } while (0)

struct netns_case {
        const char *name;
        child_function function;
        bool as_root; /* not only of a user namespace */
};

/* A TUN device in the namespace, and the socket for requests about it. */
struct netns {
        struct netlink *netlink;
        int tun_fd;
        unsigned index;
};

bool netns_open(struct netns *ret_netns);
bool netns_open_as_root(struct netns *ret_netns);
bool netns_add_tun(const char *name, int *ret_fd);
bool ip(const char *arguments, ...) __attribute__((__format__(__printf__, 1, 2)));
bool ip_shows(const char *arguments, const char *text);
bool ip_shows_soon(const char *arguments, const char *text);
bool sysctl_set(const char *path, const char *value);
bool sysctl_is(const char *path, const char *value);

int netns_run(const struct netns_case *cases, size_t n);
