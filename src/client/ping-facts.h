/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "client/ping-cause.h"
#include "client/ping-decide.h"
#include "client/ping-probe.h"
#include "net/link.h"
#include "net/qdisc.h"

struct netlink;

/* What the kernel answers about the path of a ping, without one that is sent. */
struct ping_kernel {
        struct link_info link; /* of the device */
        struct address source; /* of the requests; AF_UNSPEC: unknown */
        char out[IFNAMSIZ];    /* where the requests are routed to; "" if they are not */
        bool has_qdisc;        /* it could be read */
        struct qdisc qdisc;
};

void ping_facts_read(struct ping_facts *facts, struct ping_kernel *ret_kernel, struct netlink *netlink,
                     const char *interface, const struct ping_request *request);
