/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Batches, for the data plane under load. A build without liburing has none. */

#include <stddef.h>
#include <stdint.h>

/* The packets of one batch: how many the first one has, and the most that any has. */
#define URING_BATCH_MIN 8
#define URING_BATCH_MAX 64

/* The size in bytes of the largest packet of a batch: no device has a larger MTU than 65,535. */
#define URING_PACKET_MAX 65536

struct uring;

int uring_new(struct uring **ret_uring, int fd, const char **reterr_step);
struct uring *uring_free(struct uring *uring);

int uring_exchange(struct uring *uring, unsigned n, unsigned *ret_refused);
uint8_t *uring_packet(const struct uring *uring, unsigned i, int *ret_size);
void uring_reply(struct uring *uring, const uint8_t *reply, size_t size);
unsigned uring_flush(struct uring *uring);
