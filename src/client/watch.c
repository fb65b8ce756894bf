/* SPDX-License-Identifier: GPL-2.0-or-later */

/* tunechoctl watch: look at the instances again and again, and show how they change. */

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/history.h"
#include "client/panel.h"
#include "client/screen.h"
#include "common/util.h"

struct watch {
        const struct ctl_options *options;
        bool on_screen;
        int keyboard; /* -1: none */
        int signals;
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

static const struct snapshot *find_snapshot(const struct instances *instances, const char *interface)
{
        for (size_t i = 0; i < instances->n; i++)
                if (strcmp(instances->snapshots[i].status.interface, interface) == 0)
                        return &instances->snapshots[i];

        return NULL;
}

static int add_history(struct watch *watch, const struct snapshot *snapshot)
{
        struct history *histories;

        histories = reallocarray(watch->histories, watch->n_histories + 1, sizeof(*histories));
        if (!histories)
                return -ENOMEM;

        watch->histories = histories;
        histories[watch->n_histories] = (struct history) { 0 };
        history_add(&histories[watch->n_histories++], snapshot);
        return 0;
}

/* An instance that was there once stays in view. */
static void update_history(struct history *history, const struct instances *instances)
{
        const struct snapshot *snapshot = find_snapshot(instances, history->now.status.interface);
        struct snapshot gone = history->now;

        gone.error = -ENOENT;
        history_add(history, snapshot ? snapshot : &gone);
}

static int look(struct watch *watch)
{
        _cleanup_(instances_free) struct instances instances = { 0 };
        size_t n_known = watch->n_histories;
        int r;

        r = instances_read(&watch->options->query, &instances);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n_known; i++)
                update_history(&watch->histories[i], &instances);
        for (size_t i = 0; i < instances.n; i++) {
                if (find_history(watch, instances.snapshots[i].status.interface))
                        continue;

                r = add_history(watch, &instances.snapshots[i]);
                if (r < 0)
                        return r;
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
        if (watch->n_histories == 0)
                panel.print(panel.userdata, PANEL_NOT_RUNNING, "no instance is running, waiting");
        screen_end();
}

/* Returns whether the signal asks to leave. */
static bool take_signal(const struct watch *watch)
{
        struct signalfd_siginfo info;

        if (read(watch->signals, &info, sizeof(info)) != sizeof(info))
                return false;
        if (info.ssi_signo != SIGWINCH)
                return true;

        if (watch->on_screen) {
                screen_resize();
                draw(watch);
        }
        return false;
}

static enum screen_command take_keys(const struct pollfd *keys)
{
        /* Where nobody is there any more, there is no end of what can be read. */
        if (keys->revents & (POLLHUP | POLLERR | POLLNVAL))
                return SCREEN_QUIT;

        return keys->revents & POLLIN ? screen_read_keys() : SCREEN_NONE;
}

/* Wait for the next look. Returns false if somebody asks to leave instead. */
static bool wait_until(const struct watch *watch, int64_t deadline)
{
        enum screen_command command = SCREEN_NONE;
        int64_t left;

        while (command == SCREEN_NONE && (left = deadline - monotonic_msec()) > 0) {
                struct pollfd polled[] = { { watch->signals, POLLIN, 0 },
                                           { watch->keyboard, POLLIN, 0 } };

                if (poll(polled, ARRAY_SIZE(polled), (int) left) <= 0)
                        continue;
                if (polled[0].revents != 0 && take_signal(watch))
                        return false;
                command = take_keys(&polled[1]);
        }

        return command != SCREEN_QUIT;
}

static int run(struct watch *watch)
{
        int r;

        for (unsigned n = 1;; n++) {
                int64_t begin = monotonic_msec();

                r = look(watch);
                if (r < 0)
                        return r;

                if (watch->on_screen)
                        draw(watch);
                else
                        print_lines(watch);
                if (ferror(stdout) || n == watch->options->count)
                        return 0;

                if (!wait_until(watch, begin + watch->options->interval_msec))
                        return 0;
        }
}

/* The signals that end us, and the one that tells of another size, come when it suits us. */
static int catch_signals(void)
{
        static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH };
        sigset_t signals;
        int fd;

        (void) sigemptyset(&signals);
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                (void) sigaddset(&signals, numbers[i]);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;

        fd = signalfd(-1, &signals, SFD_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/**
 * ctl_watch() - show how instances change, until somebody ends it
 * @options: which, how often, and how many times
 *
 * On a terminal that can be drawn upon this is a screen, elsewhere lines of text.
 *
 * Return: 0, or an exit status of sysexits(3).
 */
int ctl_watch(const struct ctl_options *options)
{
        _cleanup_(close_fdp) int signals = catch_signals();
        struct watch watch = { .options = options, .signals = signals };
        int r;

        if (signals < 0)
                return ctl_failed(signals, "signals");

        watch.on_screen = screen_open() == 0;
        watch.keyboard = watch.on_screen && isatty(STDIN_FILENO) ? STDIN_FILENO : -1;
        r = run(&watch);
        if (watch.on_screen)
                screen_close();
        free(watch.histories);

        return r < 0 ? ctl_failed(r, options->query.directory) : ctl_close_output();
}
