/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/config.h"
#include "daemon/journal.h"

struct device;
struct engine;
struct report;

bool reload_apply(struct config *config, struct device *device, struct engine *engine, struct report *report,
                  const struct journal *journal);
