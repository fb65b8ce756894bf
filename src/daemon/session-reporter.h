/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "config/config.h"
#include "daemon/journal.h"
#include "packet/session.h"

struct records;
struct session_reporter;

/*
 * Called behind the entry for an event of a session, also if it has none; with _SESSION_EVENT_MAX behind the
 * entry for an ICMP error about a reply, and then only the addresses and the identifier of @session are set.
 */
typedef void (*session_handler_t)(void *userdata, enum session_event event, const struct session *session);

struct session_reporter *session_reporter_new(struct records *records, const struct journal *journal);
struct session_reporter *session_reporter_free(struct session_reporter *reporter);

void session_reporter_watch(struct session_reporter *reporter, session_handler_t on_session, void *userdata);
void session_reporter_select(struct session_reporter *reporter, enum config_sessions sessions);
uint64_t session_reporter_report(struct session_reporter *reporter, uint64_t now);
void session_reporter_report_sum(struct session_reporter *reporter);
