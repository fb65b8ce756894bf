/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the files of net/ build requests with, and read answers with. No other folder includes it. */

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <stdalign.h>
#include <stdint.h>

#include "net/netlink.h"

#define NETLINK_REQUEST_SIZE 256  /* bytes; the largest request has about 100 */
#define NETLINK_ANSWER_SIZE  8192 /* bytes; the kernel fits the parts of a dump to it */

/* Declares the memory of a request. */
#define NETLINK_BUFFER(name) alignas(struct nlmsghdr) char name[NETLINK_REQUEST_SIZE]

/* The attributes of a message by their type, NULL where there is none. */
struct netlink_attributes {
        const struct nlattr *of[IFLA_AF_SPEC + 1];
};

struct nlmsghdr *netlink_request(char *buffer, int type, int flags);
int netlink_send(struct netlink *netlink, struct nlmsghdr *request, mnl_cb_t on_message, void *userdata);
int netlink_dump(struct netlink *netlink, struct nlmsghdr *request, void (*restart)(void *userdata),
                 mnl_cb_t on_message, void *userdata);

struct netlink_attributes netlink_attributes(const struct nlmsghdr *message, size_t header_size);
struct netlink_attributes netlink_nested(const struct nlattr *nest);
uint32_t netlink_u32(const struct nlattr *attribute);
