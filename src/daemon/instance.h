/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/config.h"
#include "tunecho/status.h"

struct device;
struct engine;
struct records;

#define INSTANCE_TRY_SIZE 256 /* bytes */

const char *instance_text_to_try(const struct config *config, struct device *device,
                                 char text[static INSTANCE_TRY_SIZE]);
void instance_read_status(struct status *ret_status, const struct config *config, struct device *device,
                          const struct engine *engine, struct records *records);
