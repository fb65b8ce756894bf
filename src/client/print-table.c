/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The table of tunechoctl status. */

#include "client/print.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "client/instances.h"
#include "client/snapshot.h"
#include "client/table.h"
#include "common/util.h"

/* Of a cell, which may have several lines. */
#define CELL_SIZE COUNTERS_TEXT_SIZE

typedef void (*cell_printer)(char cell[static CELL_SIZE], const struct snapshot *snapshot, size_t offset);

static void print_text(char cell[static CELL_SIZE], const struct snapshot *snapshot, size_t offset)
{
        (void) snprintf(cell, CELL_SIZE, "%s", (const char *) &snapshot->status + offset);
}

static void print_number(char cell[static CELL_SIZE], const struct snapshot *snapshot, size_t offset)
{
        (void) snprintf(cell, CELL_SIZE, "%" PRIu64, protocol_get_number(&snapshot->status, offset));
}

static void print_state(char cell[static CELL_SIZE], const struct snapshot *snapshot, size_t offset)
{
        (void) offset;
        (void) snprintf(cell, CELL_SIZE, "%s", snapshot_state(snapshot));
}

static void print_ping(char cell[static CELL_SIZE], const struct snapshot *snapshot, size_t offset)
{
        const struct status *status = &snapshot->status;

        (void) offset;
        (void) snprintf(cell, CELL_SIZE, "%s%s%s", status->ping[0], status->ping[1][0] ? "\n" : "",
                        status->ping[1]);
}

static void print_replies(char cell[static CELL_SIZE], const struct snapshot *snapshot, size_t offset)
{
        uint64_t unsent = snapshot->status.counters.unsent;

        print_number(cell, snapshot, offset);
        if (unsent > 0)
                (void) snprintf(cell + strlen(cell), CELL_SIZE - strlen(cell), "\n%" PRIu64 " unsent",
                                unsent);
}

static void print_dropped(char cell[static CELL_SIZE], const struct snapshot *snapshot, size_t offset)
{
        (void) counters_drops_text(cell, &snapshot->status.counters, "\n");
        if (cell[0] == '\0')
                print_number(cell, snapshot, offset);
}

static void print_uptime(char cell[static CELL_SIZE], const struct snapshot *snapshot, size_t offset)
{
        char text[DURATION_TEXT_SIZE];
        uint64_t usec = protocol_get_number(&snapshot->status, offset);

        (void) snprintf(cell, CELL_SIZE, "%s", duration_format(text, usec));
}

#define FIELD(field) .offset = offsetof(struct status, field)

static const struct {
        const char *heading;
        cell_printer print;
        size_t offset; /* of the value within struct status */
        bool is_number;
        bool always; /* also for an instance that does not answer */
} columns[] = {
        { .heading = "INTERFACE", .print = print_text, FIELD(interface), .always = true },
        { .heading = "STATE", .print = print_state, FIELD(state), .always = true },
        { .heading = "PING", .print = print_ping, FIELD(ping) },
        { .heading = "PACKETS", .print = print_number, FIELD(packets), .is_number = true },
        { .heading = "REPLIES", .print = print_replies, FIELD(replies), .is_number = true },
        { .heading = "DROPPED", .print = print_dropped, FIELD(dropped) },
        { .heading = "SESSIONS", .print = print_number, FIELD(sessions), .is_number = true },
        { .heading = "UPTIME", .print = print_uptime, FIELD(uptime_usec) },
        { .heading = "ENGINE", .print = print_text, FIELD(engine) },
};

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

                columns[i].print(cell, snapshot, columns[i].offset);
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
        _cleanup_(table_unrefp) struct libscols_table *table = scols_new_table();
        int r;

        if (!table)
                return -ENOMEM;

        (void) scols_table_set_stream(table, file);
        for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
                r = table_add_column(table, columns[i].heading, columns[i].is_number);
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
