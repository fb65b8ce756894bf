/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ping_estimate;
struct ping_probe_result;

/* The stages that a request and its reply pass, in their order. */
enum ping_stage {
        PING_BEFORE,     /* what has to be so before a ping is sent */
        PING_IP_OUT,     /* IP and its hooks take the request */
        PING_DEVICE_OUT, /* the queue of the device, until the daemon has read it */
        PING_DAEMON,     /* the daemon writes the reply */
        PING_DEVICE_IN,  /* the reply gets from the device to IP */
        PING_IP_IN,      /* and from there to ICMP */
        PING_ICMP_IN,
        PING_SOCKET,
        PING_NOWHERE, /* nothing is lost, or it is not known where */
        _PING_STAGE_MAX = PING_NOWHERE,
};

/* What is known besides the counters. */
struct ping_facts {
        int family;
        int open_error; /* 0, or the negative errno with which the socket of the pings could not be opened */
        int status_error; /* 0, or why the daemon does not answer at the end */
        bool is_running, has_link, is_up, has_ipv6, has_address;
        unsigned mtu, size;      /* in bytes: of the device, and of the data of a request */
        unsigned request, reply; /* causes that the kernel answers about their routes, or CAUSE_NONE */
        uint64_t qdisc_drops;    /* of the queueing discipline, while the pings were sent */
        unsigned qdisc_queued;   /* packets that wait there at the end */
        const char *qdisc;       /* its kind */
};

struct ping_decision {
        unsigned cause; /* an enum cause or an enum ping_cause */
        enum ping_stage stage;
        bool is_certain;
        char detail[128];                 /* of the cause */
        unsigned passed[_PING_STAGE_MAX]; /* pings that passed each stage */
};

const char *ping_stage_name(enum ping_stage stage);
void ping_decide(struct ping_decision *ret_decision, const struct ping_facts *facts,
                 const struct ping_probe_result *result, const struct ping_estimate *estimate);
