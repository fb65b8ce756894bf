/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

struct instances;
struct instances_query;

int hints_print(const struct instances *instances, const struct instances_query *query, bool only_silent);
