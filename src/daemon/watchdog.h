/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <systemd/sd-event.h>

#include "daemon/journal.h"

struct engine;
struct watchdog;

int watchdog_new(struct watchdog **ret_watchdog, sd_event *event, struct engine *engine,
                 const struct journal *journal);
struct watchdog *watchdog_free(struct watchdog *watchdog);
