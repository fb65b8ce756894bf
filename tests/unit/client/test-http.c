/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The parser of HTTP requests, for every prefix of each, and the head of a response. */

#include "client/http.h"

#include <errno.h>
#include <string.h>

#include "unit.h"

#define GET  "GET /metrics HTTP/1.1\r\n"
#define HOST "Host: localhost:19818\r\n"
#define END  "\r\n"

#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define ERROR_TYPE       "text/plain; charset=utf-8"
#define ALLOW            "Allow: GET, HEAD\r\n"

#define TOKENS "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static struct http_request request;

/* A copy of the exact size, for the sanitizer. */
static int parse(const char *text, size_t size)
{
        char *copy = exact_copy(text, size);
        int r;

        r = http_request_parse(&request, copy, size);
        free(copy);
        return r;
}

/* Every prefix is incomplete or has the final result, and what follows the header does not matter. */
static void assert_result(const char *text, size_t size, enum http_status status, bool at_end)
{
        char more[2 * HTTP_REQUEST_MAX];
        bool decided = false;

        for (size_t n = 0; n <= size; n++) {
                int r = parse(text, n);

                if (r == -EAGAIN && !decided && n < size)
                        continue;
                if (r != 0 || request.status != status)
                        fail_msg("%d, status %d after %zu bytes of: %s", r, (int) request.status, n, text);
                if (at_end && n < size)
                        fail_msg("a decision after %zu bytes of: %s", n, text);
                decided = true;
        }

        memcpy(more, text, size);
        (void) strcpy(more + size, GET END "\nx");
        assert_int_equal(parse(more, size + strlen(GET END "\nx")), 0);
        assert_int_equal(request.status, status);
}

static const struct {
        const char *text;
        enum http_status status;
} valid[] = {
        { GET HOST END, HTTP_OK },
        { GET "Host:\r\n" END, HTTP_OK },
        { GET "hOST:localhost\r\n" END, HTTP_OK },
        { GET "Host: \t [::1]:19818 \t\r\n" END, HTTP_OK },
        { GET "Host: a-b.example.:\r\n" END, HTTP_OK },
        { GET "Host: %41\r\n" END, HTTP_OK },
        { "\r\n" GET HOST END, HTTP_OK },
        { "\r\n\r\n" GET HOST END, HTTP_OK },
        { "HEAD /metrics HTTP/1.1\r\n" HOST END, HTTP_OK },
        { "GET /metrics HTTP/1.0\r\n" END, HTTP_OK },
        { "GET /metrics HTTP/1.0\r\n" HOST END, HTTP_OK },
        { "GET /metrics HTTP/1.9\r\n" HOST END, HTTP_OK },
        { "GET /metrics? HTTP/1.1\r\n" HOST END, HTTP_OK },
        { "GET /metrics?a=/b&c=%2f?d HTTP/1.1\r\n" HOST END, HTTP_OK },
        { "GET /%6Detric%73 HTTP/1.1\r\n" HOST END, HTTP_OK },
        { "GET http://localhost:19818/metrics HTTP/1.1\r\n" HOST END, HTTP_OK },
        { "GET HTTP://[::1]/metrics?a HTTP/1.1\r\n" HOST END, HTTP_OK },
        { GET HOST "X:\r\nY: a:b \x80\xff\tc\r\n" TOKENS ": d\r\n" END, HTTP_OK },
        { GET HOST "Content-Length: 5\r\n" END "hello", HTTP_OK },
        { GET HOST "Transfer-Encoding: Chunked\r\n" END, HTTP_OK },
        { GET HOST "Accept: \",;=\r\nAccept:\r\nAccept: ;;,,;q,=\r\n" END, HTTP_OK },

        { "GET / HTTP/1.1\r\n" HOST END, HTTP_NOT_FOUND },
        { "GET /metric HTTP/1.1\r\n" HOST END, HTTP_NOT_FOUND },
        { "GET /metrics/ HTTP/1.1\r\n" HOST END, HTTP_NOT_FOUND },
        { "GET /metricsx HTTP/1.1\r\n" HOST END, HTTP_NOT_FOUND },
        { "GET /Metrics HTTP/1.1\r\n" HOST END, HTTP_NOT_FOUND },
        { "GET //metrics HTTP/1.1\r\n" HOST END, HTTP_NOT_FOUND },
        { "GET /metrics%00 HTTP/1.1\r\n" HOST END, HTTP_NOT_FOUND },
        { "GET /%3fmetrics HTTP/1.1\r\n" HOST END, HTTP_NOT_FOUND },
        { "GET /?/metrics HTTP/1.1\r\n" HOST END, HTTP_NOT_FOUND },
        { "GET http://localhost HTTP/1.1\r\n" HOST END, HTTP_NOT_FOUND },
        { "GET http://localhost?/metrics HTTP/1.1\r\n" HOST END, HTTP_NOT_FOUND },
        { "POST /x HTTP/1.1\r\n" HOST END, HTTP_NOT_FOUND },

        { "POST /metrics HTTP/1.1\r\n" HOST "Content-Length: 0\r\n" END, HTTP_METHOD_NOT_ALLOWED },
        { "get /metrics HTTP/1.1\r\n" HOST END, HTTP_METHOD_NOT_ALLOWED },
        { TOKENS " /metrics HTTP/1.1\r\n" HOST END, HTTP_METHOD_NOT_ALLOWED },
        { "OPTIONS * HTTP/1.1\r\n" HOST END, HTTP_METHOD_NOT_ALLOWED },
        { "OPTIONS /metrics HTTP/1.1\r\n" HOST END, HTTP_METHOD_NOT_ALLOWED },
        { "CONNECT localhost:80 HTTP/1.1\r\n" HOST END, HTTP_METHOD_NOT_ALLOWED },
};

/* The decision comes with the empty line, not before. */
static void test_valid(void **state)
{
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(valid); i++) {
                const char *body = strstr(valid[i].text, "\r\n\r\nhello");
                size_t size = strlen(valid[i].text) - (body ? strlen("hello") : 0);

                assert_result(valid[i].text, size, valid[i].status, true);
        }
}

static const char *const malformed[] = {
        /* request line */
        "GET\r\n",
        "GET /metrics\r\n",
        "GET  /metrics HTTP/1.1\r\n",
        "GET /metrics  HTTP/1.1\r\n",
        "GET /metrics HTTP/1.1 \r\n",
        "GET /metrics \r\n",
        " GET /metrics HTTP/1.1\r\n",
        "\tGET /metrics HTTP/1.1\r\n",
        "GET\t/metrics\tHTTP/1.1\r\n",
        " /metrics HTTP/1.1\r\n",
        "G(T /metrics HTTP/1.1\r\n",
        "G\xc3\x84T /metrics HTTP/1.1\r\n",
        /* version */
        "GET /metrics HTTP/0.9\r\n",
        "GET /metrics HTTP/2.0\r\n",
        "GET /metrics HTTP/1.\r\n",
        "GET /metrics HTTP/1.10\r\n",
        "GET /metrics HTTP/1\r\n",
        "GET /metrics HTTP/11.1\r\n",
        "GET /metrics http/1.1\r\n",
        "GET /metrics HTTPS/1.1\r\n",
        "GET /metrics HTTP/1.x\r\n",
        "PRI * HTTP/2.0\r\n",
        "\x16\x03\x01\x02",
        /* target */
        "GET metrics HTTP/1.1\r\n",
        "GET * HTTP/1.1\r\n",
        "GET ?/metrics HTTP/1.1\r\n",
        "GET /metrics#x HTTP/1.1\r\n",
        "GET /metrics\" HTTP/1.1\r\n",
        "GET /m%etrics HTTP/1.1\r\n",
        "GET /metrics% HTTP/1.1\r\n",
        "GET /metrics%2 HTTP/1.1\r\n",
        "GET /metrics%2g HTTP/1.1\r\n",
        "GET /m\xc3\xa9trics HTTP/1.1\r\n",
        "GET https://localhost/metrics HTTP/1.1\r\n",
        "GET http:///metrics HTTP/1.1\r\n",
        "GET http:/metrics HTTP/1.1\r\n",
        "GET http://user@localhost/metrics HTTP/1.1\r\n",
        "GET http://localhost:x/metrics HTTP/1.1\r\n",
        "GET localhost:80 HTTP/1.1\r\n",
        "CONNECT /metrics HTTP/1.1\r\n",
        /* line ends and control characters */
        "\n",
        "\r\r",
        "GET /metrics HTTP/1.1\n",
        "GET /metrics HTTP/1.1\r\r\n",
        GET "Host: x\n",
        GET HOST "\n",
        GET HOST "X: a\rb\r\n",
        GET HOST "X: a\x01z\r\n",
        GET HOST "X: a\x7fz\r\n",
        /* fields */
        GET " Host: x\r\n",
        GET HOST " folded\r\n",
        GET HOST "X: a\r\n b\r\n",
        GET HOST "\tb\r\n",
        GET HOST "X\r\n",
        GET HOST ": a\r\n",
        GET HOST "X : a\r\n",
        GET HOST "X Y: a\r\n",
        GET HOST "X\xe9: a\r\n",
        /* host */
        GET END,
        GET "Hosts: localhost\r\n" END,
        GET HOST HOST,
        "GET /metrics HTTP/1.0\r\n" HOST HOST,
        GET "Host: a b\r\n",
        GET "Host: a, b\r\n",
        GET "Host: a/b\r\n",
        GET "Host: user@a\r\n",
        GET "Host: a:b\r\n",
        GET "Host: a:1:2\r\n",
        GET "Host: [::1\r\n",
        GET "Host: []\r\n",
        GET "Host: [::1]x\r\n",
        GET "Host: [/]\r\n",
        GET "Host: %4\r\n",
        /* framing */
        GET HOST "Content-Length:\r\n",
        GET HOST "Content-Length: -1\r\n",
        GET HOST "Content-Length: 5x\r\n",
        GET HOST "Content-Length: 5, 5\r\n",
        GET HOST "Content-Length: 5\r\nContent-Length: 6\r\n",
        GET HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        GET HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        GET HOST "Transfer-Encoding: gzip\r\n",
        GET HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "GET /metrics HTTP/1.0\r\nTransfer-Encoding: chunked\r\n",
};

static void test_malformed(void **state)
{
        static const char zeros[][40] = { "G\0T /metrics HTTP/1.1\r\n", "GET /met\0ics HTTP/1.1\r\n",
                                          "GET /metrics HTTP/1.1\r\nX: \0\r\n\r\n" };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
                assert_result(malformed[i], strlen(malformed[i]), HTTP_BAD_REQUEST, false);
        for (size_t i = 0; i < ARRAY_SIZE(zeros); i++)
                assert_result(zeros[i], sizeof(zeros[i]), HTTP_BAD_REQUEST, false);
}

/* A header of HTTP_REQUEST_MAX bytes is the longest that is accepted. */
static void test_size(void **state)
{
        static const char *const begins[] = { "GET /metrics?", GET HOST "X: ", GET HOST };
        static const char *const ends[] = { " HTTP/1.0\r\n\r\n", "\r\n\r\n", ": x\r\n\r\n" };
        char text[HTTP_REQUEST_MAX + 64];

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
                for (size_t more = 0; more < 2; more++) {
                        size_t size = HTTP_REQUEST_MAX + more, end = strlen(ends[i]);

                        memset(text, 'x', sizeof(text));
                        memcpy(text, begins[i], strlen(begins[i]));
                        memcpy(text + size - end, ends[i], end);
                        assert_int_equal(parse(text, HTTP_REQUEST_MAX - 1), -EAGAIN);
                        assert_int_equal(parse(text, size), 0);
                        assert_int_equal(request.status, more == 0 ? HTTP_OK : HTTP_BAD_REQUEST);
                }
}

static void test_method(void **state)
{
        (void) state;

        assert_int_equal(parse(GET HOST END, strlen(GET HOST END)), 0);
        assert_false(request.head);
        assert_int_equal(parse("HEAD /x HTTP/1.1\r\n\r\n", 20), 0);
        assert_int_equal(request.status, HTTP_BAD_REQUEST);
        assert_true(request.head);
}

static void test_accept(void **state)
{
        static const struct {
                const char *fields;
                bool openmetrics;
        } rules[] = {
                { "", false },
                { "Accept: */*\r\n", false },
                { "Accept: application/*\r\n", false },
                { "Accept: text/html\r\n", false },
                { "Accept: text/plain;version=0.0.4\r\n", false },
                { "Accept: application/openmetrics-text\r\n", true },
                { "Accept: application/openmetrics-text; version=1.0.0\r\n", true },
                { "accept:\tAPPLICATION/OpenMetrics-Text ;\tVersion=\"1.0.0\" ; charset=utf-8;\r\n", true },
                { "Accept: application/openmetrics-text; version=0.0.1\r\n", false },
                { "Accept: application/openmetrics-text; version=2.0.0\r\n", false },
                { "Accept: application/openmetrics-text; version=1.0.0; q=0\r\n", false },
                { "Accept: application/openmetrics-text; version=1.0.0; q=0.000\r\n", false },
                { "Accept: application/openmetrics-text; version=1.0.0; q=0.001\r\n", true },
                { "Accept: application/openmetrics-text; q=0.0001\r\n", false },
                { "Accept: application/openmetrics-text; q=1.001\r\n", false },
                { "Accept: application/openmetrics-text; q=2\r\n", false },
                { "Accept: application/openmetrics-text; q=\r\n", false },
                { "Accept: application/openmetrics-text; q=1x\r\n", false },
                { "Accept: application/openmetrics-text; q=0.x\r\n", false },
                { "Accept: application/openmetrics-text; q\r\n", false },
                { "Accept: application/openmetrics-text; a=\"x,y;q=0\"; q=1\r\n", true },
                { "Accept: x; a=\"\\\",application/openmetrics-text\"\r\n", false },
                { "Accept: text/plain\r\nAccept: application/openmetrics-text;q=0.5\r\n", false },
                { "Accept: text/plain;q=0.4\r\nAccept: application/openmetrics-text;q=0.5\r\n", true },
                { "Accept: application/openmetrics-text;q=0.5,*/*\r\n", false },
                { "Accept: application/openmetrics-text;q=0.5,text/*;q=0.9,*/*;q=0.1\r\n", false },
                { "Accept: application/openmetrics-text;q=0.5,text/plain;q=0.1,*/*\r\n", true },
                { "Accept: */*,text/plain;version=0.0.4;q=0.1,text/plain,application/openmetrics-text;"
                  "q=0.5\r\n",
                  true },
                { "Accept: text/plain;version=1.0.0;q=0.9,application/openmetrics-text;q=0.5\r\n", true },
                /* Prometheus 2.42 and 3.0 */
                { "Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                  "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n",
                  true },
                { "Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                  "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;"
                  "escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,/;q=0.1\r\n",
                  true },
        };
        char text[1024];

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                int size = snprintf(text, sizeof(text), "%s%s%s%s", GET, HOST, rules[i].fields, END);

                assert_int_equal(parse(text, (size_t) size), 0);
                assert_int_equal(request.status, HTTP_OK);
                if (request.openmetrics != rules[i].openmetrics)
                        fail_msg("%s", rules[i].fields);
        }
}

static void test_head(void **state)
{
        static const struct {
                struct http_request request;
                const char *first, *type, *allow;
        } rules[] = {
                { { HTTP_OK, false, false }, "200 OK", "text/plain; version=0.0.4; charset=utf-8", "" },
                { { HTTP_OK, true, true }, "200 OK", OPENMETRICS_TYPE, "" },
                { { HTTP_BAD_REQUEST, false, false }, "400 Bad Request", ERROR_TYPE, "" },
                { { HTTP_NOT_FOUND, false, true }, "404 Not Found", ERROR_TYPE, "" },
                { { HTTP_METHOD_NOT_ALLOWED, false, false }, "405 Method Not Allowed", ERROR_TYPE, ALLOW },
                { { HTTP_INTERNAL_SERVER_ERROR, false, false }, "500 Internal Server Error", ERROR_TYPE, "" },
        };
        char text[HTTP_HEAD_MAX], expected[HTTP_HEAD_MAX];

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                (void) snprintf(expected, sizeof(expected),
                                "HTTP/1.1 %s\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n%sContent-Type: %s\r\n"
                                "Content-Length: 18446744073709551615\r\nVary: Accept\r\n"
                                "Connection: close\r\n\r\n",
                                rules[i].first, rules[i].allow, rules[i].type);
                if (sizeof(size_t) < 8)
                        (void) strcpy(strstr(expected, "18446744073709551615"),
                                      "4294967295\r\nVary: Accept\r\nConnection: close\r\n\r\n");
                assert_int_equal(http_head_format(text, &rules[i].request, SIZE_MAX, 784111777),
                                 strlen(expected));
                assert_string_equal(text, expected);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_valid),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_size),
                cmocka_unit_test(test_method),
                cmocka_unit_test(test_accept),
                cmocka_unit_test(test_head),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
