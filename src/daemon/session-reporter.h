/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "config/config.h"
#include "daemon/journal.h"

struct records;
struct session_reporter;

struct session_reporter *session_reporter_new(struct records *records, const struct journal *journal);
struct session_reporter *session_reporter_free(struct session_reporter *reporter);

void session_reporter_select(struct session_reporter *reporter, enum config_sessions sessions);
uint64_t session_reporter_report(struct session_reporter *reporter, uint64_t now);
void session_reporter_report_sum(struct session_reporter *reporter);
