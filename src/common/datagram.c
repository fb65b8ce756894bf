/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Sockets of others that take datagrams, such as the journal's and the service manager's. */

#include "common/datagram.h"

#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/util.h"

/**
 * datagram_is_read() - tell whether a datagram would be taken at once
 * @path: of the socket; one that begins with "@" is a name in the abstract namespace, unix(7)
 *
 * Whoever sends to a reader that does not read has to wait for it, for as long as that takes. A socket
 * that is connected to the reader's is writable only if the queue there is not full.
 */
bool datagram_is_read(const char *path)
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
