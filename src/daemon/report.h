/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "config/config.h"
#include "daemon/journal.h"
#include "daemon/session-reporter.h"

struct records;
struct report;

/* Called after each wake-up by the data plane, and with each report. */
typedef void (*report_handler_t)(void *userdata);

#define REPORT_STATUS_SIZE (COUNTERS_TEXT_SIZE + 256)

int report_new(struct report **ret_report, sd_event *event, struct records *records,
               const struct journal *journal, report_handler_t on_records, void *userdata);
struct report *report_free(struct report *report);

void report_select(struct report *report, bool packets, enum config_sessions sessions);
void report_watch_sessions(struct report *report, session_handler_t on_session, void *userdata);
void report_set_notice(struct report *report, const char *notice);
void report_update_status(struct report *report);
const char *report_status_text(struct report *report, char text[static REPORT_STATUS_SIZE]);
void report_totals(struct report *report, enum message message, const char *what);
void report_rest(struct report *report);
