/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "packet/numbering.h"
#include "packet/reflect.h"

#define SESSIONS_MAX 256

/* A session without a request for so long is idle; one whose client is slower has longer. */
#define SESSION_IDLE_USEC UINT64_C(10000000)

/* An idle session resumes within this time, later it is another ping. */
#define SESSION_RESUME_USEC UINT64_C(600000000)

/* Between the reports of a long session. */
#define SESSION_INTERIM_USEC UINT64_C(600000000)

/* Reports that wait to be collected, beside those that open sessions have; what is beyond is summed up. */
#define SESSION_REPORTS_MAX 32

/* An ICMP error about a reply. */
struct session_refusal {
        struct address from; /* who sent the error */
        uint8_t type, code;
        uint32_t mtu;  /* of "too big" and "fragmentation needed" in bytes, else 0 */
        uint64_t when; /* in microseconds */
};

/* What arrived of one ping. */
struct session {
        struct address source;
        struct address destination;
        uint16_t identifier; /* in host byte order */

        uint64_t opened; /* when the first request arrived, in microseconds */
        uint64_t latest; /* when the latest one did */
        uint64_t requests;
        uint64_t fragmented;      /* requests in fragments, of which the first one arrived */
        uint64_t later_fragments; /* those that could be assigned */
        uint64_t bytes;           /* of all requests, as packets, without later fragments */
        uint32_t size_min, size_max;
        uint8_t hop_limit_min, hop_limit_max;

        uint64_t dropped;        /* further requests since the latest one, which were not answered */
        enum verdict dropped_as; /* the verdict of the latest of them */

        uint64_t refused;               /* ICMP errors about replies */
        struct session_refusal refusal; /* the latest */

        struct numbering_summary numbers; /* in a report only */
};

enum session_event {
        SESSION_OPENED,
        SESSION_IDLE,    /* quiet for ten seconds: the one report of a ping that has ended */
        SESSION_RESUMED, /* an idle one has a request again, and counts from there */
        SESSION_INTERIM, /* is open for SESSION_INTERIM_USEC more, with all that it counted */
        SESSION_EVICTED, /* the table was full, and this one was quiet for longest */
        SESSION_STOPPED, /* by session_table_finish() */
        _SESSION_EVENT_MAX,
};

struct session_report {
        enum session_event event;
        struct session session;
        uint64_t quiet_usec; /* of SESSION_RESUMED: the time between the requests */
        uint64_t between;    /* of SESSION_RESUMED: the numbers between them */
};

/* Sessions of which there was no report. */
struct session_sum {
        uint64_t sessions, requests, missing, duplicates, reordered, refused;
};

/* What a table counts of all its sessions. */
struct session_totals {
        uint64_t opened;
        uint64_t evicted; /* of those that were open */
};

struct session_table;

struct session_table *session_table_new(uint64_t seed);
struct session_table *session_table_free(struct session_table *table);

void session_table_add(struct session_table *table, uint64_t now, const struct packet_info *packet,
                       size_t size);
void session_table_drop(struct session_table *table, const struct packet_info *packet, enum verdict verdict);
bool session_table_refuse(struct session_table *table, const struct address *source,
                          const struct address *destination, uint16_t identifier,
                          const struct session_refusal *refusal);

size_t session_table_collect(struct session_table *table, uint64_t now, struct session_report *reports,
                             size_t max);
void session_table_collect_sum(struct session_table *table, struct session_sum *ret_sum);
void session_table_finish(struct session_table *table);
uint64_t session_table_next(const struct session_table *table);
size_t session_table_copy(const struct session_table *table, struct session_report *reports, size_t max);
unsigned session_table_count(const struct session_table *table);
void session_table_totals(const struct session_table *table, struct session_totals *ret_totals);

const char *session_event_name(enum session_event event);
