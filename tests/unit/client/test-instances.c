/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Reading instances in an event loop: their order, few descriptors, and cancellation. */

#include "client/instances.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "samples.h"
#include "unit.h"

#define N_INSTANCES 40

static char directory[] = "/tmp/tunecho-instances-XXXXXX";
static int listeners[N_INSTANCES];

/* Sockets whose clients connect, as the queue of the listener has room, and get no answer. */
static void listen_all(void)
{
        for (size_t i = 0; i < N_INSTANCES; i++) {
                struct sockaddr_un address = { .sun_family = AF_UNIX };

                (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/tun%zu", directory, i);
                assert_int_equal(mkdir(address.sun_path, 0700), 0);
                (void) strcat(address.sun_path, "/" STATUS_SOCKET);
                listeners[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
                assert_int_equal(bind(listeners[i], (struct sockaddr *) &address, sizeof(address)), 0);
                assert_int_equal(listen(listeners[i], 8), 0);
        }
}

/* Accept the next client of each, and answer it. */
static void answer_all(void)
{
        for (size_t i = 0; i < N_INSTANCES; i++) {
                struct snapshot sample;
                char name[32], text[STATUS_TEXT_MAX];
                int client = accept4(listeners[i], NULL, NULL, SOCK_CLOEXEC), size;

                (void) snprintf(name, sizeof(name), "tun%zu", i);
                sample = sample_snapshot(name);
                size = status_format(&sample.status, text, sizeof(text));
                assert_int_equal(send(client, text, (size_t) size, MSG_NOSIGNAL), size);
                close(client);
        }
}

static size_t count_descriptors(void)
{
        DIR *entries = opendir("/proc/self/fd");
        size_t n = 0;

        assert_non_null(entries);
        while (readdir(entries))
                n++;
        closedir(entries);
        return n;
}

static int on_read(void *userdata, const struct instances *instances)
{
        struct instances *copy = userdata;

        copy->n = instances->n;
        copy->snapshots = exact_copy(instances->snapshots, instances->n * sizeof(*instances->snapshots));
        return 0;
}

static struct instances read_in(sd_event *event, const struct instances_query *query, bool answer)
{
        struct instances_reader *reader = NULL;
        struct instances result = { 0 };

        assert_int_equal(instances_reader_new(&reader, event, query, on_read, &result), 0);
        if (answer) {
                assert_true(sd_event_run(event, UINT64_MAX) > 0);
                answer_all();
        }
        while (!result.snapshots)
                assert_true(sd_event_run(event, UINT64_MAX) > 0);

        assert_null(instances_reader_free(reader));
        return result;
}

static void test_found(void **state)
{
        const struct instances_query query = { .directory = directory, .timeout_msec = 60000 };
        struct instances instances = read_in(*state, &query, true);
        char name[32];

        assert_int_equal(instances.n, N_INSTANCES);
        for (size_t i = 0; i < instances.n; i++) {
                (void) snprintf(name, sizeof(name), "tun%zu", i);
                assert_int_equal(instances.snapshots[i].error, 0);
                assert_string_equal(instances.snapshots[i].status.interface, name);
                assert_int_equal(instances.snapshots[i].status.pid, 4711);
        }
        instances_free(&instances);
}

/* Each once, in the order of the query, with a reason if there is no answer. */
static void test_named(void **state)
{
        char tun7[] = "tun7", absent[] = "absent", tun3[] = "tun3";
        char *names[] = { tun7, absent, tun3, tun7, absent };
        const struct instances_query query = { directory, names, ARRAY_SIZE(names), .timeout_msec = 50 };
        struct instances instances = read_in(*state, &query, false);

        assert_int_equal(instances.n, 3);
        for (size_t i = 0; i < instances.n; i++) {
                assert_string_equal(instances.snapshots[i].status.interface, names[i]);
                assert_int_equal(instances.snapshots[i].error, i == 1 ? -ENOENT : -ETIMEDOUT);
        }
        instances_free(&instances);
}

/* One that has no such socket, as an older daemon, has answered all the same. */
static void test_sessions(void **state)
{
        const struct instances_query query = { .directory = directory, .sessions = true, .timeout_msec = 60000 };
        struct instances instances = read_in(*state, &query, true);

        assert_int_equal(instances.n, N_INSTANCES);
        for (size_t i = 0; i < instances.n; i++) {
                assert_int_equal(instances.snapshots[i].error, 0);
                assert_int_equal(instances.snapshots[i].sessions_error, -ENOENT);
                assert_null(instances.snapshots[i].sessions);
        }
        instances_free(&instances);
}

/* All that a reader has opened, it closes; neither its handler nor its sources run any more. */
static void test_cancelled(void **state)
{
        const struct instances_query query = { .directory = directory, .timeout_msec = 60000 };
        size_t n_before = count_descriptors();
        struct instances instances = { 0 };
        struct instances_reader *reader = NULL;

        assert_int_equal(instances_reader_new(&reader, *state, &query, on_read, &instances), 0);
        assert_true(sd_event_run(*state, UINT64_MAX) > 0);
        assert_int_equal(count_descriptors(), n_before + N_INSTANCES);
        assert_null(instances_reader_free(reader));
        assert_int_equal(count_descriptors(), n_before);
        assert_int_equal(sd_event_run(*state, 0), 0);
        assert_null(instances.snapshots);
        assert_null(instances_reader_free(NULL));
}

/* With five descriptors left, those that do not answer time out in groups of five. */
static void test_few_descriptors(void **state)
{
        const struct instances_query query = { .directory = directory, .timeout_msec = 10 };
        int next = dup(STDIN_FILENO);
        struct rlimit before, few;
        struct instances instances;

        close(next);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        few = (struct rlimit) { (rlim_t) next + 5, before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        instances = read_in(*state, &query, false);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

        assert_int_equal(instances.n, N_INSTANCES);
        for (size_t i = 0; i < instances.n; i++)
                assert_int_equal(instances.snapshots[i].error, -ETIMEDOUT);
        instances_free(&instances);
}

static void test_no_directory(void **state)
{
        struct instances_query query = { .directory = "/nonexistent", .timeout_msec = 10 };
        struct instances instances = { 0 };

        (void) state;

        assert_int_equal(instances_read(&instances, &query), 0);
        assert_int_equal(instances.n, 0);
        query.directory = "/dev/null";
        assert_int_equal(instances_read(&instances, &query), -ENOTDIR);
        instances_free(&instances);
}

static int set_up(void **state)
{
        sd_event *event = NULL;

        if (!mkdtemp(directory) || sd_event_new(&event) < 0)
                return -1;

        listen_all();
        *state = event;
        return 0;
}

static int tear_down(void **state)
{
        char path[128];

        for (size_t i = 0; i < N_INSTANCES; i++) {
                close(listeners[i]);
                (void) snprintf(path, sizeof(path), "%s/tun%zu/" STATUS_SOCKET, directory, i);
                (void) unlink(path);
                *strrchr(path, '/') = '\0';
                (void) rmdir(path);
        }

        (void) sd_event_unref(*state);
        return rmdir(directory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_found),
                cmocka_unit_test(test_sessions),
                cmocka_unit_test(test_cancelled),
                cmocka_unit_test(test_named),
                cmocka_unit_test(test_few_descriptors),
                cmocka_unit_test(test_no_directory),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
