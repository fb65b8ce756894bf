/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "common/cause.h"

/* Why a ping of this host is not answered: the causes that are known from routes, and these. */
enum ping_cause {
        PING_CAUSE_HEALTHY = _CAUSE_MAX,
        PING_CAUSE_NOT_RUNNING,
        PING_CAUSE_DEVICE_MISSING,
        PING_CAUSE_DEVICE_RENAMED,
        PING_CAUSE_DEVICE_DOWN,
        PING_CAUSE_NO_ADDRESS,
        PING_CAUSE_IPV6_OFF,
        PING_CAUSE_OUTPUT_FILTER,
        PING_CAUSE_IPSEC,
        PING_CAUSE_TOO_BIG,
        PING_CAUSE_REQUEST_REFUSED,
        PING_CAUSE_REWRITTEN,
        PING_CAUSE_EGRESS_FILTER,
        PING_CAUSE_QDISC,
        PING_CAUSE_QUEUE_FULL,
        PING_CAUSE_NOT_READING,
        PING_CAUSE_DROPPED,
        PING_CAUSE_CORRUPT_REQUESTS,
        PING_CAUSE_NOT_OURS,
        PING_CAUSE_UNSENT,
        PING_CAUSE_INGRESS_FILTER,
        PING_CAUSE_NOT_LOCAL,
        PING_CAUSE_BAD_HEADER,
        PING_CAUSE_FRAGMENTS_LOST,
        PING_CAUSE_INPUT_FILTER,
        PING_CAUSE_CORRUPT_REPLIES,
        PING_CAUSE_REPLY_REFUSED,
        PING_CAUSE_SOCKET_OVERFLOW,
        PING_CAUSE_UNKNOWN,
        _PING_CAUSE_MAX,
};

const char *ping_cause_name(unsigned cause);
const char *ping_cause_text(char *text, size_t size, unsigned cause, const struct cause_names *names);
const char *ping_cause_remedy(char *text, size_t size, unsigned cause, const struct cause_names *names);
