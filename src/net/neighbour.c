/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Neighbour entries: what ARP and neighbour discovery know of the next hop of a packet. */

#include "net/neighbour.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "net/netlink-message.h"

static int on_neighbour(const struct nlmsghdr *message, void *userdata)
{
        const struct ndmsg *header = mnl_nlmsg_get_payload(message);

        *(uint16_t *) userdata = header->ndm_state;
        return MNL_CB_OK;
}

/**
 * neighbour_get() - read the state of a neighbour entry
 * @netlink: the socket
 * @index: the interface
 * @address: of the neighbour
 * @ret_state: set to the state, NUD_REACHABLE and the like of linux/neighbour.h
 *
 * Return: 0, -ENOENT if there is no entry, -ENODEV if there is no such interface, or another negative errno.
 */
int neighbour_get(struct netlink *netlink, unsigned index, const struct address *address, uint16_t *ret_state)
{
        struct nlmsghdr *request;
        struct ndmsg *header;
        NETLINK_BUFFER(buffer);
        uint16_t state = NUD_NONE;
        int r;

        request = netlink_request(buffer, RTM_GETNEIGH, NLM_F_ACK);
        header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
        header->ndm_family = (uint8_t) address->family;
        header->ndm_ifindex = (int) index;
        mnl_attr_put(request, NDA_DST, address_size(address->family), address->bytes);

        r = netlink_send(netlink, request, on_neighbour, &state);
        if (r < 0)
                return r;

        *ret_state = state;
        return 0;
}
