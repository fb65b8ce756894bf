/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The status protocol. A client connects to the status socket of an instance and sends nothing; the daemon
 * sends lines KEY=VALUE and closes the connection. The table below has a row for each key but those of the
 * verdicts, which are in verdict.c; the order of the lines does not matter. A client ignores keys that it
 * does not know, as a newer daemon may send more. It trusts nothing else: a value that is too long, not a
 * number or not printable makes the whole text invalid.
 */

#include "tunecho/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"

#define SIZE_OF(field) sizeof(((struct status *) NULL)->field)
#define COUNT(field)   ARRAY_SIZE(((struct status *) NULL)->field)

#define NUMBER(field) .offset = offsetof(struct status, field), .max = 1
#define TEXT(field)   .offset = offsetof(struct status, field), .size = SIZE_OF(field), .max = 1
#define TEXTS(field)  .offset = offsetof(struct status, field), .size = SIZE_OF(field[0]), .max = COUNT(field)

const struct status_key status_keys[] = {
        { "TUNECHO_INTERFACE", "interface", TEXT(interface) },
        { "TUNECHO_STATE", "state", TEXT(state) },
        { "TUNECHO_PING", "ping", TEXTS(ping), .is_optional = true },
        { "TUNECHO_VERSION", "version", TEXT(version) },
        { "TUNECHO_ENGINE", "engine", TEXT(engine) },
        { "TUNECHO_PID", "pid", NUMBER(pid) },
        { "TUNECHO_MTU", "mtu", NUMBER(mtu) },
        { "TUNECHO_UPTIME_USEC", "uptime_usec", NUMBER(uptime_usec) },
        { "TUNECHO_SESSIONS", "sessions", NUMBER(sessions) },
        { "TUNECHO_SESSIONS_OPENED", "sessions_opened", NUMBER(sessions_opened), .is_optional = true },
        { "TUNECHO_SESSIONS_EVICTED", "sessions_evicted", NUMBER(sessions_evicted), .is_optional = true },
        { "TUNECHO_PACKETS", "packets", NUMBER(packets) },
        { "TUNECHO_REPLIES", "replies", NUMBER(replies) },
        { "TUNECHO_DROPPED", "dropped", NUMBER(dropped) },
        { "TUNECHO_UNSENT", "unsent", NUMBER(counters.unsent) },
        { "TUNECHO_REFUSED", "refused", NUMBER(refused), .is_optional = true },
        { .name = NULL },
};

struct buffer {
        char *text;
        size_t size;
        size_t used; /* larger than @size if the text does not fit */
};

struct parser {
        struct status status;
        size_t n_values[ARRAY_SIZE(status_keys)];
        bool has_verdict[_VERDICT_MAX];
};

/**
 * status_get_number() - get a number of a status
 * @status: the status
 * @offset: of the number within struct status, in bytes
 */
uint64_t status_get_number(const struct status *status, size_t offset)
{
        const void *number = (const char *) status + offset;

        return *(const uint64_t *) number;
}

/**
 * status_get_text() - get a text of a status
 * @status: the status
 * @key: the key of the text
 * @i: which of the texts of a key that is repeated, else 0
 *
 * Return: the text, or NULL behind the last one.
 */
const char *status_get_text(const struct status *status, const struct status_key *key, size_t i)
{
        const char *text = (const char *) status + key->offset + i * key->size;

        return i < key->max && text[0] != '\0' ? text : NULL;
}

static void append(struct buffer *buffer, const char *format, ...) _printf_(2, 3);

static void append(struct buffer *buffer, const char *format, ...)
{
        size_t left = buffer->used < buffer->size ? buffer->size - buffer->used : 0;
        va_list arguments;

        va_start(arguments, format);
        buffer->used += (size_t) vsnprintf(buffer->text + buffer->size - left, left, format, arguments);
        va_end(arguments);
}

/**
 * status_format() - write a status as text
 * @status: the status
 * @text: buffer for the text
 * @size: size of the buffer in bytes
 *
 * Return: the length of the text in bytes, or -ENOBUFS if the buffer is too small.
 */
int status_format(const struct status *status, char *text, size_t size)
{
        struct buffer buffer = { text, size, 0 };
        const char *value;

        for (const struct status_key *key = status_keys; key->name; key++) {
                if (key->size == 0)
                        append(&buffer, "%s=%" PRIu64 "\n", key->name,
                               status_get_number(status, key->offset));
                else
                        for (size_t i = 0; (value = status_get_text(status, key, i)); i++)
                                append(&buffer, "%s=%s\n", key->name, value);
        }
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                append(&buffer, "%s=%" PRIu64 "\n", verdict_field(v), status->counters.verdicts[v]);

        return buffer.used < size ? (int) buffer.used : -ENOBUFS;
}

static int parse_number(uint64_t *ret_number, const char *value)
{
        size_t digits = strspn(value, "0123456789");

        if (digits == 0 || value[digits] != '\0')
                return -EBADMSG;

        errno = 0;
        *ret_number = strtoumax(value, NULL, 10);
        return errno != 0 ? -EBADMSG : 0;
}

/* The client prints it on a terminal, where a control character is a command. */
static int parse_text(char *ret_text, size_t size, const char *value)
{
        size_t length = strlen(value);

        if (length == 0 || length >= size)
                return -EBADMSG;
        for (const char *c = value; *c != '\0'; c++)
                if (*c <= ' ' || *c > '~')
                        return -EBADMSG;

        memcpy(ret_text, value, length + 1);
        return 0;
}

static int parse_value(struct parser *parser, size_t i, const char *value)
{
        const struct status_key *key = &status_keys[i];
        char *field = (char *) &parser->status + key->offset + parser->n_values[i] * key->size;

        if (parser->n_values[i]++ == key->max)
                return -EBADMSG;

        return key->size > 0 ? parse_text(field, key->size, value)
                             : parse_number((uint64_t *) (void *) field, value);
}

static int parse_line(struct parser *parser, const char *name, const char *value)
{
        for (size_t i = 0; status_keys[i].name; i++)
                if (strcmp(name, status_keys[i].name) == 0)
                        return parse_value(parser, i, value);

        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                if (strcmp(name, verdict_field(v)) != 0)
                        continue;

                parser->has_verdict[v] = true;
                return parse_number(&parser->status.counters.verdicts[v], value);
        }

        return 0;
}

/* An older daemon lacks verdicts, but those that it sends add up to its packets. */
static int check_complete(const struct parser *parser)
{
        uint64_t sum = counters_packets(&parser->status.counters);

        for (size_t i = 0; status_keys[i].name; i++)
                if (parser->n_values[i] == 0 && !status_keys[i].is_optional)
                        return -EBADMSG;
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                if (!parser->has_verdict[v] && sum != parser->status.packets)
                        return -EBADMSG;

        return 0;
}

/**
 * status_parse() - parse the text of a status
 * @ret_status: the status
 * @text: all that an instance sent, and a terminator; changed
 * @size: size of the text without the terminator, in bytes
 *
 * Return: 0, or -EBADMSG if this is not a complete and valid status.
 */
int status_parse(struct status *ret_status, char *text, size_t size)
{
        struct parser parser = { 0 };
        char *end;
        int r;

        if (strlen(text) != size)
                return -EBADMSG;

        for (char *line = text; *line != '\0'; line = end + 1) {
                char *value = strchr(line, '=');

                end = strchr(line, '\n');
                if (!end || !value || value > end)
                        return -EBADMSG;
                *value++ = *end = '\0';

                r = parse_line(&parser, line, value);
                if (r < 0)
                        return r;
        }

        r = check_complete(&parser);
        if (r < 0)
                return r;

        *ret_status = parser.status;
        return 0;
}
