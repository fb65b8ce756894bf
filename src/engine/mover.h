/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "common/engine-type.h"

/* The number of successive reads without a wait that count as load. */
#define ENGINE_LOAD 8

struct engine_status;
struct mover;
struct policy;
struct records;

int mover_new(struct mover **ret_mover, enum engine_type type, int fd, struct records *records,
              struct engine_status *ret_status);
struct mover *mover_free(struct mover *mover);

int mover_step(struct mover *mover, const struct policy *policy);
void mover_flush(struct mover *mover);
