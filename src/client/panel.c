/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What watch shows of one instance, line by line, in as many columns as there are. */

#include "client/panel.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client/print.h"
#include "common/util.h"

#define NAME_WIDTH       18 /* the longest verdict, indented */
#define NUMBER_WIDTH_MIN 7
#define NUMBER_WIDTH_MAX 14
#define NUMBER_SIZE      32

/* A block element has up to three bytes. */
#define LINE_SIZE (3 * HISTORY_MAX + 64)

static void put(const struct panel *panel, enum panel_style style, const char *format, ...) _printf_(3, 4);

/* Of ASCII characters; what does not fit is cut off. */
static void put(const struct panel *panel, enum panel_style style, const char *format, ...)
{
        char line[LINE_SIZE];
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);

        if (panel->width < LINE_SIZE)
                line[panel->width] = '\0';
        panel->put(panel->userdata, style, line);
}

/* A number in at most @width characters: exact if it fits, else as so many thousands, millions and so on. */
static const char *number_text(char text[static NUMBER_SIZE], uint64_t number, int width)
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

static const char *rate_text(char text[static NUMBER_SIZE], double rate, int width)
{
        if (!isnan(rate))
                return number_text(text, (uint64_t) llround(rate), width);

        (void) snprintf(text, NUMBER_SIZE, "-");
        return text;
}

static const char *plural(uint64_t number)
{
        return number == 1 ? "" : "s";
}

static void put_header(const struct panel *panel, const struct history *history)
{
        const struct snapshot *now = &history->now;
        char uptime[DURATION_TEXT_SIZE], restarts[32] = "";

        if (history->restarts > 0)
                (void) snprintf(restarts, sizeof(restarts), ", %u restart%s", history->restarts,
                                plural(history->restarts));

        if (now->error < 0)
                put(panel, PANEL_BAD, "%s: %s, waiting%s", now->interface, snapshot_state(now), restarts);
        else
                put(panel, PANEL_GOOD, "%s: %s, up %s%s, %" PRIu64 " session%s, %s", now->interface,
                    snapshot_state(now), duration_text(uptime, now->uptime_usec), restarts, now->sessions,
                    plural(now->sessions), now->engine);
}

static void put_peers(const struct panel *panel, const struct snapshot *snapshot)
{
        if (snapshot->peers[0][0] == '\0')
                put(panel, PANEL_PLAIN, "whatever is routed into it answers");
        else if (snapshot->peers[1][0] == '\0')
                put(panel, PANEL_PLAIN, "ping %s", snapshot->peers[0]);
        else
                put(panel, PANEL_PLAIN, "ping %s or %s", snapshot->peers[0], snapshot->peers[1]);
}

/* One column of the graph: nothing known, nothing there, or one of seven heights. */
static const char *column_of(const struct panel *panel, double rate, double peak)
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

/* The latest packets a second, the newest at the right, and what the highest column stands for. */
static void put_graph(const struct panel *panel, const struct history *history)
{
        char line[LINE_SIZE], number[NUMBER_SIZE];
        int room = panel->width - (int) strlen(" peak 1234567/s");
        size_t n = room < 0 ? 0 : (size_t) room, used = 0;
        const double *rates;
        double peak = 0;

        if (n > history->n_packets)
                n = history->n_packets;
        rates = history->packets + history->n_packets - n;
        for (size_t i = 0; i < n; i++)
                peak = fmax(peak, rates[i]);

        for (size_t i = 0; i < n; i++)
                used += (size_t) snprintf(line + used, sizeof(line) - used, "%s",
                                          column_of(panel, rates[i], peak));

        (void) snprintf(line + used, sizeof(line) - used, " peak %s/s",
                        rate_text(number, peak, NUMBER_WIDTH_MIN));
        panel->put(panel->userdata, PANEL_GRAPH, line);
}

static int number_width(const struct panel *panel)
{
        int width = (panel->width - NAME_WIDTH) / 3;

        return width < NUMBER_WIDTH_MIN ? NUMBER_WIDTH_MIN : width > NUMBER_WIDTH_MAX ? NUMBER_WIDTH_MAX
                                                                                      : width;
}

static void put_tally(const struct panel *panel, const struct history *history, enum tally tally)
{
        char total[NUMBER_SIZE], rate[NUMBER_SIZE], change[NUMBER_SIZE], signed_change[NUMBER_SIZE + 1];
        uint64_t count = tally_of(&history->last, tally);
        bool is_verdict = tally >= TALLY_VERDICTS, is_drop = is_verdict || tally == TALLY_DROPPED;
        int width = number_width(panel);

        (void) snprintf(signed_change, sizeof(signed_change), "+%s",
                        number_text(change, history->change[tally], width - 2));
        put(panel, is_drop && count > 0 ? PANEL_DROPPED : PANEL_PLAIN, "%s%-*s%*s%*s%*s",
            is_verdict ? " " : "", NAME_WIDTH - is_verdict, tally_name(tally), width,
            number_text(total, count, width - 1), width,
            rate_text(rate, history->per_second[tally], width - 1), width, signed_change);
}

/* The replies are not told apart, and what was never counted is not shown. */
static bool is_shown(const struct history *history, enum tally tally)
{
        bool counted = tally_of(&history->last, tally) > 0 || history->change[tally] > 0;

        if (tally >= TALLY_VERDICTS)
                return counted && !verdict_is_reply(tally - TALLY_VERDICTS);

        return counted || tally != TALLY_UNSENT;
}

/**
 * panel_print() - show one instance
 * @panel: how wide, how, and where to
 * @history: what is known of it
 */
void panel_print(const struct panel *panel, const struct history *history)
{
        int width = number_width(panel);

        put_header(panel, history);
        if (!history->answered)
                return;

        put_peers(panel, &history->last);
        put_graph(panel, history);
        put(panel, PANEL_HEADING, "%-*s%*s%*s%*s", NAME_WIDTH, "", width, "total", width, "per s", width,
            "change");
        for (enum tally t = 0; t < _TALLY_MAX; t++)
                if (is_shown(history, t))
                        put_tally(panel, history, t);
}
