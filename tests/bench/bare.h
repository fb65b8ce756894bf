/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the baselines have in common: make a device, and turn a request around without looking at it. They check
 * nothing and must never learn to: what tunecho does beyond this is what the benchmark puts a price on.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/util.h"

#define BARE_PACKET_MAX 65535

/* Where a family has its addresses, and its ICMP header when nothing lies between. */
struct bare_layout {
        size_t source, destination, address_size, icmp;
        uint8_t reply_type;
        uint16_t amendment; /* what the change of the type adds to the checksum */
};

static const struct bare_layout bare_ipv4 = { 12, 16, 4, 20, 0, 0x0800 };
static const struct bare_layout bare_ipv6 = { 8, 24, 16, 40, 129, 0xfeff };

static inline int bare_open(const char *name, int flags, int *ret_fd)
{
        _cleanup_(close_fdp) int fd = -1;
        struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };

        if (strlen(name) >= sizeof(request.ifr_name))
                return -EINVAL;
        strcpy(request.ifr_name, name);

        fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | flags);
        if (fd < 0)
                return -errno;

        if (ioctl(fd, TUNSETIFF, &request) < 0)
                return -errno;

        *ret_fd = steal_fd(&fd);
        return 0;
}

static inline void bare_turn_around(unsigned char *packet)
{
        const struct bare_layout *layout = packet[0] >> 4 == 4 ? &bare_ipv4 : &bare_ipv6;
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
