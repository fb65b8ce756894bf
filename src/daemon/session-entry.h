/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/journal.h"

struct session;
struct session_sum;

void session_entry_send(const struct journal *journal, const struct session *session);
void session_entry_send_sum(const struct journal *journal, const struct session_sum *sum);
