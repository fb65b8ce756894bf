/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The journal and systemd receive datagrams, and a sender blocks while their queue is full. The data plane
 * does not send any, but SIGTERM would wait: a datagram that may be suppressed is sent only if there is
 * space.
 */

#include "daemon/receiver.h"

#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/util.h"

/**
 * receiver_has_space() - find out whether a datagram would be queued at once
 * @path: of the receiver's socket; one that begins with "@" is a name in the abstract namespace, unix(7)
 *
 * A socket that is connected to the receiver's is writable only while the queue there is not full.
 */
bool receiver_has_space(const char *path)
{
        _cleanup_(close_fdp) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        struct pollfd descriptor = { .fd = fd, .events = POLLOUT };
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        size_t size = strlen(path);

        if (fd < 0 || size >= sizeof(address.sun_path))
                return false;

        memcpy(address.sun_path, path, size);
        if (*path == '@')
                address.sun_path[0] = '\0';
        size += offsetof(struct sockaddr_un, sun_path) + (*path != '@');

        return connect(fd, (const struct sockaddr *) &address, (socklen_t) size) == 0 &&
               poll(&descriptor, 1, 0) > 0 && (descriptor.revents & POLLOUT) != 0;
}
