/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The queueing discipline of an interface, which holds or drops packets before the device has them. */

#include "net/qdisc.h"

#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "net/netlink-message.h"

/* The root of one interface, in a dump of all. */
struct found {
        int index;
        struct qdisc qdisc;
};

static void restart(void *userdata)
{
        struct found *found = userdata;

        found->qdisc = (struct qdisc) { 0 };
}

static int on_qdisc(const struct nlmsghdr *message, void *userdata)
{
        struct netlink_attributes attributes = netlink_attributes(message, sizeof(struct tcmsg));
        const struct tcmsg *header = mnl_nlmsg_get_payload(message);
        const struct nlattr *kind = attributes.of[TCA_KIND];
        const struct nlattr *queue = netlink_nested(attributes.of[TCA_STATS2]).of[TCA_STATS_QUEUE];
        struct gnet_stats_queue statistics = { 0 };
        struct found *found = userdata;

        if (header->tcm_ifindex != found->index || header->tcm_parent != TC_H_ROOT)
                return MNL_CB_OK;
        if (!kind || mnl_attr_validate(kind, MNL_TYPE_NUL_STRING) < 0 ||
            mnl_attr_get_payload_len(kind) > sizeof(found->qdisc.kind))
                return MNL_CB_OK;
        if (queue && mnl_attr_get_payload_len(queue) >= sizeof(statistics))
                memcpy(&statistics, mnl_attr_get_payload(queue), sizeof(statistics));

        found->qdisc = (struct qdisc) { .drops = statistics.drops, .queued = statistics.qlen };
        strcpy(found->qdisc.kind, mnl_attr_get_str(kind));
        return MNL_CB_OK;
}

/**
 * qdisc_get() - read the statistics of the queueing discipline of an interface
 * @netlink: the socket
 * @index: the interface
 * @ret_qdisc: set to them
 *
 * The kernel has no request for a single one but with a notification for others, so this reads all of them.
 *
 * Return: 0, -ENOENT if the interface has none, -EINTR if changes kept it from being read, or another
 * negative errno.
 */
int qdisc_get(struct netlink *netlink, unsigned index, struct qdisc *ret_qdisc)
{
        struct found found = { .index = (int) index };
        struct nlmsghdr *request;
        NETLINK_BUFFER(buffer);
        int r;

        request = netlink_request(buffer, RTM_GETQDISC, NLM_F_DUMP);
        (void) mnl_nlmsg_put_extra_header(request, sizeof(struct tcmsg));

        r = netlink_dump(netlink, request, restart, on_qdisc, &found);
        if (r < 0)
                return r;
        if (found.qdisc.kind[0] == '\0')
                return -ENOENT;

        *ret_qdisc = found.qdisc;
        return 0;
}
