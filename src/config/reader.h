/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct loader;

void reader_read(struct loader *loader, const char *path, char *content, size_t size);
