/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The table of tunechoctl sessions. */

#include "client/print-sessions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client/instances.h"
#include "client/print.h"
#include "client/snapshot.h"
#include "client/table.h"
#include "common/unknown.h"
#include "common/util.h"
#include "tunecho/sessions.h"

/* Of a cell, which may have several lines. */
#define CELL_SIZE 256

/* A line of the table. */
struct line {
        const char *interface;
        const struct session_row *row;
};

typedef void (*cell_printer)(char cell[static CELL_SIZE], const struct line *line, size_t offset);

static void print_interface(char cell[static CELL_SIZE], const struct line *line, size_t offset)
{
        (void) offset;
        (void) snprintf(cell, CELL_SIZE, "%s", line->interface);
}

static void print_text(char cell[static CELL_SIZE], const struct line *line, size_t offset)
{
        (void) snprintf(cell, CELL_SIZE, "%s", (const char *) line->row + offset);
}

static void print_number(char cell[static CELL_SIZE], const struct line *line, size_t offset)
{
        (void) snprintf(cell, CELL_SIZE, "%" PRIu64, protocol_get_number(line->row, offset));
}

/* "10", or "unknown" and the reason; a newer daemon may have one that has no text here. */
static void print_missing(char cell[static CELL_SIZE], const struct line *line, size_t offset)
{
        const struct session_row *row = line->row;
        enum session_unknown unknown = session_unknown_find(row->unknown);
        char text[64];

        if (row->missing != PROTOCOL_NONE)
                print_number(cell, line, offset);
        else
                (void) snprintf(cell, CELL_SIZE, "unknown\n%s",
                                unknown == _SESSION_UNKNOWN_MAX
                                        ? row->unknown
                                        : session_unknown_text(text, sizeof(text), unknown, row->step));
}

/* "2", and the latest of them: "by 192.0.2.9", "packet too big, MTU 1280" */
static void print_refused(char cell[static CELL_SIZE], const struct line *line, size_t offset)
{
        const struct session_row *row = line->row;
        size_t used;

        print_number(cell, line, offset);
        used = strlen(cell);
        if (row->refused > 0 && row->reporter[0] != '\0')
                used += (size_t) snprintf(cell + used, CELL_SIZE - used, "\nby %s", row->reporter);
        if (row->refused > 0)
                used += (size_t) snprintf(cell + used, CELL_SIZE - used, "\n%s", row->reason);
        if (row->refused > 0 && row->path_mtu != PROTOCOL_NONE)
                (void) snprintf(cell + used, CELL_SIZE - used, ", MTU %" PRIu64, row->path_mtu);
}

/* The smallest and the largest, whose number follows. */
static void print_range(char cell[static CELL_SIZE], const struct line *line, size_t offset)
{
        uint64_t min = protocol_get_number(line->row, offset);
        uint64_t max = protocol_get_number(line->row, offset + sizeof(uint64_t));

        if (min == max)
                (void) snprintf(cell, CELL_SIZE, "%" PRIu64, min);
        else
                (void) snprintf(cell, CELL_SIZE, "%" PRIu64 " to %" PRIu64, min, max);
}

static void print_duration(char cell[static CELL_SIZE], const struct line *line, size_t offset)
{
        char text[DURATION_TEXT_SIZE];

        (void) snprintf(cell, CELL_SIZE, "%s",
                        duration_format(text, protocol_get_number(line->row, offset)));
}

#define FIELD(field) .offset = offsetof(struct session_row, field)

static const struct {
        const char *heading;
        cell_printer print;
        size_t offset; /* of the value within struct session_row */
        bool is_number, is_interface, is_address;
} columns[] = {
        { .heading = "INTERFACE", .print = print_interface, .is_interface = true },
        { .heading = "FROM", .print = print_text, FIELD(source), .is_address = true },
        { .heading = "TO", .print = print_text, FIELD(destination), .is_address = true },
        { .heading = "ID", .print = print_number, FIELD(identifier), .is_number = true },
        { .heading = "REQUESTS", .print = print_number, FIELD(requests), .is_number = true },
        { .heading = "MISSING", .print = print_missing, FIELD(missing), .is_number = true },
        { .heading = "DUPLICATE", .print = print_number, FIELD(duplicates), .is_number = true },
        { .heading = "REORDERED", .print = print_number, FIELD(reordered), .is_number = true },
        { .heading = "TTL", .print = print_range, FIELD(hop_limit_min) },
        { .heading = "SIZE", .print = print_range, FIELD(length_min) },
        { .heading = "SEEN", .print = print_duration, FIELD(idle_usec), .is_number = true },
        { .heading = "REFUSED", .print = print_refused, FIELD(refused) },
};

static int add_line(struct libscols_table *table, const struct line *line,
                    const bool shown[static ARRAY_SIZE(columns)])
{
        struct libscols_line *cells = scols_table_new_line(table, NULL);
        char cell[CELL_SIZE];
        size_t n = 0;
        int r;

        if (!cells)
                return -ENOMEM;

        for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
                if (!shown[i])
                        continue;

                columns[i].print(cell, line, columns[i].offset);
                r = scols_line_set_data(cells, n++, cell);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int print_lines(const struct line *lines, size_t n, bool with_interface, bool with_addresses, FILE *file)
{
        _cleanup_(table_unrefp) struct libscols_table *table = scols_new_table();
        bool shown[ARRAY_SIZE(columns)];
        int r;

        if (!table)
                return -ENOMEM;

        /* A screen cuts the lines, a terminal breaks them. */
        (void) scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
        (void) scols_table_set_stream(table, file);
        for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
                shown[i] = (with_interface || !columns[i].is_interface) &&
                           (with_addresses || !columns[i].is_address);
                r = shown[i] ? table_add_column(table, columns[i].heading, columns[i].is_number) : 0;
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < n; i++) {
                r = add_line(table, &lines[i], shown);
                if (r < 0)
                        return r;
        }

        return scols_print_table(table);
}

/* Sets the text to a table, or to "" if there are no lines. */
static int format_lines(char **ret_text, const struct line *lines, size_t n, bool with_interface,
                        bool with_addresses)
{
        size_t size;
        FILE *file = open_memstream(ret_text, &size);
        int r;

        if (!file)
                return -errno;

        r = n > 0 ? print_lines(lines, n, with_interface, with_addresses, file) : 0;
        if (fclose(file) != 0 && r >= 0)
                r = -errno;
        if (r < 0)
                free(*ret_text);
        return r;
}

static int compare_lines(const void *left, const void *right)
{
        const struct line *a = left, *b = right;

        return (a->row->idle_usec > b->row->idle_usec) - (a->row->idle_usec < b->row->idle_usec);
}

static size_t collect_lines(struct line *lines, const struct snapshot *snapshot)
{
        const struct sessions *sessions = snapshot->sessions;

        for (size_t i = 0; sessions && i < sessions->n; i++)
                lines[i] = (struct line) { sessions->interface, &sessions->rows[i] };

        return sessions ? sessions->n : 0;
}

/**
 * sessions_show_addresses() - check whether an instance has sent addresses
 * @instances: the instances
 *
 * Return: false if each that has answered refused to.
 */
bool sessions_show_addresses(const struct instances *instances)
{
        bool refused = false;

        for (size_t i = 0; i < instances->n; i++) {
                const struct sessions *sessions = instances->snapshots[i].sessions;

                if (sessions && strcmp(sessions->addresses, "yes") == 0)
                        return true;
                refused = refused || sessions;
        }

        return !refused;
}

/**
 * sessions_format() - write the sessions of all instances as one table, the latest request first
 * @ret_text: set to the table, which the caller frees; empty without sessions
 * @instances: the instances
 *
 * Return: 0 or a negative errno.
 */
int sessions_format(char **ret_text, const struct instances *instances)
{
        struct line *lines = calloc(instances->n * SESSIONS_ROWS_MAX + 1, sizeof(*lines));
        size_t n = 0;
        int r;

        if (!lines)
                return -ENOMEM;

        for (size_t i = 0; i < instances->n; i++)
                n += collect_lines(lines + n, &instances->snapshots[i]);
        qsort(lines, n, sizeof(*lines), compare_lines);
        r = format_lines(ret_text, lines, n, true, sessions_show_addresses(instances));
        free(lines);
        return r;
}

/**
 * sessions_format_one() - write the sessions of one instance as a table, without its name
 * @ret_text: set to the table, which the caller frees; empty without sessions
 * @snapshot: the instance
 *
 * Return: 0 or a negative errno.
 */
int sessions_format_one(char **ret_text, const struct snapshot *snapshot)
{
        struct line lines[SESSIONS_ROWS_MAX];
        size_t n = collect_lines(lines, snapshot);
        bool with_addresses = n > 0 && strcmp(snapshot->sessions->addresses, "yes") == 0;

        return format_lines(ret_text, lines, n, false, with_addresses);
}
