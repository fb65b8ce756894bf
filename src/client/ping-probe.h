/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/address.h"

#define PING_COUNT_MAX 65535U /* sequence numbers */
#define PING_SIZE_MAX  65507U /* bytes of data that a packet of IPv4 has */

struct ping_probe;

/* The pings of a probe. */
struct ping_request {
        struct address destination;
        struct address source; /* AF_UNSPEC: the kernel chooses one */
        unsigned scope;        /* the interface of a link-local destination */
        unsigned size;         /* of the data, in bytes */
        uint32_t mark;         /* 0: none */
        bool dont_fragment;
};

/* What the socket of the pings says of them. */
struct ping_probe_result {
        unsigned attempts;
        unsigned sent;        /* of them; the kernel refused the rest */
        int refused_error;    /* the last errno of those, positive; or 0 */
        unsigned received;    /* replies that are right */
        unsigned corrupt;     /* replies with other data than their requests */
        unsigned dropped;     /* replies that did not fit the buffer of the socket */
        uint64_t median_usec; /* of the round trip */

        /* Errors about requests that were sent: how many, and the last one. */
        unsigned errors;
        int error;               /* positive errno, or 0 */
        bool is_local;           /* of this host, without an ICMP message */
        struct address reporter; /* whose ICMP message it is */
        uint8_t type, code;
        unsigned mtu; /* in bytes: that the packet had to fit; with EMSGSIZE */
};

int ping_probe_open(struct ping_probe **ret_probe, const struct ping_request *request);
struct ping_probe *ping_probe_free(struct ping_probe *probe);
void ping_probe_freep(struct ping_probe **probe);

void ping_probe_send(struct ping_probe *probe);
int ping_probe_receive(struct ping_probe *probe, uint64_t until_usec);
unsigned ping_probe_missing(const struct ping_probe *probe);
const struct ping_probe_result *ping_probe_result(struct ping_probe *probe);
