/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

#include "common/util.h"
#include "config/config.h"

/* Where a value comes from: a line of a file (0: the file as a whole), or without a path the command line. */
struct origin {
        const char *path;
        unsigned line;
        const char *option; /* or NULL: the command line as a whole */
};

struct errors {
        config_error_t report;
        void *userdata;
        unsigned n_in_files;
        unsigned n_in_options;
};

/* Of a value, a key or a section within a message. */
#define TEXT_SIZE 128

/* Of a path in front of a message. */
#define PATH_SIZE 256

const char *text_escape(char *text, size_t size, const char *from);
const char *path_escape(char text[static PATH_SIZE], const char *path);

void error_add(struct errors *errors, const struct origin *origin, const char *format, ...) _printf_(3, 4);
void errors_report_rest(const struct errors *errors, const char *path);
