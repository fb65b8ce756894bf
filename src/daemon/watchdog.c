/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The watchdog of systemd, which is answered only if both planes run. sd_event_set_watchdog(3) answers for the
 * event loop alone, and waits for a systemd that does not read.
 */

#include "daemon/watchdog.h"

#include <errno.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "daemon/service.h"
#include "engine/engine.h"

struct watchdog {
        struct engine *engine;
        const struct journal *journal;
        sd_event_source *timer;
        uint64_t interval; /* between two answers, in microseconds */
};

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
        struct watchdog *watchdog = userdata;
        int r;

        (void) usec;

        r = engine_check(watchdog->engine, watchdog->interval);
        if (r == -ETIMEDOUT)
                journal_send(watchdog->journal, MESSAGE_SYSTEM_FAILED, NULL, r,
                             "The data plane of '%s' does not respond, the watchdog will restart it",
                             watchdog->journal->interface);
        else
                service_send_watchdog();

        r = sd_event_source_set_time_relative(source, watchdog->interval);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/**
 * watchdog_new() - answer the watchdog, if systemd has set it
 * @ret_watchdog: set to the watchdog, which watchdog_free() frees, or to NULL if there is none
 * @event: the event loop
 * @engine: the data plane, started by then; must outlive the watchdog
 * @journal: where to report; must outlive the watchdog
 *
 * Return: 0, -ENOMEM, or a negative errno of sd_watchdog_enabled(3) or sd_event_add_time(3).
 */
int watchdog_new(struct watchdog **ret_watchdog, sd_event *event, struct engine *engine,
                 const struct journal *journal)
{
        struct watchdog *watchdog;
        uint64_t period;
        int r;

        *ret_watchdog = NULL;
        r = sd_watchdog_enabled(false, &period);
        if (r <= 0)
                return r;

        watchdog = calloc(1, sizeof(*watchdog));
        if (!watchdog)
                return -ENOMEM;

        watchdog->engine = engine;
        watchdog->journal = journal;
        watchdog->interval = period / 2;
        r = sd_event_add_time_relative(event, &watchdog->timer, CLOCK_MONOTONIC, watchdog->interval,
                                       watchdog->interval / 8, on_timer, watchdog);
        if (r < 0) {
                watchdog_free(watchdog);
                return r;
        }

        *ret_watchdog = watchdog;
        return 0;
}

/**
 * watchdog_free() - answer the watchdog no longer
 * @watchdog: the watchdog, or NULL
 *
 * Return: NULL.
 */
struct watchdog *watchdog_free(struct watchdog *watchdog)
{
        if (!watchdog)
                return NULL;

        sd_event_source_unref(watchdog->timer);
        free(watchdog);
        return NULL;
}
