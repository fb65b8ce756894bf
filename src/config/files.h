/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct loader;

#define DROP_INS_MAX 100

/* A settings file and its drop-ins. */
struct files {
        char *paths[1 + DROP_INS_MAX]; /* the file, and behind it the drop-ins in their order */
        size_t n;
        bool has_file; /* the first one exists */
};

void files_free(struct files *files);
void files_read(struct files *files, struct loader *loader, const char *path, bool must_exist);
const char *files_describe(const struct files *files, char *text, size_t size);
