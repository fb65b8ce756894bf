/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The TUN device: Documentation/networking/tuntap.rst of the kernel. No other file knows its path or its
 * ioctls.
 */

#include "net/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "common/util.h"

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

/* The network namespace of this process, by that of a socket: there may be no /proc to ask. */
static int own_namespace(int *ret_fd)
{
        _cleanup_(close_fdp) int any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        int fd;

        if (any < 0)
                return -errno;

        fd = ioctl(any, SIOCGSKNS);
        if (fd < 0)
                return -errno;

        *ret_fd = fd;
        return 0;
}

/**
 * tun_is_here() - ask whether the device is in the network namespace of this process
 * @fd: a descriptor of the device
 *
 * Somebody may have moved it, and what has its name or its number here by now is not it. Needs CAP_NET_ADMIN.
 *
 * Return: 1 if it is, or if the kernel cannot tell, as before Linux 5.7; 0 if it is elsewhere, or gone; or
 *         a negative errno.
 */
int tun_is_here(int fd)
{
        _cleanup_(close_fdp) int there = ioctl(fd, TUNGETDEVNETNS), here = -1;
        struct stat theirs, ours;
        int r;

        if (there < 0 && (errno == EINVAL || errno == ENOTTY))
                return 1;
        /* The one of another user namespace is not ours to see. */
        if (there < 0 && (errno == EPERM || errno == EBADFD))
                return 0;
        if (there < 0)
                return -errno;

        r = own_namespace(&here);
        if (r < 0)
                return r;

        if (fstat(there, &theirs) < 0 || fstat(here, &ours) < 0)
                return -errno;

        return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}
