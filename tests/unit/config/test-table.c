/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The settings files of tests/fuzz/settings.txt: where their errors are reported, and what is printed of them. */

#include <ctype.h>
#include <string.h>
#include <sysexits.h>

#include "loading.h"

/* In place: \n, \r, \t, \\ and \xHH. */
static char *unescape(char *text)
{
        static const char letters[] = "nrt\\", bytes[] = "\n\r\t\\";
        char *end = text;

        for (const char *next = text; *next; next++) {
                const char *letter = *next == '\\' ? strchr(letters, next[1]) : NULL;
                unsigned byte = (unsigned char) *next;

                if (letter)
                        byte = (unsigned char) bytes[letter - letters];
                else if (*next == '\\')
                        assert_int_equal(sscanf(next, "\\x%2x", &byte), 1);
                next += letter ? 1 : *next == '\\' ? 3 : 0;
                *end++ = (char) byte;
        }
        *end = '\0';
        return text;
}

/* The next column of a row, without the spaces around it. */
static char *column(char **row)
{
        char *text = strsep(row, "|"), *end;

        assert_non_null(text);
        end = text + strlen(text);
        if (end > text && end[-1] == ' ')
                *--end = '\0';
        return text + (*text == ' ');
}

/* Whether the message names the key and the value of the last line of a file. */
static bool names_setting(const char *message, const char *content)
{
        const char *line = strrchr(content, '\n') + 1, *value = strchr(line, '=');
        char key[100];

        (void) snprintf(key, sizeof(key), "%.*s", (int) (value - line), line);
        return strstr(message, key) && strstr(message, value + 1);
}

/* Each error is reported once, at its line. */
static bool is_right(const char *content, const char *lines, const char *printed_line)
{
        struct config config;
        int status = load_text(&config, content, "tun0");
        size_t n = 0;

        while (isdigit(*lines)) {
                char *end;

                if (n == n_reported || reported[n].line != strtoul(lines, &end, 10) ||
                    strcmp(reported[n].file, path) != 0 ||
                    (*end == '!' && !names_setting(reported[n].message, content)))
                        return false;
                lines = end + strspn(end, "! ");
                n++;
        }

        return n == n_reported && status == (n > 0 ? EX_CONFIG : 0) &&
               (*printed_line == '\0' || has_line(printed(&config), printed_line));
}

static void test_table(void **state)
{
        char name[PATH_MAX], line[1024];
        unsigned n_rows = 0, n_wrong = 0;
        FILE *file;

        (void) state;

        (void) snprintf(name, sizeof(name), "%s/tests/fuzz/settings.txt", getenv("TUNECHO_SOURCE"));
        file = fopen(name, "re");
        assert_non_null(file);
        while (fgets(line, sizeof(line), file)) {
                char *row = line, *content, *lines;

                line[strcspn(line, "\n")] = '\0';
                if (line[0] == '\0' || line[0] == '#')
                        continue;

                (void) column(&row);
                content = unescape(column(&row));
                lines = column(&row);
                n_rows++;
                if (!is_right(content, lines, column(&row))) {
                        explain(content, 0);
                        n_wrong++;
                }
        }
        (void) fclose(file);
        assert_int_equal(n_wrong, 0);
        assert_in_range(n_rows, 200, 1000);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_table) };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
