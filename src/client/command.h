/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

const char *command_find_similar(const char *word, const char *const *names, size_t n);
bool command_is_instance(const char *word, const char *directory);
