/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The table of tunechoctl status. */

#include "client/print.h"

#include <errno.h>
#include <inttypes.h>
#include <libsmartcols/libsmartcols.h>
#include <stddef.h>

#include "common/util.h"

/* Room for a cell, which may have several lines. */
#define CELL_SIZE COUNTERS_TEXT_SIZE

typedef void (*cell_printer)(char cell[static CELL_SIZE], const struct snapshot *snapshot);

static void print_number(char cell[static CELL_SIZE], uint64_t number)
{
        (void) snprintf(cell, CELL_SIZE, "%" PRIu64, number);
}

static void print_interface(char cell[static CELL_SIZE], const struct snapshot *snapshot)
{
        (void) snprintf(cell, CELL_SIZE, "%s", snapshot->interface);
}

static void print_state(char cell[static CELL_SIZE], const struct snapshot *snapshot)
{
        (void) snprintf(cell, CELL_SIZE, "%s", snapshot_state(snapshot));
}

static void print_ping(char cell[static CELL_SIZE], const struct snapshot *snapshot)
{
        (void) snprintf(cell, CELL_SIZE, "%s%s%s", snapshot->peers[0], snapshot->peers[1][0] ? "\n" : "",
                        snapshot->peers[1]);
}

static void print_packets(char cell[static CELL_SIZE], const struct snapshot *snapshot)
{
        print_number(cell, snapshot->packets);
}

static void print_replies(char cell[static CELL_SIZE], const struct snapshot *snapshot)
{
        uint64_t unsent = snapshot->counters.unsent;

        if (unsent == 0)
                print_number(cell, snapshot->replies);
        else
                (void) snprintf(cell, CELL_SIZE, "%" PRIu64 "\n%" PRIu64 " unsent", snapshot->replies,
                                unsent);
}

static void print_dropped(char cell[static CELL_SIZE], const struct snapshot *snapshot)
{
        (void) counters_drops_text(cell, &snapshot->counters, "\n");
        if (cell[0] == '\0')
                print_number(cell, snapshot->dropped);
}

static void print_sessions(char cell[static CELL_SIZE], const struct snapshot *snapshot)
{
        print_number(cell, snapshot->sessions);
}

static void print_uptime(char cell[static CELL_SIZE], const struct snapshot *snapshot)
{
        char text[DURATION_TEXT_SIZE];

        (void) snprintf(cell, CELL_SIZE, "%s", duration_text(text, snapshot->uptime_usec));
}

static void print_engine(char cell[static CELL_SIZE], const struct snapshot *snapshot)
{
        (void) snprintf(cell, CELL_SIZE, "%s", snapshot->engine);
}

static const struct {
        const char *heading;
        cell_printer print;
        bool is_number;
        bool always; /* there is something to say of an instance that does not answer */
} columns[] = {
        { .heading = "INTERFACE", .print = print_interface, .always = true },
        { .heading = "STATE", .print = print_state, .always = true },
        { .heading = "PING", .print = print_ping },
        { .heading = "PACKETS", .print = print_packets, .is_number = true },
        { .heading = "REPLIES", .print = print_replies, .is_number = true },
        { .heading = "DROPPED", .print = print_dropped },
        { .heading = "SESSIONS", .print = print_sessions, .is_number = true },
        { .heading = "UPTIME", .print = print_uptime },
        { .heading = "ENGINE", .print = print_engine },
};

static void unref_tablep(struct libscols_table **table)
{
        scols_unref_table(*table);
}

static int add_column(struct libscols_table *table, size_t i)
{
        int flags = SCOLS_FL_WRAP | (columns[i].is_number ? SCOLS_FL_RIGHT : 0);
        struct libscols_column *column;
        int r;

        column = scols_table_new_column(table, columns[i].heading, 0, flags);
        if (!column)
                return -ENOMEM;

        r = scols_column_set_safechars(column, "\n");
        if (r < 0)
                return r;

        /* A cell breaks at its newlines, and nowhere else. */
        return scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
}

static int add_instance(struct libscols_table *table, const struct snapshot *snapshot)
{
        struct libscols_line *line = scols_table_new_line(table, NULL);
        char cell[CELL_SIZE];
        int r;

        if (!line)
                return -ENOMEM;

        for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
                if (snapshot->error < 0 && !columns[i].always)
                        continue;

                columns[i].print(cell, snapshot);
                r = scols_line_set_data(line, i, cell);
                if (r < 0)
                        return r;
        }

        return 0;
}

/**
 * table_print() - print instances as a table
 * @instances: the instances
 * @file: where to
 *
 * Return: 0 or a negative errno.
 */
int table_print(const struct instances *instances, FILE *file)
{
        _cleanup_(unref_tablep) struct libscols_table *table = scols_new_table();
        int r;

        if (!table)
                return -ENOMEM;

        (void) scols_table_set_stream(table, file);
        for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
                r = add_column(table, i);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < instances->n; i++) {
                r = add_instance(table, &instances->snapshots[i]);
                if (r < 0)
                        return r;
        }

        return scols_print_table(table);
}
