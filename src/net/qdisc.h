/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

struct netlink;

/* The queueing discipline at the root of an interface. */
struct qdisc {
        char kind[16];   /* such as "tbf" */
        uint32_t drops;  /* packets, since it was added */
        uint32_t queued; /* packets that wait in it now */
};

int qdisc_get(struct netlink *netlink, unsigned index, struct qdisc *ret_qdisc);
