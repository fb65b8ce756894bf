/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/address.h"

/* The reason that an ICMP error reports; types and codes of both families with the same meaning share one. */
enum icmp_error_reason {
        ICMP_ERROR_UNKNOWN, /* code not assigned */
        ICMP_ERROR_NO_ROUTE,
        ICMP_ERROR_HOST_UNREACHABLE,
        ICMP_ERROR_ADDRESS_UNREACHABLE,
        ICMP_ERROR_PROTOCOL_UNREACHABLE,
        ICMP_ERROR_PORT_UNREACHABLE,
        ICMP_ERROR_TOO_BIG,
        ICMP_ERROR_PROHIBITED,
        ICMP_ERROR_SOURCE_ROUTE_FAILED,
        ICMP_ERROR_BEYOND_SCOPE,
        ICMP_ERROR_SOURCE_POLICY,
        ICMP_ERROR_REJECT_ROUTE,
        ICMP_ERROR_HEADERS_TOO_LONG,
        ICMP_ERROR_HOP_LIMIT,
        ICMP_ERROR_REASSEMBLY,
        ICMP_ERROR_REDIRECT,
        ICMP_ERROR_PARAMETER_PROBLEM,
        _ICMP_ERROR_REASON_MAX,
};

/* An ICMP error about an echo reply. Any host can forge one. */
struct icmp_error {
        struct address reporter; /* source of the error */
        uint8_t type;
        uint8_t code;
        uint32_t mtu; /* in bytes, of an ICMP_ERROR_TOO_BIG; 0: not stated, or another reason */

        /* The quoted echo reply. */
        struct address source;
        struct address destination;
        uint16_t identifier; /* in host byte order */
        uint16_t sequence;   /* in host byte order */
};

int icmp_error_parse(const void *packet, size_t size, struct icmp_error *ret_error);
enum icmp_error_reason icmp_error_reason(const struct icmp_error *error);
const char *icmp_error_reason_text(enum icmp_error_reason reason);
