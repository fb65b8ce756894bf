/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "netns.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>

#include "net/tun.h"

#define CASES_MAX 16

/**
 * netns_add_tun() - create a TUN device
 * @name: its name
 * @ret_fd: set to its descriptor; it is deleted when the process ends
 *
 * Return: whether that worked.
 */
bool netns_add_tun(const char *name, int *ret_fd)
{
        return tun_open(ret_fd) == 0 && tun_attach(*ret_fd, name) == 0;
}

static bool fill(struct netns *netns)
{
        if (netlink_open(&netns->netlink) < 0 || !netns_add_tun("tun0", &netns->tun_fd))
                return false;

        netns->index = if_nametoindex("tun0");
        return netns->index > 0 && ip("link set lo up") && ip("link set tun0 up");
}

/**
 * netns_open() - move to a new network namespace with tun0, up and without addresses
 * @ret_netns: set to the device and a socket for requests; the end of the process closes them
 *
 * Return: whether that worked.
 */
bool netns_open(struct netns *ret_netns)
{
        return !become_root(CLONE_NEWNET) && fill(ret_netns);
}

/**
 * netns_open_as_root() - the same without a new user namespace, so that there are other users
 * @ret_netns: as of netns_open()
 *
 * Return: whether that worked.
 */
bool netns_open_as_root(struct netns *ret_netns)
{
        return unshare(CLONE_NEWNET) == 0 && fill(ret_netns);
}

/**
 * ip() - run ip(8), as an administrator would
 * @arguments: its arguments, a format of printf(3)
 *
 * Return: whether it succeeded.
 */
bool ip(const char *arguments, ...)
{
        char command[512] = "ip ";
        va_list list;
        int status;

        va_start(list, arguments);
        (void) vsnprintf(command + strlen(command), sizeof(command) - strlen(command), arguments, list);
        va_end(list);

        status = system(command);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/**
 * ip_shows() - check what ip(8) prints
 * @arguments: its arguments
 * @text: the text to look for
 *
 * Return: whether it printed the text.
 */
bool ip_shows(const char *arguments, const char *text)
{
        char command[256], output[65536];
        size_t size;
        FILE *pipe;

        (void) snprintf(command, sizeof(command), "ip %s", arguments);
        pipe = popen(command, "re");
        if (!pipe)
                return false;

        size = fread(output, 1, sizeof(output) - 1, pipe);
        output[size] = '\0';
        (void) pclose(pipe);
        return strstr(output, text);
}

/**
 * ip_shows_soon() - the same for what the kernel finishes a moment later, such as the routes of an IPv6
 * address
 * @arguments: as of ip_shows()
 * @text: as of ip_shows()
 *
 * Return: whether it printed the text within some seconds.
 */
bool ip_shows_soon(const char *arguments, const char *text)
{
        for (int i = 0; i < 500; i++) {
                if (ip_shows(arguments, text))
                        return true;
                (void) usleep(10000);
        }

        return false;
}

/**
 * sysctl_set() - set a kernel parameter
 * @path: below /proc/sys
 * @value: its value
 *
 * Return: whether that worked.
 */
bool sysctl_set(const char *path, const char *value)
{
        char full[128];
        _cleanup_(close_fdp) int fd = -1;

        (void) snprintf(full, sizeof(full), "/proc/sys/%s", path);
        fd = open(full, O_WRONLY | O_CLOEXEC);
        return fd >= 0 && write(fd, value, strlen(value)) == (ssize_t) strlen(value);
}

/**
 * sysctl_is() - check a kernel parameter
 * @path: below /proc/sys
 * @value: the value that it should have
 *
 * Return: whether it has.
 */
bool sysctl_is(const char *path, const char *value)
{
        char full[128], text[64] = "";
        _cleanup_(close_fdp) int fd = -1;

        (void) snprintf(full, sizeof(full), "/proc/sys/%s", path);
        fd = open(full, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
                return false;

        text[strcspn(text, "\n")] = '\0';
        return strcmp(text, value) == 0;
}

static const char *try_namespace(void)
{
        struct netns netns;

        return netns_open(&netns) ? NULL : "no network namespace, no TUN device, or no ip(8)";
}

static const char *try_root(void)
{
        struct netns netns;

        return netns_open_as_root(&netns) && setuid(1) == 0 ? NULL : "not root";
}

static void test_in_namespace(void **state)
{
        const struct netns_case *test = *state;
        const char *failure = in_child(test->function, NULL, 0);

        if (failure)
                fail_msg("%s", failure);
}

/**
 * netns_run() - run cases, each in a process of its own that calls netns_open()
 * @cases: the cases
 * @n: how many there are
 *
 * Where there are no namespaces, no TUN device or no ip(8), all of them are skipped.
 *
 * Return: the exit status of the program.
 */
int netns_run(const struct netns_case *cases, size_t n)
{
        bool possible = in_child(try_namespace, NULL, 0) == NULL, root = in_child(try_root, NULL, 0) == NULL;
        struct CMUnitTest tests[CASES_MAX] = { 0 };

        if (n > ARRAY_SIZE(tests))
                abort();

        for (size_t i = 0; i < n; i++) {
                tests[i] = (struct CMUnitTest) {
                        .name = cases[i].name,
                        .test_func = test_in_namespace,
                        .initial_state = (void *) (uintptr_t) &cases[i],
                };
                if (cases[i].as_root)
                        skip_unless(root, &tests[i], "needs root, /dev/net/tun and ip(8)");
                else
                        skip_unless(possible, &tests[i], "needs a network namespace, /dev/net/tun and ip(8)");
        }

        return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
