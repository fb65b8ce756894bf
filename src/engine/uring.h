/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The batches that engine.c moves under load. Built without liburing, there are none. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The packets of one batch: what every ring has room for, and the most that any has. */
#define URING_BATCH_MIN 8
#define URING_BATCH_MAX 64

struct uring;

/* What the ring has of all that it asks for. */
struct uring_status {
        const char *step; /* that failed, or the last one */
        int unregistered; /* 0, or the negative errno with which the buffers could not be registered */
};

int uring_new(struct uring **ret_uring, int fd, size_t packet_size, struct uring_status *ret_status);
struct uring *uring_free(struct uring *uring);

unsigned uring_batch_max(const struct uring *uring);
int uring_exchange(struct uring *uring, unsigned n, unsigned *ret_refused);
uint8_t *uring_packet(const struct uring *uring, unsigned i, int *ret_size);
void uring_reply(struct uring *uring, const uint8_t *reply, size_t size);
unsigned uring_flush(struct uring *uring);
