/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A parser for one HTTP request, and the head of the response.
 *
 * The parser is called again with the whole text whenever more of it has arrived. It decides as soon as a
 * line is wrong, else at the empty line that ends the header; a decision never changes when more text
 * follows. Of what RFC 9112 lets a server accept or reject, it rejects all but empty lines before a request:
 * a bare CR or LF, a blank before a colon, a folded line.
 */

#include "client/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/util.h"

#define PATH "/metrics"

/* A part of the request; not terminated. */
struct text {
        const char *bytes;
        size_t size;
};

/* What the fields of the header have in common. */
struct header {
        unsigned minor_version;
        bool has_host, has_length, has_coding;
        struct http_accept accept;
};

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static int hex_value(char c)
{
        const char *digits = "0123456789abcdef", *found;

        if (c >= 'A' && c <= 'F')
                c = (char) (c - 'A' + 'a');
        found = c == '\0' ? NULL : strchr(digits, c);
        return found ? (int) (found - digits) : -1;
}

/* A token (RFC 9110, section 5.6.2). */
static bool is_token(struct text text)
{
        for (size_t i = 0; i < text.size; i++)
                if (!is_digit(text.bytes[i]) && !is_letter(text.bytes[i]) &&
                    (text.bytes[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", text.bytes[i])))
                        return false;

        return text.size > 0;
}

/* Characters of a URI (RFC 3986), and percent-encoded ones; @more are allowed, too. */
static bool is_uri(struct text text, const char *more)
{
        for (size_t i = 0; i < text.size; i++) {
                char c = text.bytes[i];

                if (c == '%' && text.size - i > 2 && hex_value(text.bytes[i + 1]) >= 0 &&
                    hex_value(text.bytes[i + 2]) >= 0)
                        i += 2;
                else if (!is_digit(c) && !is_letter(c) &&
                         (c == '\0' || (!strchr("-._~!$&'()*+,;=", c) && !strchr(more, c))))
                        return false;
        }

        return true;
}

/* A host and an optional port; empty, if the URI of the request has no authority. */
static bool is_host(struct text text)
{
        const char *end = NULL;
        struct text name = text;

        if (text.size > 0 && text.bytes[0] == '[') {
                end = memchr(text.bytes, ']', text.size);
                name.size = end ? (size_t) (end - text.bytes) + 1 : 0;
                if (name.size < 3 || !is_uri((struct text) { name.bytes + 1, name.size - 2 }, ":"))
                        return false;
        } else {
                end = memchr(text.bytes, ':', text.size);
                name.size = end ? (size_t) (end - text.bytes) : text.size;
                if (!is_uri(name, ""))
                        return false;
        }

        if (name.size < text.size && text.bytes[name.size] != ':')
                return false;
        for (size_t i = name.size + 1; i < text.size; i++)
                if (!is_digit(text.bytes[i]))
                        return false;

        return true;
}

static bool equals(struct text text, const char *word)
{
        return text.size == strlen(word) && memcmp(text.bytes, word, text.size) == 0;
}

static bool equals_ignoring_case(struct text text, const char *word)
{
        return text.size == strlen(word) && strncasecmp(text.bytes, word, text.size) == 0;
}

/* Whether a valid path is the one of the metrics; a character may be percent-encoded. */
static bool is_path_of_metrics(struct text path)
{
        const char *expected = PATH;

        for (size_t i = 0; i < path.size; i++) {
                int c = path.bytes[i];

                if (c == '%') {
                        c = hex_value(path.bytes[i + 1]) << 4 | hex_value(path.bytes[i + 2]);
                        i += 2;
                }
                if (*expected == '\0' || c != *expected++)
                        return false;
        }

        return *expected == '\0';
}

/* Remove the text before the delimiter, and that, from the rest. */
static bool split(struct text *rest, char delimiter, struct text *ret_first)
{
        const char *end = memchr(rest->bytes, delimiter, rest->size);

        if (!end)
                return false;

        *ret_first = (struct text) { rest->bytes, (size_t) (end - rest->bytes) };
        *rest = (struct text) { end + 1, rest->size - ret_first->size - 1 };
        return true;
}

/* Remove the next line from the rest: 0, -EAGAIN if it is incomplete, -EBADMSG if a character is wrong. */
static int read_line(struct text *rest, struct text *ret_line)
{
        for (size_t i = 0; i < rest->size; i++) {
                unsigned char c = (unsigned char) rest->bytes[i];

                if (c == '\r' && i + 1 == rest->size)
                        return -EAGAIN;
                if (c == '\r' && rest->bytes[i + 1] == '\n') {
                        *ret_line = (struct text) { rest->bytes, i };
                        *rest = (struct text) { rest->bytes + i + 2, rest->size - i - 2 };
                        return 0;
                }
                if ((c < ' ' && c != '\t') || c == 0x7f)
                        return -EBADMSG;
        }

        return -EAGAIN;
}

/* The request target in its four forms (RFC 9112, section 3.2); a query does not matter. */
static int parse_target(struct http_request *request, struct text method, struct text target)
{
        static const char scheme[] = "http://";
        bool readable = equals(method, "GET") || equals(method, "HEAD");
        struct text path = target, authority, query;

        request->status = HTTP_METHOD_NOT_ALLOWED;
        if (equals(method, "CONNECT"))
                return target.size > 0 && is_host(target) ? 0 : -EBADMSG;
        if (equals(method, "OPTIONS") && equals(target, "*"))
                return 0;

        if (target.size >= strlen(scheme) && strncasecmp(target.bytes, scheme, strlen(scheme)) == 0) {
                path.bytes += strlen(scheme);
                path.size -= strlen(scheme);
                authority = path;
                authority.size = 0;
                while (authority.size < path.size && !strchr("/?", path.bytes[authority.size]))
                        authority.size++;
                if (authority.size == 0 || !is_host(authority))
                        return -EBADMSG;

                path.bytes += authority.size;
                path.size -= authority.size;
        } else if (path.size == 0 || path.bytes[0] != '/') {
                return -EBADMSG;
        }

        if (!is_uri(path, ":@/?"))
                return -EBADMSG;

        query = path;
        (void) split(&query, '?', &path);
        if (!is_path_of_metrics(path))
                request->status = HTTP_NOT_FOUND;
        else if (readable)
                request->status = HTTP_OK;
        return 0;
}

/* A later minor version than 1.1 is handled as 1.1 (RFC 9110, section 2.5). */
static int parse_request_line(struct http_request *request, struct header *header, struct text line)
{
        static const char version[] = "HTTP/1.";
        struct text method, target;

        if (!split(&line, ' ', &method) || !is_token(method) || !split(&line, ' ', &target))
                return -EBADMSG;

        request->head = equals(method, "HEAD");
        if (line.size != strlen(version) + 1 || memcmp(line.bytes, version, strlen(version)) != 0 ||
            !is_digit(line.bytes[strlen(version)]))
                return -EBADMSG;

        header->minor_version = (unsigned) (line.bytes[strlen(version)] - '0');
        return parse_target(request, method, target);
}

/* The content of a request is not read, but its framing has to be valid (RFC 9112, section 6). */
static bool add_framing(struct header *header, struct text name, struct text value)
{
        if (equals_ignoring_case(name, "Content-Length")) {
                for (size_t i = 0; i < value.size; i++)
                        if (!is_digit(value.bytes[i]))
                                return false;
                if (header->has_length || value.size == 0)
                        return false;

                header->has_length = true;
        } else if (equals_ignoring_case(name, "Transfer-Encoding")) {
                if (header->has_coding || header->minor_version == 0 ||
                    !equals_ignoring_case(value, "chunked"))
                        return false;

                header->has_coding = true;
        }

        return !header->has_length || !header->has_coding;
}

static int parse_field(struct header *header, struct text value)
{
        struct text name;

        if (!split(&value, ':', &name) || !is_token(name))
                return -EBADMSG;

        while (value.size > 0 && strchr(" \t", value.bytes[0])) {
                value.bytes++;
                value.size--;
        }
        while (value.size > 0 && strchr(" \t", value.bytes[value.size - 1]))
                value.size--;

        if (equals_ignoring_case(name, "Host")) {
                if (header->has_host || !is_host(value))
                        return -EBADMSG;

                header->has_host = true;
        } else if (equals_ignoring_case(name, "Accept")) {
                http_accept_parse(&header->accept, value.bytes, value.size);
        }

        return add_framing(header, name, value) ? 0 : -EBADMSG;
}

static int parse(struct http_request *request, struct text rest)
{
        struct header header = { 0 };
        struct text line;
        int r;

        /* Some clients send an empty line behind the content of the request before. */
        do
                r = read_line(&rest, &line);
        while (r == 0 && line.size == 0);
        if (r == 0)
                r = parse_request_line(request, &header, line);
        if (r < 0)
                return r;

        while ((r = read_line(&rest, &line)) == 0 && line.size > 0) {
                r = parse_field(&header, line);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;

        request->openmetrics = header.accept.openmetrics > 0 &&
                               header.accept.openmetrics >= header.accept.text;
        return header.has_host || header.minor_version == 0 ? 0 : -EBADMSG;
}

/**
 * http_request_parse() - parse a request for the metrics
 * @ret_request: the response that the request gets; undefined before the decision
 * @text: all that has arrived of the request; what follows its header is ignored
 * @size: size of the text in bytes; more than HTTP_REQUEST_MAX are not read
 *
 * Whatever is malformed, longer than HTTP_REQUEST_MAX or of another major version gets HTTP_BAD_REQUEST.
 *
 * Return: 0, or -EAGAIN if the header is not complete.
 */
int http_request_parse(struct http_request *ret_request, const char *text, size_t size)
{
        bool full = size >= HTTP_REQUEST_MAX;
        int r;

        *ret_request = (struct http_request) { 0 };
        r = parse(ret_request, (struct text) { text, full ? HTTP_REQUEST_MAX : size });
        if (r == -EAGAIN && !full)
                return r;

        if (r < 0)
                ret_request->status = HTTP_BAD_REQUEST;
        return 0;
}

/**
 * http_status_reason() - name a status
 * @status: the status
 *
 * Return: the reason phrase of RFC 9110.
 */
const char *http_status_reason(enum http_status status)
{
        switch (status) {
        case HTTP_OK:
                return "OK";
        case HTTP_BAD_REQUEST:
                return "Bad Request";
        case HTTP_NOT_FOUND:
                return "Not Found";
        case HTTP_METHOD_NOT_ALLOWED:
                return "Method Not Allowed";
        default:
                return "Internal Server Error";
        }
}

static const char *content_type(const struct http_request *request)
{
        if (request->status != HTTP_OK)
                return "text/plain; charset=utf-8";

        return request->openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                    : "text/plain; version=0.0.4; charset=utf-8";
}

/**
 * http_head_format() - format the head of a response
 * @text: buffer for the text, which is terminated
 * @request: the request
 * @content_size: size of the content in bytes, even if the method is HEAD
 * @now: the time for the field Date, of CLOCK_REALTIME
 *
 * Return: size of the text without the terminator.
 */
size_t http_head_format(char text[static HTTP_HEAD_MAX], const struct http_request *request,
                        size_t content_size, time_t now)
{
        char date[40] = "";
        struct tm utc;
        int size;

        /* A server without a clock sends no Date. */
        if (gmtime_r(&now, &utc))
                (void) strftime(date, sizeof(date), "Date: %a, %d %b %Y %T GMT\r\n", &utc);

        size = snprintf(text, HTTP_HEAD_MAX,
                        "HTTP/1.1 %d %s\r\n"
                        "%s%s"
                        "Content-Type: %s\r\n"
                        "Content-Length: %zu\r\n"
                        "Vary: Accept\r\n"
                        "Connection: close\r\n"
                        "\r\n",
                        (int) request->status, http_status_reason(request->status), date,
                        request->status == HTTP_METHOD_NOT_ALLOWED ? "Allow: GET, HEAD\r\n" : "",
                        content_type(request), content_size);
        return (size_t) size;
}
