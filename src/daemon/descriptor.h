/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "config/config.h"
#include "daemon/journal.h"

int descriptor_open(const struct config *config, const struct journal *journal, int *ret_fd,
                    bool *ret_adopted);
