/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the tables of tunechoctl have in common: cells with several lines. */

#include "client/table.h"

#include <errno.h>

/* For the cleanup attribute. */
void table_unrefp(struct libscols_table **table)
{
        scols_unref_table(*table);
}

/**
 * table_add_column() - add a column whose cells break at their newlines, and nowhere else
 * @table: the table
 * @heading: of the column
 * @is_number: whether the cells are at the right
 *
 * Return: 0 or a negative errno.
 */
int table_add_column(struct libscols_table *table, const char *heading, bool is_number)
{
        int flags = SCOLS_FL_WRAP | (is_number ? SCOLS_FL_RIGHT : 0);
        struct libscols_column *column;
        int r;

        column = scols_table_new_column(table, heading, 0, flags);
        if (!column)
                return -ENOMEM;

        r = scols_column_set_safechars(column, "\n");
        return r < 0 ? r : scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
}
