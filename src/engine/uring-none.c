/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Replaces uring.c in a build without liburing: uring_new() fails, so no other function is called. */

#include "engine/uring.h"

#include <errno.h>

int uring_new(struct uring **ret_uring, int fd, const char **reterr_step)
{
        (void) ret_uring;
        (void) fd;

        *reterr_step = "a build with liburing";
        return -EOPNOTSUPP;
}

struct uring *uring_free(struct uring *uring)
{
        (void) uring;
        return NULL;
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
