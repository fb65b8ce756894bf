/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * What the client knows of HTTP/1.1 (RFC 9110, RFC 9112): a request for the metrics, and the head of its
 * response. Nothing in this module touches a file descriptor, a clock, the heap or a global variable.
 */

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#define HTTP_REQUEST_MAX 8192 /* bytes up to the empty line that ends the header */
#define HTTP_HEAD_MAX    512  /* bytes of the head of a response, and a terminator */

enum http_status {
        HTTP_OK = 200,
        HTTP_BAD_REQUEST = 400,
        HTTP_NOT_FOUND = 404,
        HTTP_METHOD_NOT_ALLOWED = 405,
        HTTP_INTERNAL_SERVER_ERROR = 500,
};

struct http_request {
        enum http_status status; /* of the response */
        bool head;               /* the method is HEAD: the response has no content */
        bool openmetrics;        /* the client prefers OpenMetrics 1.0.0 */
};

/* The weights of an Accept field, in thousandths; text/plain has that of the most specific range. */
struct http_accept {
        unsigned openmetrics;
        unsigned text, text_specificity;
};

int http_request_parse(struct http_request *ret_request, const char *text, size_t size);
void http_accept_parse(struct http_accept *accept, const char *value, size_t size);

const char *http_status_reason(enum http_status status);
size_t http_head_format(char text[static HTTP_HEAD_MAX], const struct http_request *request,
                        size_t content_size, time_t now);
