/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/journal.h"

int fail(const struct journal *journal, int status, enum message message, int error, const char *format, ...)
        _printf_(5, 6);
