/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Both sockets, with clients of all kinds, in a directory as systemd makes one. */

#include "daemon/status-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tunecho/sessions.h"
#include "tunecho/status.h"
#include "unit.h"

/* For what is expected to happen soon: a failure takes so long. */
#define TIMEOUT_USEC 60000000

static char directory[] = "/tmp/tunecho-status-XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX }, sessions_address = { .sun_family = AF_UNIX };

/* A server, and how many clients of each socket it has answered. */
struct served {
        struct status_server *server;
        sd_event *event;
        uint64_t n_read, n_sessions;
};

static void send_status(void *userdata, int client)
{
        struct served *served = userdata;
        struct status status = {
                .interface = "tun0",
                .state = "running",
                .version = "1.0",
                .engine = "syscall",
                .packets = ++served->n_read,
        };
        char text[STATUS_TEXT_MAX];
        int size = status_format(&status, text, sizeof(text));

        assert_true(size > 0);
        (void) send(client, text, (size_t) size, MSG_NOSIGNAL);
}

static void send_sessions(void *userdata, int client)
{
        struct served *served = userdata;

        served->n_sessions++;
        (void) send(client, "sessions", strlen("sessions"), MSG_NOSIGNAL);
}

static void serve(struct served *served)
{
        *served = (struct served) { 0 };
        assert_int_equal(status_server_new(&served->server, "tun0", NULL), 0);
        assert_non_null(served->server);
        assert_true(sd_event_new(&served->event) >= 0);
        assert_int_equal(status_server_attach(served->server, served->event, send_status, send_sessions, served),
                         0);
}

static void done(struct served *served)
{
        assert_null(status_server_free(served->server));
        assert_null(sd_event_unref(served->event));
}

/* Whether there was a client. */
static bool answer(struct served *served)
{
        int r = sd_event_run(served->event, 0);

        assert_true(r >= 0);
        return r > 0;
}

static int connect_to(const struct sockaddr_un *to)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        if (connect(fd, (const struct sockaddr *) to, sizeof(*to)) == 0)
                return fd;

        close(fd);
        return -errno;
}

static int connect_client(void)
{
        return connect_to(&address);
}

/* The whole status, which is the n-th one, and the end of the file. */
static void assert_answered(int client, uint64_t n)
{
        char text[STATUS_TEXT_MAX];
        struct status status;
        ssize_t size;

        size = recv(client, text, sizeof(text), MSG_WAITALL);
        assert_in_range(size, 1, sizeof(text) - 1);
        text[size] = '\0';
        assert_int_equal(status_parse(&status, text, (size_t) size), 0);
        assert_string_equal(status.interface, "tun0");
        assert_string_equal(status.state, "running");
        assert_int_equal(status.packets, n);
        assert_int_equal(recv(client, text, sizeof(text), 0), 0);
        close(client);
}

static void test_one_client(void **state)
{
        struct served served;
        int client;

        (void) state;

        serve(&served);
        assert_false(answer(&served));
        client = connect_client();
        assert_true(client >= 0);
        assert_true(answer(&served));
        assert_answered(client, 1);
        assert_false(answer(&served));

        done(&served);
        assert_int_equal(access(address.sun_path, F_OK), -1);
        assert_int_equal(access(directory, F_OK), 0);
}

/* Each socket has its own answer. */
static void test_sessions(void **state)
{
        struct served served;
        char text[64] = "";
        int client;

        (void) state;

        serve(&served);
        client = connect_to(&sessions_address);
        assert_true(client >= 0);
        assert_true(answer(&served));
        assert_int_equal(recv(client, text, sizeof(text) - 1, MSG_WAITALL), strlen("sessions"));
        assert_string_equal(text, "sessions");
        close(client);
        assert_int_equal(served.n_sessions, 1);
        assert_int_equal(served.n_read, 0);

        done(&served);
        assert_int_equal(access(sessions_address.sun_path, F_OK), -1);
}

/* Clients that do not read hold nothing up, and none of them costs a descriptor. */
static void test_many_clients(void **state)
{
        struct served served;
        int clients[200], before, after;

        (void) state;

        serve(&served);
        for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
                clients[i] = connect_client();
                assert_true(clients[i] >= 0);
        }

        before = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
        for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
                assert_true(answer(&served));
        after = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
        assert_int_equal(after, before + 1);
        close(before);
        close(after);

        for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
                assert_answered(clients[i], i + 1);
        assert_false(answer(&served));
        done(&served);
}

/* What a client sends is not read, and one that has closed is no failure. */
static void test_rude_clients(void **state)
{
        struct served served;
        int client;

        (void) state;

        serve(&served);
        client = connect_client();
        close(client);
        assert_true(answer(&served));

        client = connect_client();
        assert_int_equal(send(client, "GET /", 5, 0), 5);
        assert_true(answer(&served));
        close(client);
        assert_false(answer(&served));

        client = connect_client();
        assert_true(answer(&served));
        assert_answered(client, 3);
        done(&served);
}

/* Without a descriptor for it a client waits, without keeping the processor busy, and is answered later. */
static void test_no_descriptors(void **state)
{
        struct rlimit before, none;
        struct served served;
        int client;

        (void) state;

        serve(&served);
        client = connect_client();
        assert_true(client >= 0);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        none = (struct rlimit) { 0, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        assert_true(answer(&served));
        assert_int_equal(served.n_read, 0);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

        for (unsigned i = 0; i < 2; i++)
                assert_true(sd_event_run(served.event, TIMEOUT_USEC) > 0);
        assert_answered(client, 1);
        done(&served);
}

static void test_everybody_may_ask(void **state)
{
        mode_t mask = umask(0077);
        struct served served;
        struct stat found;

        (void) state;

        serve(&served);
        (void) umask(mask);
        assert_int_equal(stat(address.sun_path, &found), 0);
        assert_int_equal(found.st_mode & 0777, 0666);
        done(&served);
}

/* A socket that is served stays, one that was left behind is replaced, and another file of its name stays. */
static void test_left_behind(void **state)
{
        struct status_server *other = NULL;
        struct served served;
        int client, fd;

        (void) state;

        serve(&served);
        assert_int_equal(status_server_new(&other, "tun0", NULL), -EBUSY);
        assert_null(other);
        client = connect_client();
        assert_true(client >= 0);
        assert_true(answer(&served));
        assert_answered(client, 1);
        done(&served);

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (const struct sockaddr *) &address, sizeof(address)), 0);
        close(fd);
        assert_int_equal(connect_client(), -ECONNREFUSED);
        serve(&served);
        client = connect_client();
        assert_true(client >= 0);
        close(client);
        done(&served);

        fd = open(address.sun_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(status_server_new(&other, "tun0", NULL), -EEXIST);
        assert_int_equal(unlink(address.sun_path), 0);

        assert_int_equal(mkdir(sessions_address.sun_path, 0700), 0);
        assert_int_equal(status_server_new(&other, "tun0", NULL), -EEXIST);
        assert_int_equal(access(address.sun_path, F_OK), -1);
        assert_int_equal(rmdir(sessions_address.sun_path), 0);
}

static void test_no_directory(void **state)
{
        char longest[300] = "/tmp/";
        struct status_server *server = NULL;

        (void) state;

        assert_int_equal(setenv("RUNTIME_DIRECTORY", "/nonexistent/tunecho", 1), 0);
        assert_int_equal(status_server_new(&server, "tun0", NULL), -ENOENT);

        /* The directory exists, but no socket has such a long name. */
        memset(longest + 5, 'x', 200);
        assert_int_equal(mkdir(longest, 0700), 0);
        assert_int_equal(setenv("RUNTIME_DIRECTORY", longest, 1), 0);
        assert_int_equal(status_server_new(&server, "tun0", NULL), -ENAMETOOLONG);
        assert_int_equal(rmdir(longest), 0);

        assert_int_equal(setenv("RUNTIME_DIRECTORY", directory, 1), 0);
        assert_null(server);
        assert_null(status_server_free(NULL));
}

static int set_up(void **state)
{
        (void) state;

        if (!mkdtemp(directory) || setenv("RUNTIME_DIRECTORY", directory, 1) < 0)
                return -1;

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/" STATUS_SOCKET, directory);
        (void) snprintf(sessions_address.sun_path, sizeof(address.sun_path), "%s/" SESSIONS_SOCKET, directory);
        return 0;
}

static int tear_down(void **state)
{
        (void) state;

        (void) unlink(address.sun_path);
        return rmdir(directory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_client),
                cmocka_unit_test(test_sessions),
                cmocka_unit_test(test_many_clients),
                cmocka_unit_test(test_rude_clients),
                cmocka_unit_test(test_no_descriptors),
                cmocka_unit_test(test_everybody_may_ask),
                cmocka_unit_test(test_left_behind),
                cmocka_unit_test(test_no_directory),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
