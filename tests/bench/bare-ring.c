/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The other end of the scale: what the batches of the engine can do at most on this machine, which is the bare
 * loop's work with the daemon's own ring around it. No engine that reads and writes a TUN device, and looks at
 * what it has read, is faster than this.
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare.h"
#include "engine/uring.h"

static int exchange(struct uring *uring, unsigned *ret_n)
{
        unsigned refused;
        int r;

        r = uring_exchange(uring, URING_BATCH_MAX, &refused);
        if (r < 0)
                return r;

        *ret_n = 0;
        for (unsigned i = 0; i < URING_BATCH_MAX; i++) {
                uint8_t *packet;
                int size;

                packet = uring_packet(uring, i, &size);
                if (size < 0)
                        continue;

                bare_turn_around(packet);
                uring_reply(uring, packet, (size_t) size);
                (*ret_n)++;
        }

        return 0;
}

static int loop(struct uring *uring, int device)
{
        for (;;) {
                struct pollfd readable = { .fd = device, .events = POLLIN };
                unsigned n;
                int r;

                r = exchange(uring, &n);
                if (r < 0)
                        return r;

                if (n == 0 && poll(&readable, 1, -1) < 0)
                        return -errno;
        }
}

int main(int argc, char **argv)
{
        _cleanup_(close_fdp) int device = -1;
        struct uring *uring;
        const char *step;
        int r;

        if (argc != 2) {
                fprintf(stderr, "Usage: bare-ring INTERFACE\n");
                return EXIT_FAILURE;
        }

        r = bare_open(argv[1], O_NONBLOCK, &device);
        if (r < 0) {
                fprintf(stderr, "bare-ring: Failed to open device '%s': %s\n", argv[1], strerror(-r));
                return EXIT_FAILURE;
        }

        r = uring_new(&uring, device, &step);
        if (r < 0) {
                fprintf(stderr, "bare-ring: Failed to make a ring (%s): %s\n", step, strerror(-r));
                return EXIT_FAILURE;
        }

        r = loop(uring, device);
        fprintf(stderr, "bare-ring: Failed to move packets of device '%s': %s\n", argv[1], strerror(-r));
        uring_free(uring);
        return EXIT_FAILURE;
}
