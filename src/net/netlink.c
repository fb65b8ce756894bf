/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The transport of rtnetlink(7) requests: a socket on which one request at a time is sent and answered.
 *
 * net/ is the kernel's side of the device: the TUN driver, the link, its addresses, routes to and from it,
 * and events. It knows no configuration, logs nothing and has no event loop; its users get descriptors to
 * watch and functions to call.
 */

#include "net/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/util.h"
#include "net/netlink-message.h"

/* How often a dump is repeated that changes interrupt. */
#define DUMPS_MAX 100

struct netlink {
        struct mnl_socket *socket;
        unsigned sequence;
};

/**
 * netlink_open() - open a socket for requests to the network stack
 * @ret_netlink: set to the socket; netlink_close() frees it
 *
 * It stays in the network namespace in which it was opened.
 *
 * Return: 0, or a negative errno of socket(2).
 */
int netlink_open(struct netlink **ret_netlink)
{
        _cleanup_(netlink_closep) struct netlink *netlink = NULL;

        netlink = calloc(1, sizeof(*netlink));
        if (!netlink)
                return -ENOMEM;

        netlink->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
        if (!netlink->socket)
                return -errno;

        if (mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) < 0)
                return -errno;

        /* So that a dump can be of one interface. Kernels before 4.20 dump all of them. */
        (void) mnl_socket_setsockopt(netlink->socket, NETLINK_GET_STRICT_CHK, &(int) { 1 }, sizeof(int));

        *ret_netlink = netlink;
        netlink = NULL;
        return 0;
}

/**
 * netlink_close() - close the socket
 * @netlink: what netlink_open() opened, or NULL
 *
 * Return: NULL.
 */
struct netlink *netlink_close(struct netlink *netlink)
{
        if (netlink && netlink->socket)
                mnl_socket_close(netlink->socket);
        free(netlink);
        return NULL;
}

/* For the cleanup attribute. */
void netlink_closep(struct netlink **netlink)
{
        *netlink = netlink_close(*netlink);
}

/**
 * netlink_request() - start a request
 * @buffer: a NETLINK_BUFFER()
 * @type: RTM_GETLINK and the like
 * @flags: NLM_F_ACK and the like, besides NLM_F_REQUEST
 *
 * Return: the header of the request, which is in @buffer.
 */
struct nlmsghdr *netlink_request(char *buffer, int type, int flags)
{
        struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

        request->nlmsg_type = (uint16_t) type;
        request->nlmsg_flags = (uint16_t) (NLM_F_REQUEST | flags);
        return request;
}

/*
 * Clears the flag of an interrupted dump, at which libmnl would stop and leave the rest of the dump in front
 * of the next answer; and reads the error at the end of a dump, which libmnl ignores. Returns -EINTR, that
 * error, or 0.
 */
static int check_answer(char *answer, size_t size)
{
        struct nlmsghdr *message = (struct nlmsghdr *) answer;
        int left = (int) size, r = 0;

        while (mnl_nlmsg_ok(message, left)) {
                if (message->nlmsg_flags & NLM_F_DUMP_INTR)
                        r = -EINTR;
                message->nlmsg_flags &= (uint16_t) ~NLM_F_DUMP_INTR;

                if (message->nlmsg_type == NLMSG_DONE && mnl_nlmsg_get_payload_len(message) >= sizeof(int)) {
                        int error = *(const int *) mnl_nlmsg_get_payload(message);

                        r = error < 0 ? error : r;
                }
                message = mnl_nlmsg_next(message, &left);
        }

        return r;
}

/**
 * netlink_send() - send a request and read its answer
 * @netlink: the socket
 * @request: the request, with NLM_F_ACK or NLM_F_DUMP; its sequence number is set here
 * @on_message: called for each message of the answer, see mnl_cb_run(); NULL: there is none but the end
 * @userdata: passed to it
 *
 * Reads until the kernel's acknowledgement, its error, or the end of a dump.
 *
 * Return: 0, the kernel's error, another negative errno, or -EINTR after a dump that may be incomplete.
 */
int netlink_send(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t on_message, void *userdata)
{
        alignas(struct nlmsghdr) char answer[NETLINK_ANSWER_SIZE];
        int state, error = 0;

        request->nlmsg_seq = ++netlink->sequence;
        if (TEMP_FAILURE_RETRY(mnl_socket_sendto(netlink->socket, request, request->nlmsg_len)) < 0)
                return -errno;

        do {
                ssize_t size;
                int r;

                size = TEMP_FAILURE_RETRY(mnl_socket_recvfrom(netlink->socket, answer, sizeof(answer)));
                if (size < 0)
                        return -errno;

                /* An answer that an earlier request did not read, because it failed before. */
                if (((const struct nlmsghdr *) answer)->nlmsg_seq != netlink->sequence) {
                        state = MNL_CB_OK;
                        continue;
                }

                r = check_answer(answer, (size_t) size);
                error = r < 0 ? r : error;
                state = mnl_cb_run(answer, (size_t) size, netlink->sequence,
                                   mnl_socket_get_portid(netlink->socket), on_message, userdata);
        } while (state > MNL_CB_STOP);

        return state < 0 ? -errno : error;
}

/**
 * netlink_dump() - send a request for a dump until the answer is complete
 * @netlink: the socket
 * @request: the request, with NLM_F_DUMP
 * @restart: called before each attempt; discards what the one before found
 * @on_message: called for each message, see mnl_cb_run()
 * @userdata: passed to both
 *
 * The kernel marks a dump during which something changed; it may have skipped or repeated entries.
 *
 * Return: 0, -EINTR if changes interrupted every attempt, or another negative errno.
 */
int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, void (*restart)(void *userdata),
                 mnl_cb_t on_message, void *userdata)
{
        int r = -EINTR;

        for (unsigned i = 0; i < DUMPS_MAX && r == -EINTR; i++) {
                restart(userdata);
                r = netlink_send(netlink, request, on_message, userdata);
        }

        return r;
}

static int on_attribute(const struct nlattr *attribute, void *userdata)
{
        struct netlink_attributes *attributes = userdata;

        if (mnl_attr_get_type(attribute) < ARRAY_SIZE(attributes->of))
                attributes->of[mnl_attr_get_type(attribute)] = attribute;

        return MNL_CB_OK;
}

/**
 * netlink_attributes() - find the attributes of a message
 * @message: the message
 * @header_size: the size of the structure in front of them, in bytes
 *
 * Return: the attributes, which are in @message.
 */
struct netlink_attributes netlink_attributes(const struct nlmsghdr *message, size_t header_size)
{
        struct netlink_attributes attributes = { 0 };

        (void) mnl_attr_parse(message, (unsigned) header_size, on_attribute, &attributes);
        return attributes;
}

/**
 * netlink_nested() - find the attributes in an attribute
 * @nest: the outer attribute, or NULL
 *
 * Return: the attributes, which are in @nest; none if that is NULL.
 */
struct netlink_attributes netlink_nested(const struct nlattr *nest)
{
        struct netlink_attributes attributes = { 0 };

        if (nest)
                (void) mnl_attr_parse_nested(nest, on_attribute, &attributes);
        return attributes;
}

/**
 * netlink_u32() - read a number
 * @attribute: the attribute, or NULL
 *
 * Return: the number, or 0 if there is none or its size is wrong.
 */
uint32_t netlink_u32(const struct nlattr *attribute)
{
        if (!attribute || mnl_attr_get_payload_len(attribute) != sizeof(uint32_t))
                return 0;

        return mnl_attr_get_u32(attribute);
}
