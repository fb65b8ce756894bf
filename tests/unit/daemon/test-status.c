/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The status socket, asked by clients of all kinds, in a directory as a service manager makes one. */

#include "daemon/status-socket.h"
#include "tunecho/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit.h"

static const char text[] = "TUNECHO_INTERFACE=tun0\nTUNECHO_PACKETS=12\n";

static char directory[] = "/tmp/tunecho-status-XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static struct status_socket *serve(void)
{
        struct status_socket *status = NULL;

        assert_int_equal(status_new(&status, "tun0", NULL), 0);
        assert_non_null(status);
        return status;
}

static int connect_client(void)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) == 0)
                return fd;

        close(fd);
        return -errno;
}

static void assert_told(int client)
{
        char answer[2 * sizeof(text)] = "";

        assert_int_equal(recv(client, answer, sizeof(answer), MSG_WAITALL), strlen(text));
        assert_string_equal(answer, text);
        assert_int_equal(recv(client, answer, sizeof(answer), 0), 0);
        close(client);
}

static void test_one_client(void **state)
{
        struct status_socket *status = serve();
        int client;

        (void) state;

        assert_int_equal(status_serve(status, text, strlen(text)), -EAGAIN);
        client = connect_client();
        assert_true(client >= 0);
        assert_int_equal(status_serve(status, text, strlen(text)), 0);
        assert_told(client);
        assert_int_equal(status_serve(status, text, strlen(text)), -EAGAIN);

        assert_null(status_free(status));
        assert_int_equal(access(address.sun_path, F_OK), -1);
        assert_int_equal(access(directory, F_OK), 0);
}

/* Those that do not read hold nothing up, and none of them costs a descriptor. */
static void test_many_clients(void **state)
{
        struct status_socket *status = serve();
        int clients[200], before, after;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
                clients[i] = connect_client();
                assert_true(clients[i] >= 0);
        }

        before = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
        for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
                assert_int_equal(status_serve(status, text, strlen(text)), 0);
        after = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
        assert_int_equal(after, before + 1);
        close(before);
        close(after);

        for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
                assert_told(clients[i]);
        status_free(status);
}

/* What it has sent, and that it is gone, is nobody's business. */
static void test_rude_clients(void **state)
{
        struct status_socket *status = serve();
        int client;

        (void) state;

        client = connect_client();
        close(client);
        assert_int_equal(status_serve(status, text, strlen(text)), 0);

        client = connect_client();
        assert_int_equal(send(client, "GET /", 5, 0), 5);
        assert_int_equal(status_serve(status, text, strlen(text)), 0);
        close(client);
        assert_int_equal(status_serve(status, text, strlen(text)), -EAGAIN);
        status_free(status);
}

static void test_everybody_may_ask(void **state)
{
        mode_t mask = umask(0077);
        struct status_socket *status = serve();
        struct stat found;

        (void) state;

        (void) umask(mask);
        assert_int_equal(stat(address.sun_path, &found), 0);
        assert_int_equal(found.st_mode & 0777, 0666);
        status_free(status);
}

/* A socket that is served is left alone, one that was left behind is replaced, and what is none is not ours. */
static void test_left_behind(void **state)
{
        struct status_socket *status = serve(), *other = NULL;
        int client, fd;

        (void) state;

        assert_int_equal(status_new(&other, "tun0", NULL), -EBUSY);
        assert_null(other);
        client = connect_client();
        assert_true(client >= 0);
        assert_int_equal(status_serve(status, text, strlen(text)), 0);
        assert_told(client);
        status_free(status);

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (const struct sockaddr *) &address, sizeof(address)), 0);
        close(fd);
        assert_int_equal(connect_client(), -ECONNREFUSED);
        status = serve();
        client = connect_client();
        assert_true(client >= 0);
        close(client);
        status_free(status);

        fd = open(address.sun_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(status_new(&other, "tun0", NULL), -EEXIST);
        assert_int_equal(unlink(address.sun_path), 0);
}

static void test_no_directory(void **state)
{
        char longest[300] = "/tmp/";
        struct status_socket *status = NULL;

        (void) state;

        assert_int_equal(setenv("RUNTIME_DIRECTORY", "/nonexistent/tunecho", 1), 0);
        assert_int_equal(status_new(&status, "tun0", NULL), -ENOENT);

        /* A directory there may be, but no socket has such a long name. */
        memset(longest + 5, 'x', 200);
        assert_int_equal(mkdir(longest, 0700), 0);
        assert_int_equal(setenv("RUNTIME_DIRECTORY", longest, 1), 0);
        assert_int_equal(status_new(&status, "tun0", NULL), -ENAMETOOLONG);
        assert_int_equal(rmdir(longest), 0);

        assert_int_equal(setenv("RUNTIME_DIRECTORY", directory, 1), 0);
        assert_null(status);
        assert_null(status_free(NULL));
}

static int set_up(void **state)
{
        (void) state;

        if (!mkdtemp(directory) || setenv("RUNTIME_DIRECTORY", directory, 1) < 0)
                return -1;

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/" STATUS_SOCKET, directory);
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
                cmocka_unit_test(test_many_clients),
                cmocka_unit_test(test_rude_clients),
                cmocka_unit_test(test_everybody_may_ask),
                cmocka_unit_test(test_left_behind),
                cmocka_unit_test(test_no_directory),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
