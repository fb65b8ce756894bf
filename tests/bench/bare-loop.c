/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The baseline of every measurement: the least that makes ping print a line. Blocking read, swap the
 * addresses, change the type, amend the checksum by that constant, write. It checks nothing and must never
 * learn to: what tunecho does beyond this is what the benchmark puts a price on.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tunecho/util.h"

#define PACKET_MAX 65535

/* Where a family has its addresses, and its ICMP header when nothing lies between. */
struct layout {
        size_t source, destination, address_size, icmp;
        uint8_t reply_type;
        uint16_t amendment; /* what the change of the type adds to the checksum */
};

static const struct layout ipv4 = { 12, 16, 4, 20, 0, 0x0800 };
static const struct layout ipv6 = { 8, 24, 16, 40, 129, 0xfeff };

static int device_open(const char *name, int *ret_fd)
{
        _cleanup_(close_fdp) int fd = -1;
        struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };

        if (strlen(name) >= sizeof(request.ifr_name))
                return -EINVAL;
        strcpy(request.ifr_name, name);

        fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        if (ioctl(fd, TUNSETIFF, &request) < 0)
                return -errno;

        *ret_fd = steal_fd(&fd);
        return 0;
}

static void turn_around(unsigned char *packet)
{
        const struct layout *layout = packet[0] >> 4 == 4 ? &ipv4 : &ipv6;
        unsigned char *icmp = packet + layout->icmp, address[16];
        uint32_t checksum = (uint32_t) icmp[2] << 8 | icmp[3];

        memcpy(address, packet + layout->source, layout->address_size);
        memcpy(packet + layout->source, packet + layout->destination, layout->address_size);
        memcpy(packet + layout->destination, address, layout->address_size);

        checksum += layout->amendment;
        checksum = (checksum & 0xffff) + (checksum >> 16);
        icmp[0] = layout->reply_type;
        icmp[2] = (unsigned char) (checksum >> 8);
        icmp[3] = (unsigned char) checksum;
}

static int loop(int device)
{
        /* Room behind the packet, so that a short one, too, can be taken for an echo request. */
        static unsigned char packet[PACKET_MAX + 64];

        for (;;) {
                ssize_t size = read(device, packet, PACKET_MAX);

                if (size < 0 && errno == EINTR)
                        continue;
                if (size < 0)
                        return -errno;

                turn_around(packet);
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

        r = device_open(argv[1], &device);
        if (r < 0) {
                fprintf(stderr, "bare-loop: Failed to open device '%s': %s\n", argv[1], strerror(-r));
                return EXIT_FAILURE;
        }

        r = loop(device);
        fprintf(stderr, "bare-loop: Failed to read from device '%s': %s\n", argv[1], strerror(-r));
        return EXIT_FAILURE;
}
