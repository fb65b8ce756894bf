/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

struct instances;

int hints_print(const struct instances *instances, bool only_silent);
