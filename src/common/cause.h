/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/route.h"

/* Why the kernel does not pass on the requests or the replies of a ping. */
enum cause {
        CAUSE_NONE,
        CAUSE_ROUTED_ELSEWHERE,
        CAUSE_ROUTED_BACK,
        CAUSE_OWN_ADDRESS,
        CAUSE_NO_SOURCE,
        CAUSE_NO_ROUTE,
        CAUSE_NO_RETURN_ROUTE,
        CAUSE_BLACKHOLE,
        CAUSE_PROHIBIT,
        CAUSE_UNREACHABLE,
        CAUSE_RP_FILTER,
        CAUSE_MARTIAN,
        CAUSE_NOT_FORWARDING,
        CAUSE_TOO_BIG,
        _CAUSE_MAX,
};

/* What the kernel answers about the requests of a ping, or about the replies to them. */
struct cause_answers {
        struct route route;       /* of the packet: with its source, and the interface on which it arrives */
        struct route destination; /* of its destination alone */
        unsigned device;          /* index of the device */
        bool is_reply;
        bool is_forwarded; /* of requests: they arrive on an interface, and are not sent by this host */
        bool source_lost;  /* the client was this host, and its address is none of this host any more */
        bool forwards;     /* this host forwards what arrives on the interface */
        bool rp_filter;    /* it filters there by the reverse path */
        unsigned size;     /* of requests without fragments in bytes, 0: unknown */
        unsigned mtu;      /* of the device in bytes */
};

/* What the texts of a cause name. */
struct cause_names {
        int family;
        const char *source, *destination; /* of the packet */
        const char *device;
        const char *in;  /* the interface on which the packet arrives, "" for none */
        const char *out; /* the one that its route leads to, "" for none */
        const char *detail; /* what only some causes have, see there */
};

enum cause cause_find(const struct cause_answers *answers);
const char *cause_expand(char *text, size_t size, const char *template, const struct cause_names *names);
const char *cause_name(enum cause cause);
const char *cause_text(char *text, size_t size, enum cause cause, const struct cause_names *names);
const char *cause_remedy(char *text, size_t size, enum cause cause, const struct cause_names *names);
