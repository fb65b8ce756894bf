/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the sockets of an instance have in common: lines KEY=VALUE, from tables of keys. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A number that there is none of, where its key allows that. */
#define PROTOCOL_NONE UINT64_MAX

/* A row of a table of keys. Tables of numbers elsewhere use the same offsets. */
struct protocol_key {
        const char *name; /* in the protocol */
        const char *json; /* in the output of tunechoctl --json */
        size_t offset;    /* of the value within its struct */
        size_t size;      /* of a text and its terminator, in bytes; 0: a number, uint64_t */
        size_t max;       /* how often the key may occur; the texts of a repeated one form an array */
        bool is_optional;
        bool may_be_none; /* a number; the key is absent where it is PROTOCOL_NONE */
        bool has_blanks;  /* the text may */
};

/* Keys in a table, at most. */
#define PROTOCOL_KEYS_MAX 32

/* A text that is written; it does not fit if @used is @size or more. */
struct protocol_buffer {
        char *text;
        size_t size;
        size_t used;
};

/* What was parsed with a table so far. */
struct protocol_parser {
        const struct protocol_key *keys; /* the last one has no name */
        void *values;
        size_t n_values[PROTOCOL_KEYS_MAX]; /* of each key */
};

uint64_t protocol_get_number(const void *values, size_t offset);
const char *protocol_get_text(const void *values, const struct protocol_key *key, size_t i);

void protocol_append(struct protocol_buffer *buffer, const char *format, ...)
        __attribute__((__format__(__printf__, 2, 3)));
void protocol_format(struct protocol_buffer *buffer, const struct protocol_key *keys, const void *values);

int protocol_split_line(char **text, char **ret_name, char **ret_value);
int protocol_parse_number(uint64_t *ret_number, const char *value);
void protocol_parser_init(struct protocol_parser *parser, const struct protocol_key *keys, void *values);
int protocol_parse(struct protocol_parser *parser, const char *name, const char *value);
int protocol_check_complete(const struct protocol_parser *parser);
