/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/journal.h"

struct icmp_error;
struct session_report;
struct session_sum;

void session_entry_send(const struct journal *journal, const struct session_report *report);
void session_entry_send_sum(const struct journal *journal, const struct session_sum *sum);
void session_entry_send_error(const struct journal *journal, const struct icmp_error *error,
                              uint64_t n_suppressed);
