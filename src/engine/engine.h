/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "common/engine-type.h"

struct engine;
struct policy;
struct records;

/* Called by the data plane, before it reads the first packet. Returns 0, or a negative errno that ends it. */
typedef int (*engine_hook_t)(void *userdata);

/* Which engine moves packets, and why it is not the one that was asked for. */
struct engine_status {
        enum engine_type type; /* io_uring or syscall */
        int fallback;          /* 0, or the negative errno that io_uring failed with */
        const char *step;      /* that failed */
};

int engine_new(struct engine **ret_engine, enum engine_type type, int fd, const struct policy *policy,
               struct records *records);
struct engine *engine_free(struct engine *engine);

int engine_start(struct engine *engine, engine_hook_t hook, void *userdata);
int engine_stop(struct engine *engine);
int engine_check(struct engine *engine, uint64_t timeout_usec);
int engine_set_policy(struct engine *engine, const struct policy *policy, uint64_t timeout_usec);
int engine_result(const struct engine *engine);
const struct engine_status *engine_status(const struct engine *engine);
