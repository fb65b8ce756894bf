/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The protocol of the sockets of an instance. A client connects and sends nothing; the daemon sends lines
 * KEY=VALUE and closes the connection. A table has a row for each key; the order of the lines does not matter.
 * A client ignores keys that it does not know, as a newer daemon may send more. It trusts nothing else: a value
 * that is too long, not a number or not printable makes the whole text invalid.
 */

#include "tunecho/protocol.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"

/**
 * protocol_get_number() - get a number
 * @values: the struct that has it
 * @offset: of the number within the struct, in bytes
 */
uint64_t protocol_get_number(const void *values, size_t offset)
{
        const void *number = (const char *) values + offset;

        return *(const uint64_t *) number;
}

/**
 * protocol_get_text() - get a text
 * @values: the struct that has it
 * @key: the key of the text
 * @i: which of the texts of a key that is repeated, else 0
 *
 * Return: the text, or NULL behind the last one.
 */
const char *protocol_get_text(const void *values, const struct protocol_key *key, size_t i)
{
        const char *text = (const char *) values + key->offset + i * key->size;

        return i < key->max && text[0] != '\0' ? text : NULL;
}

/**
 * protocol_append() - append to a text
 * @buffer: the text; what does not fit is counted and not written
 * @format: as that of printf(3)
 */
void protocol_append(struct protocol_buffer *buffer, const char *format, ...)
{
        size_t left = buffer->used < buffer->size ? buffer->size - buffer->used : 0;
        va_list arguments;

        va_start(arguments, format);
        buffer->used += (size_t) vsnprintf(buffer->text + buffer->size - left, left, format, arguments);
        va_end(arguments);
}

/**
 * protocol_format() - append a line for each value
 * @buffer: the text
 * @keys: the table of the keys
 * @values: the struct with the values
 */
void protocol_format(struct protocol_buffer *buffer, const struct protocol_key *keys, const void *values)
{
        const char *value;

        for (const struct protocol_key *key = keys; key->name; key++) {
                uint64_t number = key->size == 0 ? protocol_get_number(values, key->offset) : 0;

                if (key->size == 0 && !(key->may_be_none && number == PROTOCOL_NONE))
                        protocol_append(buffer, "%s=%" PRIu64 "\n", key->name, number);
                for (size_t i = 0; key->size > 0 && (value = protocol_get_text(values, key, i)); i++)
                        protocol_append(buffer, "%s=%s\n", key->name, value);
        }
}

/**
 * protocol_split_line() - take a line from a text
 * @text: the text, whose line is changed; set to what follows
 * @ret_name: set to the name of the line, or to "" for an empty line
 * @ret_value: set to its value
 *
 * Return: 0, or -EBADMSG if the line is not KEY=VALUE and not empty, or has no end.
 */
int protocol_split_line(char **text, char **ret_name, char **ret_value)
{
        char *line = *text, *end = strchr(line, '\n'), *value;

        if (!end)
                return -EBADMSG;

        *end = '\0';
        value = strchr(line, '=');
        if (!value && end != line)
                return -EBADMSG;
        if (value)
                *value++ = '\0';
        if (value && *line == '\0')
                return -EBADMSG;

        *text = end + 1;
        *ret_name = line;
        *ret_value = value;
        return 0;
}

/**
 * protocol_parse_number() - parse a number
 * @ret_number: set to it
 * @value: its decimal digits
 *
 * Return: 0, or -EBADMSG.
 */
int protocol_parse_number(uint64_t *ret_number, const char *value)
{
        size_t digits = strspn(value, "0123456789");

        if (digits == 0 || value[digits] != '\0')
                return -EBADMSG;

        errno = 0;
        *ret_number = strtoumax(value, NULL, 10);
        return errno != 0 ? -EBADMSG : 0;
}

/* The client prints it on a terminal, where a control character is a command. */
static int parse_text(char *ret_text, const struct protocol_key *key, const char *value)
{
        char first = key->has_blanks ? ' ' : '!';
        size_t length = strlen(value);

        if (length == 0 || length >= key->size)
                return -EBADMSG;
        for (const char *c = value; *c != '\0'; c++)
                if (*c < first || *c > '~')
                        return -EBADMSG;

        memcpy(ret_text, value, length + 1);
        return 0;
}

/**
 * protocol_parser_init() - begin to parse values
 * @parser: the parser
 * @keys: the table of the keys, which must outlive the parser
 * @values: the struct for the values, all zero; must outlive the parser
 */
void protocol_parser_init(struct protocol_parser *parser, const struct protocol_key *keys, void *values)
{
        *parser = (struct protocol_parser) { .keys = keys, .values = values };
        for (const struct protocol_key *key = keys; key->name; key++)
                if (key->may_be_none)
                        memcpy((char *) values + key->offset, &(uint64_t) { PROTOCOL_NONE }, sizeof(uint64_t));
}

/**
 * protocol_parse() - parse the value of a key
 * @parser: the parser
 * @name: the name of the key
 * @value: its value
 *
 * Return: 1, 0 if the table does not have the key, or -EBADMSG if the value is invalid, or there is one too many.
 */
int protocol_parse(struct protocol_parser *parser, const char *name, const char *value)
{
        for (size_t i = 0; parser->keys[i].name; i++) {
                const struct protocol_key *key = &parser->keys[i];
                char *field = (char *) parser->values + key->offset + parser->n_values[i] * key->size;
                int r;

                if (strcmp(name, key->name) != 0)
                        continue;
                if (parser->n_values[i]++ == key->max)
                        return -EBADMSG;

                r = key->size > 0 ? parse_text(field, key, value)
                                  : protocol_parse_number((uint64_t *) (void *) field, value);
                return r < 0 ? r : 1;
        }

        return 0;
}

/**
 * protocol_check_complete() - check that every key that is not optional had a value
 * @parser: the parser
 *
 * Return: 0 or -EBADMSG.
 */
int protocol_check_complete(const struct protocol_parser *parser)
{
        for (size_t i = 0; parser->keys[i].name; i++) {
                const struct protocol_key *key = &parser->keys[i];

                if (parser->n_values[i] == 0 && !key->is_optional && !key->may_be_none)
                        return -EBADMSG;
        }

        return 0;
}
