/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The lines that watch shows of one instance, as wide as the terminal. */

#include "client/panel.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/history.h"
#include "client/print-sessions.h"
#include "client/print.h"
#include "common/util.h"

#define NAME_WIDTH       18 /* the longest verdict, indented */
#define NUMBER_WIDTH_MIN 7
#define NUMBER_WIDTH_MAX 14
#define NUMBER_SIZE      32

/* An empty line, the heading, and a session. */
#define SESSIONS_LINES_MIN 3

/* A block element has up to three bytes. */
#define LINE_SIZE (3 * HISTORY_MAX + 64)

static void print(const struct panel *panel, enum panel_style style, const char *format, ...) _printf_(3, 4);

/* ASCII only, cut to the width. */
static void print(const struct panel *panel, enum panel_style style, const char *format, ...)
{
        char line[LINE_SIZE];
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);

        if (panel->width < LINE_SIZE)
                line[panel->width] = '\0';
        panel->print(panel->userdata, style, line);
}

/* A number in at most @width characters: exact if it fits, else in thousands, millions and so on. */
static const char *number_format(char text[static NUMBER_SIZE], uint64_t number, int width)
{
        static const char units[] = "kMGTPE";
        double scaled = (double) number;
        int size = snprintf(text, NUMBER_SIZE, "%" PRIu64, number);

        for (size_t i = 0; size > width && units[i] != '\0'; i++) {
                scaled /= 1000;
                size = snprintf(text, NUMBER_SIZE, "%.*f%c", scaled < 100, scaled, units[i]);
        }

        return text;
}

static const char *rate_format(char text[static NUMBER_SIZE], double rate, int width)
{
        if (!isnan(rate))
                return number_format(text, (uint64_t) llround(rate), width);

        (void) snprintf(text, NUMBER_SIZE, "-");
        return text;
}

static const char *plural(uint64_t number)
{
        return number == 1 ? "" : "s";
}

static void print_header(const struct panel *panel, const struct history *history)
{
        const struct status *status = &history->now.status;
        const char *name = status->interface, *state = snapshot_state(&history->now);
        char uptime[DURATION_TEXT_SIZE], restarts[32] = "";

        if (history->restarts > 0)
                (void) snprintf(restarts, sizeof(restarts), ", %u restart%s", history->restarts,
                                plural(history->restarts));

        if (history->now.error < 0)
                print(panel, PANEL_NOT_RUNNING, "%s: %s, waiting%s", name, state, restarts);
        else
                print(panel, PANEL_RUNNING, "%s: %s, up %s%s, %" PRIu64 " session%s, %s", name, state,
                      duration_format(uptime, status->uptime_usec), restarts, status->sessions,
                      plural(status->sessions), status->engine);
}

static void print_ping(const struct panel *panel, const struct status *status)
{
        if (status->ping[0][0] == '\0')
                print(panel, PANEL_TEXT, "every address routed into it answers");
        else if (status->ping[1][0] == '\0')
                print(panel, PANEL_TEXT, "ping %s", status->ping[0]);
        else
                print(panel, PANEL_TEXT, "ping %s or %s", status->ping[0], status->ping[1]);
}

/* A column of the graph: blank if the rate is unknown, the lowest if it is 0, or one of seven heights. */
static const char *graph_column(const struct panel *panel, double rate, double peak)
{
        static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
        static const char *const ascii[] = { "_", ".", ":", "-", "=", "+", "*", "#" };
        const double highest = ARRAY_SIZE(blocks) - 1;
        size_t height = 0;

        _Static_assert(ARRAY_SIZE(blocks) == ARRAY_SIZE(ascii), "both have the same heights");

        if (isnan(rate))
                return " ";
        if (peak > 0)
                height = (size_t) fmin(ceil(rate * highest / peak), highest);

        return panel->unicode ? blocks[height] : ascii[height];
}

/* Packets per second, the latest at the right, and the rate of the highest column. */
static void print_graph(const struct panel *panel, const struct history *history)
{
        char line[LINE_SIZE], number[NUMBER_SIZE];
        int width = panel->width - (int) strlen(" peak 1234567/s");
        size_t n = width < 0 ? 0 : (size_t) width, used = 0;
        const double *rates;
        double peak = 0;

        if (n > history->n_packets)
                n = history->n_packets;
        rates = history->packets + history->n_packets - n;
        for (size_t i = 0; i < n; i++)
                peak = fmax(peak, rates[i]);

        for (size_t i = 0; i < n; i++)
                used += (size_t) snprintf(line + used, sizeof(line) - used, "%s",
                                          graph_column(panel, rates[i], peak));

        (void) snprintf(line + used, sizeof(line) - used, " peak %s/s",
                        rate_format(number, peak, NUMBER_WIDTH_MIN));
        panel->print(panel->userdata, PANEL_GRAPH, line);
}

static int number_width(const struct panel *panel)
{
        int width = (panel->width - NAME_WIDTH) / 3;

        return width < NUMBER_WIDTH_MIN ? NUMBER_WIDTH_MIN : width > NUMBER_WIDTH_MAX ? NUMBER_WIDTH_MAX
                                                                                      : width;
}

static void print_counter(const struct panel *panel, const struct history *history, enum counter counter)
{
        char total[NUMBER_SIZE], rate[NUMBER_SIZE], change[NUMBER_SIZE], signed_change[NUMBER_SIZE + 1];
        uint64_t count = counter_get(&history->last, counter);
        bool is_verdict = counter >= COUNTER_VERDICTS, is_drop = is_verdict || counter == COUNTER_DROPPED;
        int width = number_width(panel);

        (void) snprintf(signed_change, sizeof(signed_change), "+%s",
                        number_format(change, history->change[counter], width - 2));
        print(panel, is_drop && count > 0 ? PANEL_DROPPED : PANEL_TEXT, "%s%-*s%*s%*s%*s",
              is_verdict ? " " : "", NAME_WIDTH - is_verdict, counter_name(counter), width,
              number_format(total, count, width - 1), width,
              rate_format(rate, history->per_second[counter], width - 1), width, signed_change);
}

/* Not the two verdicts of replies, whose sum is shown, and no counter that is 0 but the sums. */
static bool is_shown(const struct history *history, enum counter counter)
{
        bool counted = counter_get(&history->last, counter) > 0 || history->change[counter] > 0;

        if (counter >= COUNTER_VERDICTS)
                return counted && !verdict_is_reply(counter - COUNTER_VERDICTS);

        return counted || counter != COUNTER_UNSENT;
}

/**
 * panel_print() - print the lines of one instance
 * @panel: the width, the characters, and the function that prints a line
 * @history: the snapshots of the instance
 */
void panel_print(const struct panel *panel, const struct history *history)
{
        int width = number_width(panel);

        print_header(panel, history);
        if (!history->answered)
                return;

        print_ping(panel, &history->last);
        print_graph(panel, history);
        print(panel, PANEL_HEADING, "%-*s%*s%*s%*s", NAME_WIDTH, "", width, "total", width, "per s", width,
              "change");
        for (enum counter c = 0; c < _COUNTER_MAX; c++)
                if (is_shown(history, c))
                        print_counter(panel, history, c);
}

static int count_lines(const char *text)
{
        int n = 0;

        for (; *text != '\0'; text++)
                n += *text == '\n';

        return n;
}

/**
 * panel_print_text() - print the lines of a table
 * @panel: the width, and the function that prints a line
 * @text: the lines, of which the first one is the heading
 * @max: how many lines there may be
 */
void panel_print_text(const struct panel *panel, const char *text, int max)
{
        for (int i = 0; i < max && *text != '\0'; i++) {
                size_t length = strcspn(text, "\n");

                print(panel, i == 0 ? PANEL_HEADING : PANEL_TEXT, "%.*s", (int) length, text);
                text += length + (text[length] == '\n');
        }
}

/**
 * panel_print_sessions() - print the sessions of an instance
 * @panel: the width, and the function that prints a line
 * @snapshot: the instance
 * @max: how many lines there may be
 *
 * Return: how many lines were printed; none if there are no sessions, or there is no space for one.
 */
int panel_print_sessions(const struct panel *panel, const struct snapshot *snapshot, int max)
{
        char *text;
        int n;

        if (max < SESSIONS_LINES_MIN || sessions_format_one(&text, snapshot) < 0)
                return 0;

        n = count_lines(text);
        if (n > 0) {
                n = n + 1 < max ? n + 1 : max;
                panel->print(panel->userdata, PANEL_TEXT, "");
                panel_print_text(panel, text, n - 1);
        }

        free(text);
        return n;
}
