/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The baseline of every measurement: the least that makes ping print a line. Blocking read, swap the
 * addresses, change the type, amend the checksum by that constant, write.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare.h"

static int loop(int device)
{
        /* Room behind the packet, so that a short one, too, can be taken for an echo request. */
        static unsigned char packet[BARE_PACKET_MAX + 64];

        for (;;) {
                ssize_t size = read(device, packet, BARE_PACKET_MAX);

                if (size < 0 && errno == EINTR)
                        continue;
                if (size < 0)
                        return -errno;

                bare_turn_around(packet);
                (void) !write(device, packet, (size_t) size);
        }
}

int main(int argc, char **argv)
{
        _cleanup_(close_fdp) int device = -1;
        int r;

        if (argc != 2) {
                fprintf(stderr, "Usage: bare-loop INTERFACE\n");
                return EXIT_FAILURE;
        }

        r = bare_open(argv[1], 0, &device);
        if (r < 0) {
                fprintf(stderr, "bare-loop: Failed to open device '%s': %s\n", argv[1], strerror(-r));
                return EXIT_FAILURE;
        }

        r = loop(device);
        fprintf(stderr, "bare-loop: Failed to read from device '%s': %s\n", argv[1], strerror(-r));
        return EXIT_FAILURE;
}
