/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Reads the instances again and again, for the commands that show how they change.
 *
 * One event loop dispatches the connections to the instances, signals, keys and the timer of the refreshes,
 * so none of them waits for another. The timer is started with a refresh; if it has expired when the refresh
 * ends, the next one starts at once.
 */

#include "client/refresh.h"

#include <signal.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/panel.h"
#include "client/screen.h"
#include "common/util.h"

#define ACCURACY_USEC 1000 /* of the interval */

struct watch {
        const struct ctl_options *options;
        const struct instances_query *query;
        const struct refresh_view *view;
        bool on_screen;
        sd_event *event;
        sd_event_source *timer;
        struct instances_reader *reader; /* NULL between two refreshes */
        struct instances_reader *shown;  /* has what the view shows; NULL before the first refresh has ended */
        unsigned n_refreshes;
};

static void draw(const struct watch *watch)
{
        struct panel panel;

        screen_begin(&panel);
        watch->view->draw(watch->view->userdata, &panel);
        screen_end();
}

static int start_refresh(struct watch *watch);

static int on_read(void *userdata, const struct instances *instances)
{
        struct watch *watch = userdata;
        int r;

        watch->n_refreshes++;
        r = watch->view->update(watch->view->userdata, instances);
        if (r < 0)
                return sd_event_exit(watch->event, r);

        (void) instances_reader_free(watch->shown);
        watch->shown = watch->reader;
        watch->reader = NULL;
        if (watch->on_screen) {
                draw(watch);
        } else {
                watch->view->print(watch->view->userdata);
                (void) fflush(stdout);
        }
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
                r = instances_reader_new(&watch->reader, watch->event, watch->query, on_read, watch);

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
        (void) instances_reader_free(watch->shown);
        (void) sd_event_source_disable_unref(watch->timer);
        (void) sd_event_unref(watch->event);
}

/**
 * refresh_run() - show how instances change, until a key, a signal or the last refresh ends it
 * @options: how often, and how many times
 * @query: which instances, and what of them
 * @view: how they are shown; an instance stays valid until the update after that with the next ones
 *
 * On a terminal whose cursor can be moved this is a screen, elsewhere lines of text.
 *
 * Return: 0 or a negative errno.
 */
int refresh_run(const struct ctl_options *options, const struct instances_query *query,
                const struct refresh_view *view)
{
        _cleanup_(watch_done) struct watch watch = { .options = options, .query = query, .view = view };
        int r;

        r = sd_event_new(&watch.event);
        if (r < 0)
                return r;

        r = open_sources(&watch);
        return r < 0 ? r : sd_event_loop(watch.event);
}
