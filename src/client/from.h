/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "client/nft-rules.h"
#include "common/address.h"

/* An address to ping, and the device that leads to it. */
struct from_target {
        const char *interface;
        struct address peer;
};

/* What the kernel does with the packets of one direction that arrive on an interface. */
struct from_path {
        char in[IFNAMSIZ];
        char out[IFNAMSIZ]; /* where they are routed to; "" if they are not */
        const char *cause;  /* why the ping fails here; NULL: it does not */
        char text[256], remedy[256];
        bool is_likely; /* of requests: they probably arrive here */
};

/* What is known of the pings of a client. */
struct from_report {
        const char *interface;
        struct address client, peer, next_hop; /* the last one of the replies, AF_UNSPEC: none */
        struct from_path *requests, reply;     /* a path for each interface that is up */
        size_t n_requests;
        const char *neighbour; /* state of the entry of the next hop; NULL: there is none */

        const char *stage;            /* that loses it: "device", "request", "reply", "next-hop"; NULL: none */
        const struct from_path *path; /* the cause there */
        struct from_path hop;         /* of the stages "device" and "next-hop" */
        bool certain;
};

/* All reports, and what they have in common. */
struct from_reports {
        struct from_report *items;
        size_t n;
        struct suspects suspects;
        int suspects_error; /* 0, or a negative errno: why the rules could not be read */
};

/* Why not everything could be checked; the last one is NULL. */
#define FROM_MAX_UNSEEN 5

int ctl_ping_from(const struct from_target *targets, size_t n_targets, const struct address *client, bool json);

void from_report_decide(struct from_report *report);
void from_list_unseen(const char *ret_texts[static FROM_MAX_UNSEEN], const struct from_reports *reports);
void from_print(const struct from_reports *reports, FILE *file);
int from_print_json(const struct from_reports *reports, FILE *file);
