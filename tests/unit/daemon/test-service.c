/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The service manager, played by a socket: what it is told, word for word, and what becomes of the
 * descriptors that it passes in. They are taken in a child, whose descriptors from 3 on are its own business.
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

/* Where the descriptors begin that a manager passes in. */
#define FIRST 3

static int manager = -1;

/* What the manager was told last, and what came with it. */
static struct {
        char text[256];
        int fd; /* or -1 */
} told;

static bool receive(void)
{
        alignas(struct cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
        struct iovec data = { .iov_base = told.text, .iov_len = sizeof(told.text) - 1 };
        struct msghdr message = {
                .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
        };
        struct cmsghdr *header;
        ssize_t size;

        if (told.fd >= 0)
                close(told.fd);
        told.fd = -1;
        told.text[0] = '\0';

        size = recvmsg(manager, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (size < 0)
                return false;

        told.text[size] = '\0';
        for (header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
                if (header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)))
                        memcpy(&told.fd, CMSG_DATA(header), sizeof(int));

        return true;
}

/* Whether this, and nothing more, was told, without a descriptor. */
static bool was_told(const char *text)
{
        return receive() && strcmp(told.text, text) == 0 && told.fd < 0;
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

static int set_up_manager(void **state)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        socklen_t size = sizeof(address);
        char path[sizeof(address.sun_path) + 1];
        size_t length;

        (void) state;

        /* An address of the family alone has the kernel choose one, of the kind that begins with a zero. */
        manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (manager < 0 || bind(manager, (struct sockaddr *) &address, sizeof(sa_family_t)) < 0 ||
            getsockname(manager, (struct sockaddr *) &address, &size) < 0)
                return -1;

        length = size - offsetof(struct sockaddr_un, sun_path);
        memcpy(path, address.sun_path, length);
        path[0] = '@';
        path[length] = '\0';
        told.fd = -1;
        return setenv("NOTIFY_SOCKET", path, 1);
}

static int tear_down_manager(void **state)
{
        (void) state;

        (void) receive();
        close(manager);
        return unsetenv("NOTIFY_SOCKET");
}

static void test_words(void **state)
{
        (void) state;

        service_ready("ping 198.18.0.2");
        assert_true(was_told("READY=1\nSTATUS=ping 198.18.0.2\nERRNO=0"));
        service_status("12 packets, 12 replies, 0 dropped");
        assert_true(was_told("STATUS=12 packets, 12 replies, 0 dropped"));
        service_stopping();
        assert_true(was_told("STOPPING=1"));
        service_failed("Failed, the journal says why", -ENODEV);
        assert_true(was_told("STATUS=Failed, the journal says why\nERRNO=19"));
        service_failed("The settings are wrong", 0);
        assert_true(was_told("STATUS=The settings are wrong\nERRNO=0"));
        assert_false(receive());
}

/* A manager that does not read is not waited for, however much there is to tell. */
static void test_nobody_reads(void **state)
{
        unsigned n = 0;

        (void) state;

        (void) alarm(30);
        for (unsigned i = 0; i < 5000; i++)
                service_status("nobody reads");
        service_failed("it would have to wait", -EIO);
        service_stopping();
        (void) alarm(0);

        while (was_told("STATUS=nobody reads"))
                n++;
        assert_in_range(n, 1, 4999);
        assert_string_equal(told.text, "");

        service_status("somebody reads");
        assert_true(was_told("STATUS=somebody reads"));
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

        service_reloading();
        assert_true(receive());
        assert_int_equal(sscanf(told.text, "RELOADING=1\nMONOTONIC_USEC=%" SCNu64 "%c", &usec, &end), 1);
        assert_in_range(usec, before, now_usec());
}

static void test_store(void **state)
{
        int ends[2];

        (void) state;

        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(service_store(ends[0]), 1);
        assert_true(receive());
        assert_string_equal(told.text, "FDSTORE=1\nFDNAME=tun");
        assert_true(told.fd >= 0);
        assert_true(is_same_file(told.fd, ends[0]));
        assert_true(is_open(ends[0])); /* it stays the caller's */
        assert_false(receive());
        close(ends[0]);
        close(ends[1]);
}

static void test_store_of_a_manager_that_is_gone(void **state)
{
        (void) state;

        close(manager);
        manager = -1;
        assert_int_equal(service_store(STDIN_FILENO), -ECONNREFUSED);
        service_ready("nobody listens");
        service_stopping();
}

static void test_without_a_manager(void **state)
{
        char address[128];

        (void) state;

        (void) snprintf(address, sizeof(address), "%s", getenv("NOTIFY_SOCKET"));
        assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
        assert_int_equal(service_store(STDIN_FILENO), 0);
        service_ready("nobody listens");
        service_reloading();
        service_status("nobody listens");
        service_stopping();
        service_failed("nobody listens", -EIO);
        assert_false(receive());
        assert_int_equal(setenv("NOTIFY_SOCKET", address, 1), 0);
}

/* What was offered, and which of it is taken. */
struct offers {
        unsigned n;
        unsigned taken;
        char text[256];
};

static bool on_offer(void *userdata, int fd, const char *name)
{
        struct offers *offers = userdata;
        size_t used = strlen(offers->text);

        (void) snprintf(offers->text + used, sizeof(offers->text) - used, "%d:%s%s ", fd, name,
                        fcntl(fd, F_GETFD) == FD_CLOEXEC ? "" : " (would be inherited)");
        return offers->n++ == offers->taken;
}

/* In a child: pipes from FIRST on, as a manager passes them in. The manager's socket moves out of the way. */
static const char *pass_in(const char *count, const char *names, pid_t pid)
{
        char number[16];
        int ends[2];

        manager = fcntl(manager, F_DUPFD_CLOEXEC, FIRST + 20);
        if (manager < 0 || pipe(ends) < 0)
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

static const char *take_the_second(void)
{
        struct offers offers = { .taken = 1 };
        const char *failure = pass_in("3", "old:tun:tun", getpid());

        if (failure)
                return failure;
        if (service_take_descriptors(on_offer, &offers) < 0)
                return "they were not taken";
        if (strcmp(offers.text, "3:old 4:tun 5:tun ") != 0)
                return "other ones were offered, or they would be inherited";
        if (is_open(3) || !is_open(4) || is_open(5))
                return "the one that was wanted is to be open, and no other";
        if (!was_told("FDSTOREREMOVE=1\nFDNAME=old") || !was_told("FDSTOREREMOVE=1\nFDNAME=tun") || receive())
                return "those that nobody wanted are to be removed from the store";
        if (getenv("LISTEN_FDS") || getenv("LISTEN_PID") || getenv("LISTEN_FDNAMES"))
                return "a child of ours would take them for its own";
        if (service_take_descriptors(on_offer, &offers) != 0 || offers.n != 3)
                return "they were offered twice";

        return NULL;
}

static const char *take_unnamed(void)
{
        struct offers offers = { .taken = 9 };
        const char *failure = pass_in("1", NULL, getpid());

        if (failure)
                return failure;
        if (service_take_descriptors(on_offer, &offers) < 0 || strcmp(offers.text, "3:unknown ") != 0)
                return "it was not offered as unknown";
        if (is_open(3) || !is_open(4) || !was_told("FDSTOREREMOVE=1\nFDNAME=unknown"))
                return "it is to be closed and removed, and what was not passed in is to stay";

        return NULL;
}

static const char *leave_those_of_another(void)
{
        struct offers offers = { 0 };
        const char *failure = pass_in("3", "tun:tun:tun", getppid());

        if (failure)
                return failure;
        if (service_take_descriptors(on_offer, &offers) != 0 || offers.n != 0)
                return "they were offered";
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
                struct offers offers = { 0 };
                const char *failure = pass_in(nonsense[i].count, nonsense[i].names, getpid());

                if (failure)
                        return failure;
                if (service_take_descriptors(on_offer, &offers) >= 0 || offers.n != 0)
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

static void test_take_one_of_three(void **state)
{
        (void) state;

        assert_child(take_the_second);
}

static void test_take_unnamed(void **state)
{
        (void) state;

        assert_child(take_unnamed);
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
        struct offers offers = { 0 };

        (void) state;

        assert_int_equal(service_take_descriptors(on_offer, &offers), 0);
        assert_int_equal(offers.n, 0);
        assert_false(receive());
}

#define with_manager(test) cmocka_unit_test_setup_teardown(test, set_up_manager, tear_down_manager)

int main(void)
{
        const struct CMUnitTest tests[] = {
                with_manager(test_words),
                with_manager(test_nobody_reads),
                with_manager(test_reloading_has_the_time),
                with_manager(test_store),
                with_manager(test_store_of_a_manager_that_is_gone),
                with_manager(test_without_a_manager),
                with_manager(test_take_one_of_three),
                with_manager(test_take_unnamed),
                with_manager(test_leave_those_of_another),
                with_manager(test_refuse_nonsense),
                with_manager(test_nothing_passed_in),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
