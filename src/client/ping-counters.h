/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tunecho/verdict.h"

struct status;

/*
 * What is counted on the path of a ping, in its order. IPv4 counts for the whole host, IPv6 for each device,
 * but for what is said to be of the host.
 */
enum ping_counter {
        PING_OUT_ECHOS = 1,   /* echo requests that IP has made */
        PING_OUT_ECHOS_OTHER, /* of the other family */
        PING_OUT_DISCARDS,
        PING_OUT_NO_ROUTES,
        PING_OUT_XFRM,      /* packets that IPsec refused */
        PING_OUT_TRANSMITS, /* of the host: packets that IP has handed to a device; newer kernels have it */
        PING_OUT_TRANSMITS_OTHER, /* of the other family, for IPv4 */
        PING_OUT_DEVICE,          /* those handed to the device; of IPv4 a sum, see ping-estimate.c */
        PING_LINK_TX,             /* of the device: packets that the daemon has read */
        PING_LINK_TX_DROPPED,
        PING_OTHER_TX, /* packets that other interfaces have sent */
        PING_OTHER_RX,
        PING_LINK_RX,
        PING_LINK_RX_DROPPED,
        PING_IN_RECEIVES, /* of the host */
        PING_IN_RECEIVES_OTHER,
        PING_IN_DEVICE, /* those from the device; of IPv4 a sum */
        PING_IN_HEADER_ERRORS,
        PING_IN_ADDRESS_ERRORS,
        PING_IN_NO_ROUTES,
        PING_IN_TRUNCATED,
        PING_IN_REVERSE_PATH,
        PING_IN_XFRM,
        PING_FORWARDED, /* of the host */
        PING_REASSEMBLY_REQUESTS,
        PING_REASSEMBLIES,
        PING_REASSEMBLY_FAILURES,
        PING_IN_DELIVERS,
        PING_IN_ICMP_ERRORS,
        PING_IN_CHECKSUM_ERRORS,
        PING_IN_ECHO_REPLIES,
        PING_IN_ECHO_REPLIES_OTHER,

        /* The daemon's. */
        PING_READ,
        PING_UNSENT,
        PING_VERDICTS, /* the first of them */

        /* Sums: echo requests that the daemon has not read, and replies of it that ICMP has not received. */
        PING_LOST_OUT = PING_VERDICTS + _VERDICT_MAX,
        PING_LOST_IN,
        _PING_COUNTER_MAX,
};

/* The files of /proc/net. */
enum ping_file {
        PING_FILE_DEV,
        PING_FILE_SNMP,
        PING_FILE_NETSTAT,
        PING_FILE_SNMP6,
        PING_FILE_DEV_SNMP6,
        PING_FILE_XFRM,
        _PING_FILE_MAX,
};

/* The counters at one time. */
struct ping_sample {
        uint64_t usec; /* CLOCK_MONOTONIC */
        uint64_t values[_PING_COUNTER_MAX];
        bool known[_PING_COUNTER_MAX]; /* this kernel has it, and it could be read */
};

void ping_sample_parse(struct ping_sample *sample, enum ping_file file, int family, const char *device,
                       const char *text);
void ping_sample_add_status(struct ping_sample *sample, const struct status *status);
void ping_sample_read(struct ping_sample *ret_sample, int family, const char *device);
