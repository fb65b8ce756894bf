/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The interface between the planes: the data plane records each packet, the control plane reports it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/icmp-error.h"
#include "packet/reflect.h"
#include "packet/session.h"
#include "tunecho/counters.h"

/* Packets and ICMP errors to be reported; those beyond these limits are only counted. */
#define RECORDS_PACKETS_MAX 128
#define RECORDS_ERRORS_MAX  32

/* One packet and its verdict. */
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
void records_add_error(struct records *records, uint64_t now, const struct icmp_error *error);
void records_wake(struct records *records);

/* For the control plane. */
void records_select(struct records *records, bool packets, bool sessions);
int records_fd(const struct records *records);
void records_arm(struct records *records);
void records_disarm(struct records *records);
void records_counters(struct records *records, struct counters *ret_counters);
uint64_t records_refusals(struct records *records);
size_t records_take_packets(struct records *records, struct record *ret_packets, uint64_t *ret_lost);
size_t records_take_errors(struct records *records, struct icmp_error *ret_errors, uint64_t *ret_lost);
size_t records_collect_sessions(struct records *records, uint64_t now, struct session_report *ret_reports,
                                size_t max, struct session_sum *ret_sum);
size_t records_copy_sessions(struct records *records, struct session_report *ret_reports, size_t max,
                             bool *ret_recording);
void records_finish_sessions(struct records *records);
uint64_t records_sessions_due(struct records *records);
unsigned records_sessions_count(struct records *records);
void records_sessions_totals(struct records *records, struct session_totals *ret_totals);
