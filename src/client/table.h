/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <libsmartcols/libsmartcols.h>
#include <stdbool.h>

void table_unrefp(struct libscols_table **table);
int table_add_column(struct libscols_table *table, const char *heading, bool is_number);
