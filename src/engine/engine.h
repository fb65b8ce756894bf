/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "common/engine-type.h"
#include "tunecho/counters.h"
#include "packet/reflect.h"

/* The most packets between two looks at the control side. */
#define ENGINE_BUDGET 64

/* So many packets without finding the device empty are a load. */
#define ENGINE_LOAD 8

struct engine;

/* The time is in microseconds, of a clock that nobody sets. */
typedef void (*engine_observer_t)(void *userdata, uint64_t now, const struct packet_info *packet, size_t size,
                                  enum verdict verdict);

/* What became of the type that was wanted. */
struct engine_status {
        enum engine_type type; /* io_uring or syscall */
        int fallback;          /* 0, or the negative errno that io_uring failed with */
        int unregistered;      /* 0, or the negative errno that registering its buffer failed with */
        const char *step;      /* that failed */
};

int engine_new(struct engine **ret_engine, enum engine_type type, int fd, unsigned mtu,
               const struct policy *policy);
struct engine *engine_free(struct engine *engine);
void engine_freep(struct engine **engine);

void engine_observe(struct engine *engine, engine_observer_t observer, void *userdata);
void engine_set_mtu(struct engine *engine, unsigned mtu);
int engine_move(struct engine *engine, bool *ret_more);
int engine_take(struct engine *engine, uint64_t *ret_time);
void engine_flush(struct engine *engine);
const struct counters *engine_counters(const struct engine *engine);
const struct engine_status *engine_status(const struct engine *engine);
