/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The queueing discipline of an interface: its kind, what it drops and what it holds. */

#include "net/qdisc.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "netns.h"

/* Requires no privilege and sends a packet by tun0, which the kernel may drop. */
static bool send_datagram(void)
{
        const struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(9),
                .sin_addr.s_addr = htonl(0xc6120002), /* 198.18.0.2 */
        };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ssize_t size = sendto(fd, "x", 1, 0, (const struct sockaddr *) &address, sizeof(address));

        close(fd);
        return size == 1;
}

static bool set_root(const char *qdisc)
{
        char command[128];

        (void) snprintf(command, sizeof(command), "tc qdisc replace dev tun0 root %s", qdisc);
        return system(command) == 0;
}

static const char *drops(void)
{
        struct netns netns;
        struct qdisc before, after;

        CHECK(netns_open(&netns) && ip("address add 198.18.0.1 peer 198.18.0.2 dev tun0"));
        CHECK(ip("link set tun0 up") && set_root("pfifo limit 0"));
        CHECK(qdisc_get(netns.netlink, netns.index, &before) == 0);
        CHECK(strcmp(before.kind, "pfifo") == 0);
        for (int i = 0; i < 3; i++)
                CHECK(send_datagram());
        CHECK(qdisc_get(netns.netlink, netns.index, &after) == 0);
        CHECK(after.drops >= before.drops + 3 && after.queued == 0);
        CHECK(qdisc_get(netns.netlink, 9999, &after) == -ENOENT);
        return NULL;
}

/* A bucket that never has a token for a packet. */
static const char *holds(void)
{
        struct netns netns;
        struct qdisc qdisc;

        CHECK(netns_open(&netns) && ip("address add 198.18.0.1 peer 198.18.0.2 dev tun0"));
        CHECK(ip("link set tun0 up") && set_root("tbf rate 8bit burst 1000 limit 10000"));
        for (int i = 0; i < 60; i++)
                CHECK(send_datagram());
        CHECK(qdisc_get(netns.netlink, netns.index, &qdisc) == 0);
        CHECK(strcmp(qdisc.kind, "tbf") == 0 && qdisc.queued > 0 && qdisc.drops == 0);
        return NULL;
}

int main(void)
{
        static const struct netns_case cases[] = {
                { "drops", drops, false },
                { "holds", holds, false },
        };

        return netns_run(cases, ARRAY_SIZE(cases));
}
