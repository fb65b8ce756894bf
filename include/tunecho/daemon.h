/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tunecho/config.h"
#include "tunecho/journal.h"

int daemon_run(struct config *config, const struct journal *journal);
