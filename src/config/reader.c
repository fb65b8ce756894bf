/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The syntax of a settings file, that of systemd.syntax(7) without continuation lines. */

#include "config/reader.h"
#include "config/settings.h"

#include <string.h>

#define BLANKS          " \t\v\f\r"
#define COMMENTS        "#;"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

static bool is_one_of(char c, const char *set)
{
        return c != '\0' && strchr(set, c);
}

static char *strip(char *text)
{
        size_t size;

        text += strspn(text, BLANKS);
        size = strlen(text);
        while (size > 0 && is_one_of(text[size - 1], BLANKS))
                size--;
        text[size] = '\0';

        return text;
}

/* A comment behind a value follows a blank. */
static void cut_comment(char *line)
{
        for (char *c = line + 1; *c != '\0'; c++)
                if (is_one_of(*c, COMMENTS) && is_one_of(c[-1], BLANKS)) {
                        *c = '\0';
                        return;
                }
}

/* Returns the section that the lines below @line are in; empty for one that is reported here. */
static const char *read_section(struct loader *loader, char *line)
{
        char *end = strchr(line, ']'), text[TEXT_SIZE];

        if (!end || (end[1 + strspn(end + 1, BLANKS)] != '\0' && !is_one_of(end[1], COMMENTS))) {
                error_add(&loader->errors, &loader->origin, "this is neither KEY=VALUE nor [Section]");
                return "";
        }

        *end = '\0';
        if (settings_has_section(line + 1))
                return line + 1;

        error_add(&loader->errors, &loader->origin, "unknown section [%s]",
                  text_escape(text, sizeof(text), line + 1));
        return "";
}

static void read_assignment(struct loader *loader, const char *section, char *line)
{
        char *equals = strchr(line, '='), *key, *value, text[TEXT_SIZE];

        if (!equals || equals == line) {
                error_add(&loader->errors, &loader->origin, "this is neither KEY=VALUE nor [Section]");
                return;
        }

        *equals = '\0';
        key = strip(line);
        value = strip(equals + 1);
        if (!section)
                error_add(&loader->errors, &loader->origin, "'%s' is set before the first [Section]",
                          text_escape(text, sizeof(text), key));
        else if (section[0] != '\0')
                settings_set(loader, section, key, is_one_of(value[0], COMMENTS) ? "" : value);
}

static void read_line(struct loader *loader, const char **section, char *line, size_t size)
{
        if (strlen(line) < size) {
                error_add(&loader->errors, &loader->origin, "this is not text, it has a zero byte");
                return;
        }

        line = strip(line);
        if (line[0] == '\0' || is_one_of(line[0], COMMENTS))
                return;

        cut_comment(line);
        if (line[0] == '[')
                *section = read_section(loader, line);
        else
                read_assignment(loader, *section, line);
}

/**
 * reader_read() - set what a settings file sets, and report what is wrong with it
 * @loader: the settings
 * @path: the file, as the origin of its values
 * @content: the content of the file, with space for one more byte behind it; overwritten
 * @size: size of the content in bytes
 */
void reader_read(struct loader *loader, const char *path, char *content, size_t size)
{
        const char *section = NULL; /* none yet */
        char *line = content, *end;

        content[size] = '\0';
        if (strncmp(content, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
                line += strlen(BYTE_ORDER_MARK);

        loader->origin = (struct origin) { .path = path };
        for (; line < content + size; line = end + 1) {
                end = memchr(line, '\n', (size_t) (content + size - line));
                if (!end)
                        end = content + size;

                *end = '\0';
                loader->origin.line++;
                read_line(loader, &section, line, (size_t) (end - line));
        }
}
