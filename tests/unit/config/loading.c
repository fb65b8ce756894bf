/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Loads settings from files and command lines, and keeps what is reported of them. */

#include "loading.h"

#include <string.h>
#include <unistd.h>

#define ARGUMENTS_MAX 1200

struct reported reported[REPORTED_MAX];
size_t n_reported;

char directory[] = "/tmp/tunecho-unit-XXXXXX";
char path[sizeof(directory) + sizeof("/conf")];

static char *arguments[ARGUMENTS_MAX + 1];
static int n_arguments;

void on_error(void *userdata, const char *file, unsigned line, const char *message)
{
        assert_ptr_equal(userdata, reported);
        assert_in_range(n_reported, 0, REPORTED_MAX - 1);

        reported[n_reported].line = line;
        (void) snprintf(reported[n_reported].file, sizeof(reported->file), "%s", file ? file : "");
        (void) snprintf(reported[n_reported].message, sizeof(reported->message), "%s", message);
        n_reported++;
}

static void add_argument(const char *argument)
{
        assert_in_range(n_arguments, 0, ARGUMENTS_MAX - 1);
        arguments[n_arguments] = strdup(argument);
        assert_non_null(arguments[n_arguments]);
        arguments[++n_arguments] = NULL;
}

static void free_arguments(void)
{
        while (n_arguments > 0) {
                free(arguments[--n_arguments]);
                arguments[n_arguments] = NULL;
        }
}

int load_arguments(struct config *config, const char *const *words, size_t n)
{
        free_arguments();
        add_argument("tunecho");
        for (size_t i = 0; i < n; i++)
                add_argument(words[i]);

        n_reported = 0;
        return config_load(config, n_arguments, arguments, on_error, reported);
}

int load(struct config *config, const char *command_line)
{
        char copy[8192], *rest = copy, *word;
        const char *words[ARGUMENTS_MAX];
        size_t n = 0;

        assert_in_range(strlen(command_line), 0, sizeof(copy) - 1);
        strcpy(copy, command_line);
        while ((word = strsep(&rest, " ")))
                if (word[0] != '\0')
                        words[n++] = word;

        return load_arguments(config, words, n);
}

void write_file(const char *name, const void *content, size_t size)
{
        FILE *file = fopen(name, "we");

        assert_non_null(file);
        assert_int_equal(fwrite(content, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
}

int load_bytes(struct config *config, const void *content, size_t size, const char *words)
{
        char command_line[8192];

        write_file(path, content, size);
        (void) snprintf(command_line, sizeof(command_line), "--config=%s %s", path, words);
        return load(config, command_line);
}

int load_text(struct config *config, const char *content, const char *words)
{
        return load_bytes(config, content, strlen(content), words);
}

int load_lines(struct config *config, const char *first, const char *line, unsigned n, const char *words)
{
        static char content[65536];
        size_t used = (size_t) snprintf(content, sizeof(content), "%s", first);

        for (unsigned i = 0; i < n; i++) {
                used += (size_t) snprintf(content + used, sizeof(content) - used, "%s%u.%u\n", line, i / 256,
                                          i % 256);
                assert_in_range(used, 0, sizeof(content) - 1);
        }

        return load_bytes(config, content, used, words);
}

void explain(const char *what, int status)
{
        print_error("# ");
        for (const char *c = what; *c != '\0'; c++)
                print_error("%c", *c == '\n' ? '|' : *c);
        print_error(": status %d\n", status);
        for (size_t i = 0; i < n_reported; i++)
                print_error("# %s:%u: %s\n", reported[i].file, reported[i].line, reported[i].message);
}

const char *printed(const struct config *config)
{
        static char text[8192];
        FILE *file = fmemopen(text, sizeof(text), "w");

        assert_non_null(file);
        config_print(config, file);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(text[0], '#');
        return strchr(text, '\n') + 1;
}

bool has_line(const char *text, const char *line)
{
        size_t size = strlen(line);

        for (const char *found = strstr(text, line); found; found = strstr(found + 1, line))
                if ((found == text || found[-1] == '\n') && found[size] == '\n')
                        return true;

        return false;
}

void assert_address(const struct address *address, const char *text)
{
        char buffer[PREFIX_TEXT_SIZE];

        assert_string_equal(address_text(buffer, address), text);
}

int set_up(void **state)
{
        (void) state;

        if (!mkdtemp(directory))
                return -1;

        (void) snprintf(path, sizeof(path), "%s/conf", directory);
        return 0;
}

int tear_down(void **state)
{
        (void) state;

        free_arguments();
        (void) unlink(path);
        return rmdir(directory);
}
