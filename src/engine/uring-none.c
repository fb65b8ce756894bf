/* SPDX-License-Identifier: GPL-2.0-or-later */

/* In place of engine-uring.c where there is no liburing: no ring can be had, so that nothing else is ever
 * called. */

#include "engine/uring.h"

#include <errno.h>

int uring_new(struct uring **ret_uring, int fd, size_t packet_size, struct uring_status *ret_status)
{
        (void) ret_uring;
        (void) fd;
        (void) packet_size;

        *ret_status = (struct uring_status) { .step = "a build with liburing" };
        return -EOPNOTSUPP;
}

struct uring *uring_free(struct uring *uring)
{
        (void) uring;
        return NULL;
}

unsigned uring_batch_max(const struct uring *uring)
{
        (void) uring;
        return 0;
}

int uring_exchange(struct uring *uring, unsigned n, unsigned *ret_refused)
{
        (void) uring;
        (void) n;

        *ret_refused = 0;
        return -EOPNOTSUPP;
}

uint8_t *uring_packet(const struct uring *uring, unsigned i, int *ret_size)
{
        (void) uring;
        (void) i;

        *ret_size = -EOPNOTSUPP;
        return NULL;
}

void uring_reply(struct uring *uring, const uint8_t *reply, size_t size)
{
        (void) uring;
        (void) reply;
        (void) size;
}

unsigned uring_flush(struct uring *uring)
{
        (void) uring;
        return 0;
}
