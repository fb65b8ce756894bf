/* SPDX-License-Identifier: GPL-2.0-or-later */

/* tunechoctl watch: the counters of the instances as they change, and their sessions where there is space. */

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl.h"
#include "client/history.h"
#include "client/panel.h"
#include "client/refresh.h"
#include "common/util.h"

struct watch {
        unsigned n_refreshes;
        struct history *histories; /* in the order of their first answers */
        size_t n_histories;
};

static struct history *find_history(const struct watch *watch, const char *interface)
{
        for (size_t i = 0; i < watch->n_histories; i++)
                if (strcmp(watch->histories[i].now.status.interface, interface) == 0)
                        return &watch->histories[i];

        return NULL;
}

static struct history *new_history(struct watch *watch)
{
        struct history *histories;

        histories = reallocarray(watch->histories, watch->n_histories + 1, sizeof(*histories));
        if (!histories)
                return NULL;

        watch->histories = histories;
        histories[watch->n_histories] = (struct history) { 0 };
        return &histories[watch->n_histories++];
}

/* An instance that was shown once stays in view. The sessions are those of the instances, which own them. */
static int update(void *userdata, const struct instances *instances)
{
        struct watch *watch = userdata;

        watch->n_refreshes++;
        for (size_t i = 0; i < instances->n; i++) {
                struct history *history = find_history(watch, instances->snapshots[i].status.interface);

                if (!history)
                        history = new_history(watch);
                if (!history)
                        return -ENOMEM;

                history_add(history, &instances->snapshots[i]);
                history->refresh = watch->n_refreshes;
        }

        for (size_t i = 0; i < watch->n_histories; i++)
                if (watch->histories[i].refresh != watch->n_refreshes) {
                        struct snapshot absent = watch->histories[i].now;

                        absent.error = -ENOENT;
                        absent.sessions = NULL;
                        history_add(&watch->histories[i], &absent);
                }

        return 0;
}

static void print_line(const struct history *history)
{
        const struct snapshot *now = &history->now;
        char text[COUNTERS_TEXT_SIZE];

        printf("%s: %s", now->status.interface, snapshot_state(now));
        if (!isnan(history->per_second[COUNTER_PACKETS]))
                printf(", %.0f packets/s, %.0f replies/s", history->per_second[COUNTER_PACKETS],
                       history->per_second[COUNTER_REPLIES]);
        if (now->error == 0)
                printf("; %s", counters_text(text, &now->status.counters));
        putchar('\n');
}

static void print_lines(void *userdata)
{
        const struct watch *watch = userdata;

        for (size_t i = 0; i < watch->n_histories; i++)
                print_line(&watch->histories[i]);
        if (watch->n_histories == 0)
                puts("no instance is running");
}

static void count_line(void *userdata, enum panel_style style, const char *line)
{
        (void) style;
        (void) line;

        ++*(int *) userdata;
}

/* The lines of all instances without their sessions, which have what is left. */
static int count_lines(const struct panel *panel, const struct watch *watch)
{
        int n = watch->n_histories > 0 ? (int) watch->n_histories - 1 : 0;
        struct panel counter = { .width = panel->width, .print = count_line, .userdata = &n };

        for (size_t i = 0; i < watch->n_histories; i++)
                panel_print(&counter, &watch->histories[i]);

        return n;
}

static void draw(void *userdata, const struct panel *panel)
{
        const struct watch *watch = userdata;
        int left = panel->rows - count_lines(panel, watch);

        for (size_t i = 0; i < watch->n_histories; i++) {
                if (i > 0)
                        panel->print(panel->userdata, PANEL_TEXT, "");
                panel_print(panel, &watch->histories[i]);
                left -= panel_print_sessions(panel, &watch->histories[i].now, left);
        }
        if (watch->n_refreshes > 0 && watch->n_histories == 0)
                panel->print(panel->userdata, PANEL_NOT_RUNNING, "no instance is running, waiting");
}

/**
 * ctl_watch() - show how instances change, until a key, a signal or the last refresh ends it
 * @options: which instances, how often, and how many times
 *
 * Return: 0 or CTL_FAILED.
 */
int ctl_watch(const struct ctl_options *options)
{
        struct instances_query query = options->query;
        struct watch watch = { 0 };
        const struct refresh_view view = { update, draw, print_lines, &watch };
        int r;

        query.sessions = true;
        r = refresh_run(options, &query, &view);
        free(watch.histories);
        return r < 0 ? ctl_print_error(r, options->query.directory) : ctl_close_output();
}
