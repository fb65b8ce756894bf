/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fuzzes http_request_parse(). An input is what a client sends; it arrives in pieces, too.
 *
 * A decision must be the same whatever follows, and a request that is accepted must have the form of one: its
 * lines are found again by a search for CR LF.
 */

#include <errno.h>
#include <string.h>

#include "client/http.h"
#include "common/util.h"
#include "fuzz.h"

#define PIECES 16

static int parse(struct http_request *ret_request, const uint8_t *data, size_t size)
{
        char *text = calloc(1, size > 0 ? size : 1);
        int r;

        must(text != NULL, "there is memory");
        if (size > 0)
                memcpy(text, data, size);
        r = http_request_parse(ret_request, text, size);
        must(size == 0 || memcmp(text, data, size) == 0, "the text is not changed");
        free(text);
        return r;
}

static void check_pieces(const uint8_t *data, size_t size, int result, const struct http_request *request)
{
        for (size_t i = 0; i < PIECES; i++) {
                struct http_request early;
                int r = parse(&early, data, size * i / PIECES);

                must(r == 0 || r == -EAGAIN, "a request is decided or not");
                must(r != 0 || result == 0, "a decision stays one");
                must(r != 0 || (early.status == request->status && early.head == request->head &&
                                early.openmetrics == request->openmetrics),
                     "a decision does not change");
        }
}

/* Of an accepted request: the lines up to an empty one behind the first that is not. */
static void check_lines(const uint8_t *data, size_t size)
{
        const char *text = (const char *) data;
        size_t n_lines = 0;

        for (;;) {
                const char *end = memmem(text, size, "\r\n", 2);
                size_t length;

                must(end != NULL, "a request has an empty line at its end");
                length = (size_t) (end - text);
                must(!memchr(text, '\n', length) && !memchr(text, '\r', length) &&
                             !memchr(text, '\0', length),
                     "a line has no CR, LF or NUL");
                if (length == 0 && n_lines > 0)
                        return;
                if (length > 0 && n_lines++ > 0)
                        must(memchr(text, ':', length) && *text != ' ' && *text != '\t',
                             "a field has a name and a colon");
                text += length + 2;
                size -= length + 2;
        }
}

static void check_head(const struct http_request *request, size_t content_size)
{
        char head[HTTP_HEAD_MAX];
        size_t size = http_head_format(head, request, content_size, (time_t) content_size);

        must(size < sizeof(head) && strlen(head) == size, "the head of the response fits");
        must(size > 4 && strcmp(head + size - 4, "\r\n\r\n") == 0, "it ends with an empty line");
        must(strstr(head, "\r\n\r\n") == head + size - 4, "it has no other");
}

static const char *outcome(const struct http_request *request)
{
        switch (request->status) {
        case HTTP_OK:
                return request->openmetrics ? "openmetrics" : "metrics";
        case HTTP_NOT_FOUND:
                return "not-found";
        case HTTP_METHOD_NOT_ALLOWED:
                return "not-allowed";
        case HTTP_BAD_REQUEST:
                return "bad";
        default:
                return "unknown";
        }
}

const char *fuzz_outcome(const uint8_t *data, size_t size)
{
        struct http_request request;
        int r;

        r = parse(&request, data, size);
        must(r == 0 || r == -EAGAIN, "a request is decided or not");
        must(r == 0 || size < HTTP_REQUEST_MAX, "a request that is too long is decided");
        check_pieces(data, size, r, &request);
        if (r < 0)
                return "incomplete";

        must(strcmp(outcome(&request), "unknown") != 0, "the status is one for a client");
        if (request.status != HTTP_BAD_REQUEST)
                check_lines(data, size);
        check_head(&request, size);
        return outcome(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        (void) fuzz_outcome(data, size);
        return 0;
}
