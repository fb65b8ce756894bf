/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * tunechoctl watch: read the status of the instances again and again, and show how it changes.
 *
 * One event loop dispatches the connections to the instances, signals, keys and the timer of the refreshes,
 * so none of them waits for another. The timer is started with a refresh; if it has expired when the refresh
 * ends, the next one starts at once.
 */

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/history.h"
#include "client/panel.h"
#include "client/screen.h"
#include "common/util.h"

#define ACCURACY_USEC 1000 /* of the interval */

struct watch {
        const struct ctl_options *options;
        bool on_screen;
        sd_event *event;
        sd_event_source *timer;
        struct instances_reader *reader; /* NULL between two refreshes */
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

/* An instance that was shown once stays in view. */
static int update_histories(struct watch *watch, const struct instances *instances)
{
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

static void print_lines(const struct watch *watch)
{
        for (size_t i = 0; i < watch->n_histories; i++)
                print_line(&watch->histories[i]);
        if (watch->n_histories == 0)
                puts("no instance is running");

        (void) fflush(stdout);
}

static void draw(const struct watch *watch)
{
        struct panel panel;

        screen_begin(&panel);
        for (size_t i = 0; i < watch->n_histories; i++) {
                if (i > 0)
                        panel.print(panel.userdata, PANEL_TEXT, "");
                panel_print(&panel, &watch->histories[i]);
        }
        if (watch->n_refreshes > 0 && watch->n_histories == 0)
                panel.print(panel.userdata, PANEL_NOT_RUNNING, "no instance is running, waiting");
        screen_end();
}

static int start_refresh(struct watch *watch);

static int on_read(void *userdata, const struct instances *instances)
{
        struct watch *watch = userdata;
        int r;

        r = update_histories(watch, instances);
        if (r < 0)
                return sd_event_exit(watch->event, r);

        watch->reader = instances_reader_free(watch->reader);
        if (watch->on_screen)
                draw(watch);
        else
                print_lines(watch);
        if (ferror(stdout) || watch->n_refreshes == watch->options->count)
                return sd_event_exit(watch->event, 0);

        return sd_event_source_get_enabled(watch->timer, NULL) > 0 ? 0 : start_refresh(watch);
}

/* If a refresh is in progress, the next one starts when it ends. */
static int start_refresh(struct watch *watch)
{
        int r;

        if (watch->reader)
                return 0;

        r = sd_event_source_set_time_relative(watch->timer, watch->options->interval_msec * UINT64_C(1000));
        if (r >= 0)
                r = sd_event_source_set_enabled(watch->timer, SD_EVENT_ONESHOT);
        if (r >= 0)
                r = instances_reader_new(&watch->reader, watch->event, &watch->options->query, on_read,
                                         watch);

        return r < 0 ? sd_event_exit(watch->event, r) : 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void) source;
        (void) usec;

        return start_refresh(userdata);
}

static int on_keys(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        struct watch *watch = userdata;
        enum screen_command command;

        (void) source;
        (void) fd;

        /* A terminal that was closed is readable for ever. */
        command = events & (EPOLLHUP | EPOLLERR) ? SCREEN_QUIT : screen_read_keys();
        if (command == SCREEN_QUIT)
                return sd_event_exit(watch->event, 0);

        return command == SCREEN_REFRESH ? start_refresh(watch) : 0;
}

static int on_resize(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        struct watch *watch = userdata;

        (void) source;
        (void) info;

        if (watch->on_screen) {
                screen_resize();
                draw(watch);
        }
        return 0;
}

static int open_sources(struct watch *watch)
{
        static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
        int r;

        /* Without a handler, a signal ends the loop with 0. */
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
                r = sd_event_add_signal(watch->event, NULL, signals[i] | SD_EVENT_SIGNAL_PROCMASK, NULL,
                                        NULL);
                if (r < 0)
                        return r;
        }

        r = sd_event_add_signal(watch->event, NULL, SIGWINCH | SD_EVENT_SIGNAL_PROCMASK, on_resize, watch);
        if (r < 0)
                return r;

        watch->on_screen = screen_open() == 0;
        if (watch->on_screen)
                draw(watch);
        if (watch->on_screen && isatty(STDIN_FILENO))
                r = sd_event_add_io(watch->event, NULL, STDIN_FILENO, EPOLLIN, on_keys, watch);
        if (r < 0)
                return r;

        return sd_event_add_time_relative(watch->event, &watch->timer, CLOCK_MONOTONIC, 0, ACCURACY_USEC,
                                          on_timer, watch);
}

static void watch_done(struct watch *watch)
{
        if (watch->on_screen)
                screen_close();
        (void) instances_reader_free(watch->reader);
        (void) sd_event_source_disable_unref(watch->timer);
        (void) sd_event_unref(watch->event);
        free(watch->histories);
}

static int run(const struct ctl_options *options)
{
        _cleanup_(watch_done) struct watch watch = { .options = options };
        int r;

        r = sd_event_new(&watch.event);
        if (r < 0)
                return r;

        r = open_sources(&watch);
        return r < 0 ? r : sd_event_loop(watch.event);
}

/**
 * ctl_watch() - show how instances change, until a key, a signal or the last refresh ends it
 * @options: which instances, how often, and how many times
 *
 * On a terminal whose cursor can be moved this is a screen, elsewhere lines of text.
 *
 * Return: 0 or CTL_FAILED.
 */
int ctl_watch(const struct ctl_options *options)
{
        int r = run(options);

        return r < 0 ? ctl_print_error(r, options->query.directory) : ctl_close_output();
}
