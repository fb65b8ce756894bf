/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Errors of the settings, each with its place. The reason always fits: what is quoted, and the path, are
 * shortened before, and bytes that are not printable text are escaped.
 */

#include "config/error.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define MESSAGE_SIZE 512
#define ERRORS_MAX   100 /* reported one by one, of the files and of the options */
#define ELLIPSIS     "..."
#define PIECE_SIZE   5 /* bytes, of an escaped byte or a character of UTF-8 */

/* Size in bytes of the printable character that @text begins with, in UTF-8 (RFC 3629); 0 if it is none. */
static size_t character_size(const char *text)
{
        static const uint32_t first_of_size[] = { 0, 0, 0x80, 0x800, 0x10000 };
        uint8_t lead = (uint8_t) text[0];
        size_t size = (size_t) 1 + (lead >= 0xc2) + (lead >= 0xe0) + (lead >= 0xf0);
        uint32_t character = size == 1 ? lead : lead & (0x7fU >> size);

        if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4)
                return 0;

        for (size_t i = 1; i < size; i++) {
                if ((text[i] & 0xc0) != 0x80)
                        return 0;
                character = character << 6 | ((uint8_t) text[i] & 0x3f);
        }

        if (character < first_of_size[size] || character > 0x10ffff || character < ' ' ||
            (character >= 0x7f && character < 0xa0) || (character >= 0xd800 && character < 0xe000))
                return 0;

        return size;
}

/* Escapes the first character or byte of @from, and returns what is behind it. */
static const char *escape_one(char piece[static PIECE_SIZE], const char *from)
{
        size_t size = character_size(from);

        if (size > 0)
                (void) snprintf(piece, PIECE_SIZE, "%.*s", (int) size, from);
        else
                (void) snprintf(piece, PIECE_SIZE, "\\x%02x", (uint8_t) *from);

        return from + (size > 0 ? size : 1);
}

/**
 * text_escape() - make printable text of any string
 * @text: buffer for the text
 * @size: its size in bytes, at least 8
 * @from: the string; bytes that are not printable UTF-8 become \xNN, and the end of a long one becomes "..."
 *
 * Return: @text.
 */
const char *text_escape(char *text, size_t size, const char *from)
{
        size_t used = 0;

        while (*from != '\0') {
                char piece[PIECE_SIZE];

                from = escape_one(piece, from);
                if (used + strlen(piece) + strlen(ELLIPSIS) >= size) {
                        strcpy(text + used, ELLIPSIS);
                        return text;
                }
                strcpy(text + used, piece);
                used += strlen(piece);
        }

        text[used] = '\0';
        return text;
}

/**
 * path_escape() - make printable text of a path
 * @text: buffer for the text
 * @path: the path; of a long one the end is kept, which has the name of the file
 *
 * Return: @text.
 */
const char *path_escape(char text[static PATH_SIZE], const char *path)
{
        const size_t max = PATH_SIZE - 2 * sizeof(ELLIPSIS); /* text_escape() keeps it whole */
        size_t size = 0;

        for (const char *rest = path; *rest != '\0'; size += strlen(text))
                rest = escape_one(text, rest);
        if (size <= max)
                return text_escape(text, PATH_SIZE, path);

        for (; size > max; size -= strlen(text))
                path = escape_one(text, path);
        strcpy(text, ELLIPSIS);
        (void) text_escape(text + strlen(ELLIPSIS), PATH_SIZE - strlen(ELLIPSIS), path);
        return text;
}

static void report(const struct errors *errors, const struct origin *origin, const char *message)
{
        char text[PATH_SIZE + MESSAGE_SIZE];

        if (origin->path) {
                errors->report(errors->userdata, path_escape(text, origin->path), origin->line, message);
                return;
        }

        (void) snprintf(text, sizeof(text), "%s%s%s%s", origin->option ? "--" : "",
                        origin->option ? origin->option : "", origin->option ? ": " : "", message);
        errors->report(errors->userdata, NULL, 0, text);
}

/**
 * error_add() - report an error
 * @errors: counts it, and reports the first hundred of the files and of the options each
 * @origin: the place of the error
 * @format: printf(3)-like; what it quotes has passed text_escape()
 */
void error_add(struct errors *errors, const struct origin *origin, const char *format, ...)
{
        unsigned n = origin->path ? ++errors->n_in_files : ++errors->n_in_options;
        char message[MESSAGE_SIZE];
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(message, sizeof(message), format, arguments);
        va_end(arguments);

        if (n <= ERRORS_MAX)
                report(errors, origin, message);
}

/**
 * errors_report_rest() - report how many errors were not reported one by one
 * @errors: the errors
 * @path: the file, or NULL for the errors of the options
 */
void errors_report_rest(const struct errors *errors, const char *path)
{
        unsigned n = path ? errors->n_in_files : errors->n_in_options;
        char message[64];

        if (n <= ERRORS_MAX)
                return;

        (void) snprintf(message, sizeof(message), "%u more %s", n - ERRORS_MAX,
                        n - ERRORS_MAX == 1 ? "error" : "errors");
        report(errors, &(struct origin) { .path = path }, message);
}
