/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The TUN device: Documentation/networking/tuntap.rst of the kernel. No other file knows its path or its
 * ioctls.
 */

#include "tunecho/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tunecho/util.h"

#define TUN_PATH "/dev/net/tun"

/**
 * tun_open() - open the node from which devices are made
 * @ret_fd: the descriptor, owned by the caller; no device belongs to it yet
 *
 * Return: 0, or a negative errno: -ENOENT if there is no node, -ENODEV or -ENXIO if the
 *         kernel has no driver for it, -EACCES or -EPERM if it may not be opened.
 */
int tun_open(int *ret_fd)
{
        int fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);

        if (fd < 0)
                return -errno;

        *ret_fd = fd;
        return 0;
}

/* As it is made, and as it is taken over: IP packets and nothing else, one queue. */
#define TUN_FLAGS (IFF_TUN | IFF_NO_PI)

/* What else could be set of a device, and would change what is read from it. */
#define TUN_FLAGS_MASK (IFF_TUN | IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE)

/* Somebody may have left offloads on, whose packets are no longer IP as on the wire. */
static int offloads_off(int fd)
{
        return ioctl(fd, TUNSETOFFLOAD, 0UL) < 0 ? -errno : 0;
}

/**
 * tun_attach() - make the device, or attach to a persistent one
 * @fd: what tun_open() returned
 * @name: the name of the device, shorter than IFNAMSIZ
 *
 * A device that is made here goes away with the last descriptor of it. Needs CAP_NET_ADMIN.
 *
 * Return: 0, or a negative errno: -EBUSY if another process holds the device, -EINVAL if an
 *         interface of that name is no TUN device with one queue, -EPERM without the privilege.
 */
int tun_attach(int fd, const char *name)
{
        struct ifreq request = { .ifr_flags = TUN_FLAGS };

        if (strlen(name) >= sizeof(request.ifr_name))
                return -EINVAL;
        strcpy(request.ifr_name, name);

        if (ioctl(fd, TUNSETIFF, &request) < 0)
                return -errno;

        return offloads_off(fd);
}

/**
 * tun_adopt() - take over a descriptor that should be the device
 * @fd: a descriptor of any kind
 * @name: the name that the device must have
 *
 * Return: 0; -ENODEV if it was a device that is gone now; -EINVAL if it is anything else, a
 *         device of another name or kind included.
 */
int tun_adopt(int fd, const char *name)
{
        struct ifreq request = { 0 };

        if (ioctl(fd, TUNGETIFF, &request) < 0)
                return errno == EBADFD ? -ENODEV : -EINVAL;

        if ((request.ifr_flags & TUN_FLAGS_MASK) != TUN_FLAGS ||
            strncmp(request.ifr_name, name, sizeof(request.ifr_name)) != 0)
                return -EINVAL;

        return offloads_off(fd);
}
