/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The device: created, adopted, renamed, busy. */

#include "net/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "net/tun-holder.h"
#include "netns.h"

static bool is_blocking(int fd)
{
        int flags = fcntl(fd, F_GETFL);

        return flags >= 0 && !(flags & O_NONBLOCK);
}

static const char *adopt(void)
{
        int copy, flags;
        struct netns netns;
        char name[IFNAMSIZ];

        CHECK(netns_open(&netns) && is_blocking(netns.tun_fd));
        flags = fcntl(netns.tun_fd, F_GETFL);
        CHECK(flags >= 0 && fcntl(netns.tun_fd, F_SETFL, flags | O_NONBLOCK) == 0);
        copy = dup(netns.tun_fd);
        CHECK(tun_adopt(copy) == 0 && is_blocking(copy) && is_blocking(netns.tun_fd));
        CHECK(tun_name(copy, name) == 0 && strcmp(name, "tun0") == 0);
        CHECK(tun_is_here(copy) == 1);

        CHECK(ip("link set tun0 down") && ip("link set tun0 name fifteen-letters"));
        CHECK(tun_adopt(copy) == 0 && tun_name(copy, name) == 0 && strcmp(name, "fifteen-letters") == 0);

        CHECK(ip("link del fifteen-letters"));
        CHECK(tun_adopt(copy) == -ENODEV && tun_name(copy, name) == -ENODEV && tun_is_here(copy) == 0);
        return NULL;
}

static const char *refuse_other_kinds(void)
{
        static const short kinds[] = {
                IFF_TAP | IFF_NO_PI,
                IFF_TUN | IFF_NO_PI | IFF_VNET_HDR,
                IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE,
        };
        struct netns netns;
        int pair[2];

        CHECK(netns_open(&netns));
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                struct ifreq request = { .ifr_name = "kind%d", .ifr_flags = kinds[i] };
                int fd;

                CHECK(tun_open(&fd) == 0 && ioctl(fd, TUNSETIFF, &request) == 0);
                CHECK(tun_adopt(fd) == -EINVAL);
        }

        CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0);
        CHECK(tun_adopt(pair[0]) == -EINVAL && tun_adopt(-1) == -EINVAL && tun_is_here(-1) == -EBADF);
        return NULL;
}

static const char *attach(void)
{
        struct netns netns;
        pid_t holder = -1;
        int fd;

        CHECK(netns_open(&netns) && tun_open(&fd) == 0 && is_blocking(fd));
        CHECK(tun_attach(fd, "tun0") == -EBUSY);
        CHECK(tun_attach_wait(fd, "lo", &holder) == -EINVAL);
        CHECK(tun_attach_wait(fd, "a-name-that-is-too-long", &holder) == -EINVAL);
        /* This process itself holds it, which is not reported. */
        CHECK(tun_attach_wait(fd, "tun0", &holder) == -EBUSY && holder == 0);
        CHECK(tun_attach_wait(fd, "tun1", &holder) == 0);
        return NULL;
}

/* Moves a descriptor into the queue of a socket, where no process is seen to hold it. */
static bool hide(int fd, int pair[2])
{
        char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
        struct iovec data = { .iov_base = &byte, .iov_len = sizeof(byte) };
        struct msghdr message = {
                .msg_iov = &data,
                .msg_iovlen = 1,
                .msg_control = control,
                .msg_controllen = sizeof(control),
        };
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
        if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0 || sendmsg(pair[0], &message, 0) < 0)
                return false;

        close(fd);
        return true;
}

/* The device is released while tun_attach_wait() waits. */
static const char *wait_for_release(void)
{
        pid_t child, holder = -1;
        struct netns netns;
        int fd, pair[2];

        CHECK(netns_open(&netns));
        CHECK(tun_open(&fd) == 0 && hide(netns.tun_fd, pair));
        child = fork();
        CHECK(child >= 0);
        if (child == 0) {
                (void) usleep(150000);
                _exit(0);
        }
        close(pair[0]);
        close(pair[1]);
        CHECK(tun_attach_wait(fd, "tun0", &holder) == 0 && holder == -1);
        CHECK(waitpid(child, NULL, 0) == child);
        return NULL;
}

/* A process that holds the device until it is killed. */
static pid_t start_holder(int fd)
{
        pid_t child = fork();

        if (child == 0) {
                (void) pause();
                _exit(0);
        }

        close(fd);
        return child;
}

static const char *name_the_holder(void)
{
        struct netns netns;
        pid_t child, holder = -1;
        int fd;

        CHECK(netns_open(&netns));
        CHECK(tun_find_holder("tun0", &holder) == -ESRCH && tun_find_holder("tun9", &holder) == -ESRCH);
        child = start_holder(netns.tun_fd);
        CHECK(child > 0 && tun_find_holder("tun0", &holder) == 0 && holder == child);
        CHECK(tun_find_holder("tun", &holder) == -ESRCH);
        holder = -1;
        CHECK(tun_open(&fd) == 0 && tun_attach_wait(fd, "tun0", &holder) == -EBUSY && holder == child);

        CHECK(kill(child, SIGKILL) == 0);
        CHECK(tun_attach_wait(fd, "tun0", &holder) == 0);
        CHECK(waitpid(child, NULL, 0) == child);
        return NULL;
}

int main(void)
{
        static const struct netns_case cases[] = {
                { "adopt", adopt, false },
                { "refuse_other_kinds", refuse_other_kinds, false },
                { "attach", attach, false },
                { "wait_for_release", wait_for_release, false },
                { "name_the_holder", name_the_holder, false },
        };

        return netns_run(cases, ARRAY_SIZE(cases));
}
