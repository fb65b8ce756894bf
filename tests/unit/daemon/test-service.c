/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A socket stands for systemd: the notifications as a whole, and the descriptors that systemd passes in.
 * These are received in a child process, whose descriptors from 3 on are free.
 */

#include "daemon/service.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

/* The first descriptor that systemd passes in. */
#define FIRST 3

static int notify_fd = -1;

/* The last notification, and the descriptor that came with it. */
static struct {
        char text[256];
        int fd; /* or -1 */
} received;

static bool receive(void)
{
        alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
        struct iovec data = { .iov_base = received.text, .iov_len = sizeof(received.text) - 1 };
        struct msghdr message = {
                .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
        };
        struct cmsghdr *header;
        ssize_t size;

        if (received.fd >= 0)
                close(received.fd);
        received.fd = -1;
        received.text[0] = '\0';

        size = recvmsg(notify_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (size < 0)
                return false;

        received.text[size] = '\0';
        for (header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
                if (header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)))
                        memcpy(&received.fd, CMSG_DATA(header), sizeof(int));

        return true;
}

/* Whether the next notification is this one, without a descriptor. */
static bool was_received(const char *text)
{
        return receive() && strcmp(received.text, text) == 0 && received.fd < 0;
}

static bool is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

static bool is_same_file(int a, int b)
{
        struct stat one, other;

        return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
               one.st_ino == other.st_ino;
}

static int set_up_socket(void **state)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        socklen_t size = sizeof(address);
        char path[sizeof(address.sun_path) + 1];
        size_t length;

        (void) state;

        /* An address of the family alone has the kernel choose one, of the kind that begins with a zero. */
        notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (notify_fd < 0 || bind(notify_fd, (struct sockaddr *) &address, sizeof(sa_family_t)) < 0 ||
            getsockname(notify_fd, (struct sockaddr *) &address, &size) < 0)
                return -1;

        length = size - offsetof(struct sockaddr_un, sun_path);
        memcpy(path, address.sun_path, length);
        path[0] = '@';
        path[length] = '\0';
        received.fd = -1;
        return setenv("NOTIFY_SOCKET", path, 1);
}

static int tear_down_socket(void **state)
{
        (void) state;

        (void) receive();
        close(notify_fd);
        return unsetenv("NOTIFY_SOCKET");
}

static void test_texts(void **state)
{
        (void) state;

        assert_true(service_send_ready("ping 198.18.0.2") > 0);
        assert_true(was_received("READY=1\nSTATUS=ping 198.18.0.2\nERRNO=0"));
        assert_true(service_send_status("12 packets, 12 replies, 0 dropped"));
        assert_true(was_received("STATUS=12 packets, 12 replies, 0 dropped"));
        service_send_watchdog();
        assert_true(was_received("WATCHDOG=1"));
        service_send_stopping();
        assert_true(was_received("STOPPING=1"));
        service_send_failed("Failed, the journal says why", -ENODEV);
        assert_true(was_received("STATUS=Failed, the journal says why\nERRNO=19"));
        service_send_failed("The settings are wrong", 0);
        assert_true(was_received("STATUS=The settings are wrong\nERRNO=0"));
        assert_false(receive());
}

/* Nothing waits for a systemd that does not read. */
static void test_full_socket(void **state)
{
        unsigned n = 0;

        (void) state;

        (void) alarm(30);
        for (unsigned i = 0; i < 5000; i++)
                (void) service_send_status("full");
        assert_false(service_send_status("full"));
        service_send_failed("it would have to wait", -EIO);
        service_send_watchdog();
        service_send_stopping();
        (void) alarm(0);

        while (was_received("STATUS=full"))
                n++;
        assert_in_range(n, 1, 4999);
        assert_string_equal(received.text, "");

        assert_true(service_send_status("empty again"));
        assert_true(was_received("STATUS=empty again"));
}

static uint64_t now_usec(void)
{
        struct timespec now;

        assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static void test_reloading_has_the_time(void **state)
{
        uint64_t before = now_usec(), usec;
        char end;

        (void) state;

        service_send_reloading();
        assert_true(receive());
        assert_int_equal(sscanf(received.text, "RELOADING=1\nMONOTONIC_USEC=%" SCNu64 "%c", &usec, &end), 1);
        assert_in_range(usec, before, now_usec());
}

static void test_store(void **state)
{
        int ends[2];

        (void) state;

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(service_store_device(ends[0]), 1);
        assert_true(receive());
        assert_string_equal(received.text, "FDSTORE=1\nFDNAME=tun");
        assert_true(received.fd >= 0);
        assert_true(is_same_file(received.fd, ends[0]));
        assert_true(is_open(ends[0])); /* it stays the caller's */
        assert_false(receive());
        close(ends[0]);
        close(ends[1]);
}

static void test_store_without_receiver(void **state)
{
        (void) state;

        close(notify_fd);
        notify_fd = -1;
        assert_int_equal(service_store_device(STDIN_FILENO), -ECONNREFUSED);
        assert_int_equal(service_send_ready("not received"), -ECONNREFUSED);
        assert_false(service_send_status("not received"));
        service_send_watchdog();
        service_send_stopping();
}

static void test_without_systemd(void **state)
{
        char address[128];

        (void) state;

        (void) snprintf(address, sizeof(address), "%s", getenv("NOTIFY_SOCKET"));
        assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
        assert_int_equal(service_store_device(STDIN_FILENO), 0);
        assert_int_equal(service_send_ready("not received"), 0);
        service_send_reloading();
        assert_true(service_send_status("not received"));
        service_send_watchdog();
        service_send_stopping();
        service_send_failed("not received", -EIO);
        assert_false(receive());
        assert_int_equal(setenv("NOTIFY_SOCKET", address, 1), 0);
}

/* The descriptors that the handler was called for, and which of them it owns. */
struct handled {
        unsigned n;
        unsigned owned;
        char text[256];
};

static bool on_descriptor(void *userdata, int fd, const char *name)
{
        struct handled *handled = userdata;
        size_t used = strlen(handled->text);

        (void) snprintf(handled->text + used, sizeof(handled->text) - used, "%d:%s%s ", fd, name,
                        fcntl(fd, F_GETFD) == FD_CLOEXEC ? "" : " (would be inherited)");
        return handled->n++ == handled->owned;
}

/* In a child: pipes from FIRST on, as systemd passes them in. The socket of the test gets another number. */
static const char *pass_in(const char *count, const char *names, pid_t pid)
{
        char number[16];
        int ends[2];

        notify_fd = fcntl(notify_fd, F_DUPFD_CLOEXEC, FIRST + 20);
        if (notify_fd < 0 || pipe(ends) < 0)
                return "cannot make the descriptors";

        for (int fd = FIRST; fd < FIRST + 3; fd++)
                if (dup2(ends[0], FIRST + 10) < 0 || dup2(FIRST + 10, fd) < 0)
                        return "cannot place the descriptors";

        (void) snprintf(number, sizeof(number), "%d", (int) pid);
        if (setenv("LISTEN_PID", number, 1) < 0 || setenv("LISTEN_FDS", count, 1) < 0 ||
            (names && setenv("LISTEN_FDNAMES", names, 1) < 0))
                return "cannot set the environment";

        return NULL;
}

static const char *own_the_second(void)
{
        struct handled handled = { .owned = 1 };
        const char *failure = pass_in("3", "old:tun:tun", getpid());

        if (failure)
                return failure;
        if (service_receive_descriptors(on_descriptor, &handled) < 0)
                return "they were not received";
        if (strcmp(handled.text, "3:old 4:tun 5:tun ") != 0)
                return "the handler was called for others, or they would be inherited";
        if (is_open(3) || !is_open(4) || is_open(5))
                return "the one that is owned should be open, and no other";
        if (!was_received("FDSTOREREMOVE=1\nFDNAME=old") || !was_received("FDSTOREREMOVE=1\nFDNAME=tun") ||
            receive())
                return "the others should be removed from the store";
        if (getenv("LISTEN_FDS") || getenv("LISTEN_PID") || getenv("LISTEN_FDNAMES"))
                return "a child process would use them";
        if (service_receive_descriptors(on_descriptor, &handled) != 0 || handled.n != 3)
                return "the handler was called twice";

        return NULL;
}

static const char *own_unnamed(void)
{
        struct handled handled = { .owned = 9 };
        const char *failure = pass_in("1", NULL, getpid());

        if (failure)
                return failure;
        if (service_receive_descriptors(on_descriptor, &handled) < 0 ||
            strcmp(handled.text, "3:unknown ") != 0)
                return "its name is not unknown";
        if (is_open(3) || !is_open(4) || !was_received("FDSTOREREMOVE=1\nFDNAME=unknown"))
                return "it is to be closed and removed, and what was not passed in is to stay";

        return NULL;
}

static const char *leave_those_of_another(void)
{
        struct handled handled = { 0 };
        const char *failure = pass_in("3", "tun:tun:tun", getppid());

        if (failure)
                return failure;
        if (service_receive_descriptors(on_descriptor, &handled) != 0 || handled.n != 0)
                return "the handler was called";
        if (!is_open(3) || !is_open(4) || !is_open(5) || receive())
                return "they were touched";

        return NULL;
}

static const char *refuse_nonsense(void)
{
        static const struct {
                const char *count, *names;
        } nonsense[] = {
                { "three", "tun" },
                { "-1", "tun" },
                { "99999999999", "tun" },
                { "1", "tun:other" },
                { "2", "tun" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(nonsense); i++) {
                struct handled handled = { 0 };
                const char *failure = pass_in(nonsense[i].count, nonsense[i].names, getpid());

                if (failure)
                        return failure;
                if (service_receive_descriptors(on_descriptor, &handled) >= 0 || handled.n != 0)
                        return nonsense[i].count;
        }

        return NULL;
}

static void assert_child(child_function function)
{
        const char *failure = in_child(function, NULL, 0);

        if (failure)
                fail_msg("%s", failure);
}

static void test_own_one_of_three(void **state)
{
        (void) state;

        assert_child(own_the_second);
}

static void test_own_unnamed(void **state)
{
        (void) state;

        assert_child(own_unnamed);
}

static void test_leave_those_of_another(void **state)
{
        (void) state;

        assert_child(leave_those_of_another);
}

static void test_refuse_nonsense(void **state)
{
        (void) state;

        assert_child(refuse_nonsense);
}

static void test_nothing_passed_in(void **state)
{
        struct handled handled = { 0 };

        (void) state;

        assert_int_equal(service_receive_descriptors(on_descriptor, &handled), 0);
        assert_int_equal(handled.n, 0);
        assert_false(receive());
}

#define with_socket(test) cmocka_unit_test_setup_teardown(test, set_up_socket, tear_down_socket)

int main(void)
{
        const struct CMUnitTest tests[] = {
                with_socket(test_texts),
                with_socket(test_full_socket),
                with_socket(test_reloading_has_the_time),
                with_socket(test_store),
                with_socket(test_store_without_receiver),
                with_socket(test_without_systemd),
                with_socket(test_own_one_of_three),
                with_socket(test_own_unnamed),
                with_socket(test_leave_those_of_another),
                with_socket(test_refuse_nonsense),
                with_socket(test_nothing_passed_in),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
