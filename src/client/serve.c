/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * tunechoctl metrics --http: answer one HTTP request on standard input and output, a connection that systemd
 * has accepted.
 *
 *     read request -> read instances -> write response -> discard, until the client closes
 *
 * Every step is bounded: the request in size and time, the instances by their own timeout, the response and
 * what follows it in time. A client that is too slow, or closes, ends the program without an error, because
 * any client can cause that.
 */

#include "client/serve.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "client/ctl.h"
#include "client/http.h"
#include "client/print.h"
#include "common/util.h"

#define STEP_USEC (5 * UINT64_C(1000000))

static int wait_for(int fd, short events, uint64_t deadline_usec)
{
        struct pollfd poll_fd = { .fd = fd, .events = events };
        uint64_t now = monotonic_usec();
        int n;

        if (now >= deadline_usec)
                return -ETIMEDOUT;

        n = poll(&poll_fd, 1, (int) ((deadline_usec - now + 999) / 1000));
        if (n < 0)
                return errno == EINTR ? -EAGAIN : -errno;

        return n == 0 ? -ETIMEDOUT : 0;
}

/* Read what has arrived: its size, 0 at the end, or a negative errno. */
static ssize_t read_some(char *buffer, size_t size, uint64_t deadline_usec)
{
        ssize_t n;
        int r;

        do {
                r = wait_for(STDIN_FILENO, POLLIN, deadline_usec);
                n = r == 0 ? read(STDIN_FILENO, buffer, size) : 0;
                if (n < 0)
                        r = errno == EINTR ? -EAGAIN : -errno;
        } while (r == -EAGAIN);

        return r < 0 ? r : n;
}

/* -ENODATA: the client has closed without a request. */
static int read_request(struct http_request *ret_request)
{
        uint64_t deadline_usec = monotonic_usec() + STEP_USEC;
        char text[HTTP_REQUEST_MAX];
        size_t used = 0;
        ssize_t n;
        int r;

        do {
                n = read_some(text + used, sizeof(text) - used, deadline_usec);
                if (n < 0)
                        return (int) n;
                if (n == 0 && used == 0)
                        return -ENODATA;
                if (n == 0) {
                        *ret_request = (struct http_request) { .status = HTTP_BAD_REQUEST };
                        return 0;
                }

                used += (size_t) n;
                r = http_request_parse(ret_request, text, used);
        } while (r == -EAGAIN);

        return r;
}

/* Write without waiting in the system call. A pipe that is writable has space for PIPE_BUF bytes. */
static ssize_t write_some(const char *bytes, size_t size)
{
        ssize_t n;

        n = send(STDOUT_FILENO, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == ENOTSOCK)
                n = write(STDOUT_FILENO, bytes, size < PIPE_BUF ? size : PIPE_BUF);
        return n < 0 ? -errno : n;
}

static int write_all(const char *bytes, size_t size, uint64_t deadline_usec)
{
        while (size > 0) {
                ssize_t n;
                int r;

                r = wait_for(STDOUT_FILENO, POLLOUT, deadline_usec);
                n = r == 0 ? write_some(bytes, size) : r;
                if (n == -EAGAIN || n == -EINTR)
                        continue;
                if (n < 0)
                        return (int) n;

                bytes += n;
                size -= (size_t) n;
        }

        return 0;
}

/*
 * If data of the client were unread when the connection is closed, TCP would reset it, and the client might
 * lose the response (RFC 9112, section 9.6).
 */
static void close_connection(uint64_t deadline_usec)
{
        char discarded[4096];

        if (shutdown(STDOUT_FILENO, SHUT_WR) < 0)
                return;

        while (read_some(discarded, sizeof(discarded), deadline_usec) > 0)
                ;
}

/* Print the content of the response. Without metrics, the status becomes HTTP_INTERNAL_SERVER_ERROR. */
static int print_content(struct http_request *request, const struct ctl_options *options, FILE *file)
{
        _cleanup_(instances_free) struct instances instances = { 0 };
        int status = 0, r;

        if (request->status == HTTP_OK) {
                r = instances_read(&instances, &options->query);
                if (r < 0) {
                        status = ctl_print_error(r, options->query.directory);
                        request->status = HTTP_INTERNAL_SERVER_ERROR;
                }
        }

        if (request->status == HTTP_OK)
                metrics_print(&instances, request->openmetrics, file);
        else
                fprintf(file, "%d %s\n", (int) request->status, http_status_reason(request->status));
        return status;
}

static void free_text(char **text)
{
        free(*text);
}

static int answer(struct http_request *request, const struct ctl_options *options)
{
        _cleanup_(free_text) char *content = NULL;
        size_t content_size = 0, head_size;
        char head[HTTP_HEAD_MAX];
        uint64_t deadline_usec;
        FILE *file;
        int status, r;

        file = open_memstream(&content, &content_size);
        if (!file)
                return ctl_print_error(-errno, "cannot print");

        status = print_content(request, options, file);
        if (fclose(file) != 0)
                return ctl_print_error(-errno, "cannot print");

        deadline_usec = monotonic_usec() + STEP_USEC;
        head_size = http_head_format(head, request, content_size, time(NULL));
        r = write_all(head, head_size, deadline_usec);
        if (r == 0 && !request->head)
                r = write_all(content, content_size, deadline_usec);
        if (r == 0)
                close_connection(deadline_usec);

        return status;
}

/**
 * serve_metrics() - answer one HTTP request for the metrics on standard input and output
 * @options: which instances; the request chooses the format
 *
 * Return: 0, whatever the client did, or an exit status of sysexits(3).
 */
int serve_metrics(const struct ctl_options *options)
{
        struct http_request request;
        int r;

        (void) signal(SIGPIPE, SIG_IGN);

        r = read_request(&request);
        if (r == -ETIMEDOUT || r == -ENODATA || r == -ECONNRESET)
                return 0;
        if (r < 0)
                return ctl_print_error(r, "cannot read the request");

        return answer(&request, options);
}
