/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The states of neighbour entries, and of what has none. */

#include "net/neighbour.h"

#include <errno.h>
#include <linux/neighbour.h>

#include "netns.h"

static const struct {
        const char *address, *name;
        uint16_t state;
} entries[] = {
        { "192.0.2.1", "permanent", NUD_PERMANENT },
        { "192.0.2.2", "stale", NUD_STALE },
        { "192.0.2.3", "noarp", NUD_NOARP },
        { "2001:db8::1", "permanent", NUD_PERMANENT },
        { "2001:db8::2", "stale", NUD_STALE },
};

static const char *states(void)
{
        struct address address;
        struct netns netns;
        unsigned index;
        uint16_t state;

        CHECK(netns_open(&netns) && ip("link add name a type veth peer name b") && ip("link set dev a up"));
        index = if_nametoindex("a");
        for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
                CHECK(address_parse(&address, entries[i].address) == 0);
                CHECK(neighbour_get(netns.netlink, index, &address, &state) == -ENOENT);
                CHECK(ip("neighbour add %s lladdr 02:00:00:00:00:01 dev a nud %s", entries[i].address,
                         entries[i].name));
                CHECK(neighbour_get(netns.netlink, index, &address, &state) == 0);
                CHECK(state == entries[i].state);
                CHECK(neighbour_get(netns.netlink, netns.index, &address, &state) == -ENOENT);
                CHECK(neighbour_get(netns.netlink, 9999, &address, &state) == -ENODEV);
        }
        return NULL;
}

int main(void)
{
        static const struct netns_case cases[] = {
                { "states", states, false },
        };

        return netns_run(cases, ARRAY_SIZE(cases));
}
