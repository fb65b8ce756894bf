/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <limits.h>

#include "config/config.h"
#include "unit.h"

#define REPORTED_MAX 300

/* One error that config_load() reported. */
struct reported {
        char file[PATH_MAX]; /* empty: among the options */
        unsigned line;
        char message[600];
};

extern struct reported reported[REPORTED_MAX];
extern size_t n_reported;

extern char directory[]; /* of the test */
extern char path[];      /* a settings file in it */

void on_error(void *userdata, const char *file, unsigned line, const char *message);

/* A command line: words that are separated by single spaces. */
int load(struct config *config, const char *command_line);
int load_arguments(struct config *config, const char *const *words, size_t n);

/* The content of a file, and more words: the interface at least. */
void write_file(const char *name, const void *content, size_t size);
int load_bytes(struct config *config, const void *content, size_t size, const char *words);
int load_text(struct config *config, const char *content, const char *words);

/* The same of @n lines behind @first, each of which ends in 0.0, 0.1 and so on. */
int load_lines(struct config *config, const char *first, const char *line, unsigned n, const char *words);

/* Before an assertion fails: what was loaded, with | for the ends of lines, and what was reported. */
void explain(const char *what, int status);

/* What config_print() prints but for the names of the files, until the next call. */
const char *printed(const struct config *config);
bool has_line(const char *text, const char *line);
void assert_address(const struct address *address, const char *text);

int set_up(void **state);
int tear_down(void **state);
