/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where the planes meet: the data plane records what it did with packets, the control plane reports it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/reflect.h"
#include "packet/session.h"
#include "tunecho/counters.h"

/* Packets that wait to be reported, and sessions that had to end for others; more than these are counted. */
#define RECORDS_PACKETS_MAX  128
#define RECORDS_SESSIONS_MAX 32

/* What became of one packet. */
struct record {
        struct packet_info packet;
        size_t size; /* in bytes, as it was read */
        enum verdict verdict;
};

struct records;

int records_new(struct records **ret_records, uint64_t seed);
struct records *records_free(struct records *records);

/* For the data plane. */
void records_add(struct records *records, uint64_t now, const struct record *added, size_t n,
                 unsigned unsent);
void records_wake(struct records *records);

/* For the control plane. */
void records_select(struct records *records, bool packets, bool sessions);
int records_fd(const struct records *records);
void records_arm(struct records *records);
void records_disarm(struct records *records);
void records_counters(struct records *records, struct counters *ret_counters);
size_t records_take_packets(struct records *records, struct record *ret_packets, uint64_t *ret_lost);
size_t records_take_sessions(struct records *records, uint64_t now, struct session *ret_sessions, size_t max,
                             struct session_sum *ret_sum);
uint64_t records_sessions_due(struct records *records);
unsigned records_sessions_count(struct records *records);
