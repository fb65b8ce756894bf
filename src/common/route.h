/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "common/address.h"

/* How the kernel routes a packet, as RTM_GETROUTE answers. */
struct route {
        int error;              /* 0, or why there is no route: see route_get() */
        uint8_t type;           /* RTN_UNICAST, RTN_LOCAL and the like */
        unsigned oif;           /* the interface that it leads to; 0: none */
        struct address gateway; /* AF_UNSPEC: none */
        struct address source;  /* that the kernel chooses for a packet of this host; AF_UNSPEC: unknown */
};
