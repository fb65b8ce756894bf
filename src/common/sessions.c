/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What the sessions socket sends, by the protocol of protocol.c: a record about the instance, then one for each
 * session. An empty line ends each record.
 */

#include "tunecho/sessions.h"

#include <errno.h>
#include <string.h>

#include "common/util.h"

#define SIZE_OF(type, field) sizeof(((struct type *) NULL)->field)

#define HEAD(field) .offset = offsetof(struct sessions, field), .max = 1
#define HEAD_TEXT(field) \
        .offset = offsetof(struct sessions, field), .size = SIZE_OF(sessions, field), .max = 1
#define NUMBER(field) .offset = offsetof(struct session_row, field), .max = 1
#define TEXT(field) \
        .offset = offsetof(struct session_row, field), .size = SIZE_OF(session_row, field), .max = 1, \
        .is_optional = true

const struct protocol_key sessions_keys[] = {
        { "TUNECHO_INTERFACE", "interface", HEAD_TEXT(interface) },
        { "TUNECHO_RECORDING", "recording", HEAD_TEXT(recording) },
        { "TUNECHO_ADDRESSES", "addresses", HEAD_TEXT(addresses) },
        { "TUNECHO_SESSIONS", "open", HEAD(open) },
        { .name = NULL },
};

const struct protocol_key session_row_keys[] = {
        { "TUNECHO_SOURCE", "from", TEXT(source) },
        { "TUNECHO_DESTINATION", "to", TEXT(destination) },
        { "TUNECHO_IDENTIFIER", "identifier", NUMBER(identifier) },
        { "TUNECHO_REQUESTS", "requests", NUMBER(requests) },
        { "TUNECHO_MISSING", "missing", NUMBER(missing), .may_be_none = true },
        { "TUNECHO_UNKNOWN", "unknown", TEXT(unknown) },
        { "TUNECHO_STEP", "step", NUMBER(step), .may_be_none = true },
        { "TUNECHO_DUPLICATES", "duplicates", NUMBER(duplicates) },
        { "TUNECHO_REORDERED", "reordered", NUMBER(reordered) },
        { "TUNECHO_SEQUENCE_FIRST", "sequence_first", NUMBER(sequence_first) },
        { "TUNECHO_SEQUENCE_LAST", "sequence_last", NUMBER(sequence_last) },
        { "TUNECHO_FRAGMENTED", "fragmented", NUMBER(fragmented) },
        { "TUNECHO_LATER_FRAGMENTS", "later_fragments", NUMBER(later_fragments) },
        { "TUNECHO_BYTES", "bytes", NUMBER(bytes) },
        { "TUNECHO_LENGTH_MIN", "length_min", NUMBER(length_min) },
        { "TUNECHO_LENGTH_MAX", "length_max", NUMBER(length_max) },
        { "TUNECHO_HOP_LIMIT_MIN", "hop_limit_min", NUMBER(hop_limit_min) },
        { "TUNECHO_HOP_LIMIT_MAX", "hop_limit_max", NUMBER(hop_limit_max) },
        { "TUNECHO_DURATION_USEC", "duration_usec", NUMBER(duration_usec) },
        { "TUNECHO_IDLE_USEC", "idle_usec", NUMBER(idle_usec) },
        { "TUNECHO_REFUSED", "refused", NUMBER(refused) },
        { "TUNECHO_REPORTER", "reporter", TEXT(reporter) },
        { "TUNECHO_REASON", "reason", TEXT(reason), .has_blanks = true },
        { "TUNECHO_TYPE", "type", NUMBER(type), .may_be_none = true },
        { "TUNECHO_CODE", "code", NUMBER(code), .may_be_none = true },
        { "TUNECHO_PATH_MTU", "path_mtu", NUMBER(path_mtu), .may_be_none = true },
        { .name = NULL },
};

_Static_assert(ARRAY_SIZE(session_row_keys) <= PROTOCOL_KEYS_MAX, "a parser has the keys of this table");

static int format_record(const struct protocol_key *keys, const void *values, char *text, size_t size)
{
        struct protocol_buffer buffer = { text, size, 0 };

        protocol_format(&buffer, keys, values);
        protocol_append(&buffer, "\n");
        return buffer.used < size ? (int) buffer.used : -ENOBUFS;
}

/**
 * sessions_format_head() - write the record about the instance
 * @sessions: the sessions, whose rows are not used
 * @text: buffer for the text
 * @size: size of the buffer in bytes
 *
 * Return: the length of the text in bytes, or -ENOBUFS if the buffer is too small.
 */
int sessions_format_head(const struct sessions *sessions, char *text, size_t size)
{
        return format_record(sessions_keys, sessions, text, size);
}

/**
 * session_row_format() - write the record of a session
 * @row: the session
 * @text: buffer for the text
 * @size: size of the buffer in bytes
 *
 * Return: the length of the text in bytes, or -ENOBUFS if the buffer is too small.
 */
int session_row_format(const struct session_row *row, char *text, size_t size)
{
        return format_record(session_row_keys, row, text, size);
}

/* Parses the lines up to an empty one. */
static int parse_record(const struct protocol_key *keys, void *values, char **text)
{
        struct protocol_parser parser;
        char *name, *value;
        int r;

        protocol_parser_init(&parser, keys, values);
        for (;;) {
                r = protocol_split_line(text, &name, &value);
                if (r < 0)
                        return r;
                if (!value)
                        return protocol_check_complete(&parser);

                r = protocol_parse(&parser, name, value);
                if (r < 0)
                        return r;
        }
}

static bool is_switch(const char *text)
{
        return strcmp(text, "yes") == 0 || strcmp(text, "no") == 0;
}

/**
 * sessions_parse() - parse the text of the sessions of an instance
 * @ret_sessions: the sessions; undefined after an error
 * @text: all that an instance sent, and a terminator; changed
 * @size: size of the text without the terminator, in bytes
 *
 * Return: 0, or -EBADMSG if these are not complete and valid records.
 */
int sessions_parse(struct sessions *ret_sessions, char *text, size_t size)
{
        int r;

        if (strlen(text) != size)
                return -EBADMSG;

        *ret_sessions = (struct sessions) { 0 };
        r = parse_record(sessions_keys, ret_sessions, &text);
        if (r < 0)
                return r;
        if (!is_switch(ret_sessions->recording) || !is_switch(ret_sessions->addresses))
                return -EBADMSG;

        while (*text != '\0') {
                if (ret_sessions->n == SESSIONS_ROWS_MAX || ret_sessions->n == ret_sessions->open)
                        return -EBADMSG;

                r = parse_record(session_row_keys, &ret_sessions->rows[ret_sessions->n++], &text);
                if (r < 0)
                        return r;
        }

        return 0;
}
