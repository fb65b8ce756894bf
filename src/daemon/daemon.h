/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/config.h"
#include "daemon/journal.h"

int daemon_run(struct config *config, const struct journal *journal);
