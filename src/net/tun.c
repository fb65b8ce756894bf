/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The TUN device: Documentation/networking/tuntap.rst of the kernel. No other file has its path or its
 * ioctls.
 */

#include "net/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "common/util.h"
#include "net/tun-holder.h"

#define TUN_PATH "/dev/net/tun"

/*
 * In milliseconds: how long to retry a busy device, after how long a living process counts as its holder, and
 * the time between two attempts.
 */
#define ATTACH_USEC       1000000
#define ATTACH_GRACE_USEC 100000
#define ATTACH_PAUSE_USEC 5000

/**
 * tun_open() - open the node from which devices are created
 * @ret_fd: the descriptor, owned by the caller; no device belongs to it yet, and reads of it block
 *
 * Return: 0, or a negative errno: -ENOENT if there is no node, -ENODEV or -ENXIO if the
 *         kernel has no driver for it, -EACCES or -EPERM if it may not be opened.
 */
int tun_open(int *ret_fd)
{
        int fd = open(TUN_PATH, O_RDWR | O_CLOEXEC);

        if (fd < 0)
                return -errno;

        *ret_fd = fd;
        return 0;
}

/* Of a device that is created, and of one that is adopted: IP packets and nothing else, one queue. */
#define TUN_FLAGS (IFF_TUN | IFF_NO_PI)

/*
 * Further flags of a device that change what is read from it. TUNGETIFF sets the bit of IFF_NO_PI for every
 * device without a socket filter, as IFF_NOFILTER is the same bit.
 */
#define TUN_FLAGS_MASK (IFF_TUN | IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE)

/* Another process may have left offloads on, with which packets are not IP as on the wire. */
static int offloads_disable(int fd)
{
        return ioctl(fd, TUNSETOFFLOAD, 0UL) < 0 ? -errno : 0;
}

/**
 * tun_attach() - create the device, or attach to a persistent one
 * @fd: what tun_open() opened
 * @name: the name of the device, shorter than IFNAMSIZ
 *
 * A device that is created here is deleted with the last descriptor of it. Needs CAP_NET_ADMIN.
 *
 * Return: 0, or a negative errno: -EBUSY if another descriptor is attached to the device, -EINVAL if an
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

        return offloads_disable(fd);
}

/**
 * tun_attach_wait() - create or attach as tun_attach(), after a moment if the device is busy
 * @fd: what tun_open() opened
 * @name: the name of the device, shorter than IFNAMSIZ
 * @ret_holder: set if the device stays busy: the process that holds it, or 0 if it is not known
 *
 * The kernel releases the descriptor of a process that was killed some time after its death, with io_uring
 * later still. So a busy device is tried again for a second; but only for a tenth of one while a living
 * process is seen to hold it, see tun_find_holder().
 *
 * Return: as tun_attach().
 */
int tun_attach_wait(int fd, const char *name, pid_t *ret_holder)
{
        static const struct timespec pause = { .tv_nsec = ATTACH_PAUSE_USEC * 1000L };
        const uint64_t start = monotonic_usec();
        bool searched = false;
        pid_t holder = 0;

        for (;;) {
                uint64_t waited;
                int r;

                r = tun_attach(fd, name);
                if (r != -EBUSY)
                        return r;

                waited = monotonic_usec() - start;
                if (waited >= ATTACH_GRACE_USEC && !searched) {
                        searched = true; /* once: a search of /proc is slow */
                        (void) tun_find_holder(name, &holder);
                }
                if (holder > 0 || waited >= ATTACH_USEC)
                        break;

                (void) nanosleep(&pause, NULL);
        }

        *ret_holder = holder;
        return -EBUSY;
}

/**
 * tun_adopt() - accept a descriptor of a device that an earlier process created
 * @fd: a descriptor of any kind
 *
 * The name of the device does not matter here, see tun_name(). Reads of the descriptor block afterwards:
 * O_NONBLOCK belongs to the open file description, so every process that has the description sees the change.
 *
 * Return: 0; -ENODEV if it was a device that is deleted now; -EINVAL if it is anything else, a TAP device or
 *         one with several queues or with headers in front of packets included; or another negative errno.
 */
int tun_adopt(int fd)
{
        struct ifreq request = { 0 };
        int flags;

        if (ioctl(fd, TUNGETIFF, &request) < 0)
                return errno == EBADFD ? -ENODEV : -EINVAL;

        if ((request.ifr_flags & TUN_FLAGS_MASK) != TUN_FLAGS)
                return -EINVAL;

        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
                return -errno;

        return offloads_disable(fd);
}

/**
 * tun_name() - read the name of a device, which root can change
 * @fd: a descriptor of the device
 * @name: set to the name
 *
 * Return: 0, -ENODEV if the device is deleted, or another negative errno.
 */
int tun_name(int fd, char name[static IFNAMSIZ])
{
        struct ifreq request = { 0 };

        if (ioctl(fd, TUNGETIFF, &request) < 0)
                return errno == EBADFD ? -ENODEV : -errno;

        memcpy(name, request.ifr_name, IFNAMSIZ);
        name[IFNAMSIZ - 1] = '\0';
        return 0;
}

/* The network namespace of this process, by that of a socket: /proc may be hidden. */
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
 * tun_namespace() - open the network namespace of a device
 * @fd: a descriptor of the device
 * @ret_fd: set to a descriptor of the namespace, owned by the caller
 *
 * Needs CAP_NET_ADMIN in the user namespace that owns it.
 *
 * Return: 0, or a negative errno: -EINVAL or -ENOTTY before Linux 5.7, -EBADFD if the device is deleted.
 */
int tun_namespace(int fd, int *ret_fd)
{
        int namespace = ioctl(fd, TUNGETDEVNETNS);

        if (namespace < 0)
                return -errno;

        *ret_fd = namespace;
        return 0;
}

/**
 * tun_is_here() - check whether the device is in the network namespace of this process
 * @fd: a descriptor of the device
 *
 * Root can move a device; an interface with its name or its index here is another one then. Needs
 * CAP_NET_ADMIN.
 *
 * Return: 1 if it is, or if the kernel cannot say (before Linux 5.7); 0 if it is elsewhere, or deleted; or a
 *         negative errno.
 */
int tun_is_here(int fd)
{
        _cleanup_(close_fdp) int there = -1, here = -1;
        struct stat theirs, ours;
        int r;

        r = tun_namespace(fd, &there);
        if (r == -EINVAL || r == -ENOTTY)
                return 1;
        /* A namespace that another user namespace owns cannot be opened. */
        if (r == -EPERM || r == -EBADFD)
                return 0;
        if (r < 0)
                return r;

        r = own_namespace(&here);
        if (r < 0)
                return r;

        if (fstat(there, &theirs) < 0 || fstat(here, &ours) < 0)
                return -errno;

        return theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}
