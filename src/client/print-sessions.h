/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct instances;
struct snapshot;

bool sessions_show_addresses(const struct instances *instances);
int sessions_format(char **ret_text, const struct instances *instances);
int sessions_format_one(char **ret_text, const struct snapshot *snapshot);
int sessions_print_json(const struct instances *instances, FILE *file);
