/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The control plane: everything but the packets. Starts and stops the data plane, and between that waits in
 * sd_event_loop(3) for signals, netlink, clients, timers and records of the data plane.
 *
 * This folder is the only one that logs. It may wait, for the journal or for systemd, as no packet waits for
 * it; it never reads or writes a packet.
 */

#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/util.h"
#include "daemon/confinement.h"
#include "daemon/device.h"
#include "daemon/diagnosis.h"
#include "daemon/fail.h"
#include "daemon/instance.h"
#include "daemon/reload.h"
#include "daemon/report.h"
#include "daemon/service.h"
#include "daemon/session-list.h"
#include "daemon/status-socket.h"
#include "daemon/watchdog.h"
#include "engine/engine.h"
#include "engine/records.h"
#include "tunecho/status.h"

/* The timeout of READY=1 for the kernel to use the addresses; the data plane answers packets meanwhile. */
#define SETTLE_USEC 500000

struct daemon {
        struct config *config;
        const struct journal *journal;

        struct confinement confinement;

        struct device *device;
        struct records *records;
        struct engine *engine;
        struct status_server *status;      /* or NULL */
        struct session_list *session_list; /* or NULL */

        sd_event *event;
        struct report *report;
        struct diagnosis *diagnosis;
        struct watchdog *watchdog; /* or NULL */
        sd_event_source *late;     /* the timeout of READY=1 */

        uint64_t ready; /* the time of READY=1 in microseconds, or 0 */
        bool reload_refused;
        char notice[DEVICE_NOTICE_SIZE + 64];
};

static void daemon_done(struct daemon *daemon)
{
        engine_free(daemon->engine);
        report_free(daemon->report);
        watchdog_free(daemon->watchdog);
        status_server_free(daemon->status);
        session_list_free(daemon->session_list);
        diagnosis_free(daemon->diagnosis);
        device_free(daemon->device);
        sd_event_source_unref(daemon->late);
        sd_event_unref(daemon->event);
        records_free(daemon->records);
        confinement_done(&daemon->confinement);
}

static void open_status(struct daemon *daemon)
{
        int r = -ENOMEM;

        daemon->session_list = session_list_new(daemon->config->interface);
        if (daemon->session_list)
                r = status_server_new(&daemon->status, daemon->config->interface,
                                      confinement_identity(&daemon->confinement));
        if (r < 0)
                journal_send(daemon->journal, MESSAGE_STATUS_FAILED, NULL, r,
                             "'%s' has no status socket for tunechoctl: %m",
                             daemon->config->interface);
}

static int make_records(struct daemon *daemon)
{
        uint64_t seed;

        if (getrandom(&seed, sizeof(seed), 0) < 0)
                return -errno;

        return records_new(&daemon->records, seed);
}

/* After the privileges are dropped: a thread has those that its creator has. */
static int make_engine(struct daemon *daemon)
{
        const struct engine_status *status;
        struct policy policy;
        int r;

        r = make_records(daemon);
        if (r < 0)
                return fail(daemon->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r,
                            "Cannot set up the ping sessions: %m");

        config_policy(daemon->config, &policy);
        r = engine_new(&daemon->engine, daemon->config->engine, device_fd(daemon->device), &policy,
                       daemon->records);
        if (r < 0)
                return fail(daemon->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r,
                            "Cannot set up the engine %s: %m", engine_type_name(daemon->config->engine));

        status = engine_status(daemon->engine);
        if (status->fallback < 0)
                journal_send(daemon->journal, MESSAGE_ENGINE_FALLBACK, NULL, status->fallback,
                             "'%s' is served by read(2) and write(2), as io_uring is unavailable (%s): %m",
                             daemon->config->interface, status->step);
        return 0;
}

static int send_ready(struct daemon *daemon)
{
        char try[INSTANCE_TRY_SIZE];
        int r;

        daemon->ready = monotonic_usec();
        (void) instance_text_to_try(daemon->config, daemon->device, try);
        journal_send(daemon->journal, MESSAGE_READY, NULL, 0, "'%s' is ready, try: %s; settings: %s",
                     daemon->config->interface, try, daemon->config->sources);
        r = service_send_ready(try);
        if (r < 0)
                journal_send(daemon->journal, MESSAGE_SYSTEM_FAILED, NULL, r,
                             "Cannot notify systemd that '%s' is ready, ignoring: %m",
                             daemon->config->interface);

        return sd_event_source_set_enabled(daemon->late, SD_EVENT_OFF);
}

/* Puts what is wrong in front of the totals in `systemctl status`. Returns whether it changed. */
static bool update_notice(struct daemon *daemon)
{
        char before[sizeof(daemon->notice)], device[DEVICE_NOTICE_SIZE];

        memcpy(before, daemon->notice, sizeof(before));
        (void) device_condition_notice(device_condition(daemon->device), device);
        (void) snprintf(daemon->notice, sizeof(daemon->notice), "%s%s%s",
                        daemon->reload_refused ? "Reload refused, see the journal; " : "", device,
                        device[0] != '\0' ? ", see the journal; " : "");
        report_set_notice(daemon->report, daemon->notice);
        return strcmp(before, daemon->notice) != 0;
}

static void on_device_event(void *userdata, enum device_event event)
{
        struct daemon *daemon = userdata;

        if (daemon->ready == 0 && device_is_settled(daemon->device))
                (void) send_ready(daemon);
        if (event != DEVICE_CHECKED)
                return;

        diagnosis_check_all(daemon->diagnosis, monotonic_usec());
        if (update_notice(daemon))
                report_update_status(daemon->report);
}

/* The kernel is asked about a ping that something happened to. */
static void on_session(void *userdata, enum session_event event, const struct session *session)
{
        static const enum diagnosis_event events[] = {
                [SESSION_OPENED] = DIAGNOSIS_OPENED,
                [SESSION_IDLE] = DIAGNOSIS_IDLE,
                [SESSION_RESUMED] = DIAGNOSIS_OPENED,
                [SESSION_INTERIM] = DIAGNOSIS_OPENED,
                [SESSION_EVICTED] = DIAGNOSIS_ENDED,
                [SESSION_STOPPED] = DIAGNOSIS_ENDED,
                [_SESSION_EVENT_MAX] = DIAGNOSIS_REFUSED,
        };
        struct daemon *daemon = userdata;

        diagnosis_check(daemon->diagnosis, monotonic_usec(), events[event], session);
}

static int on_late(sd_event_source *source, uint64_t usec, void *userdata)
{
        struct daemon *daemon = userdata;

        (void) source;
        (void) usec;

        return daemon->ready == 0 ? send_ready(daemon) : 0;
}

static void send_status(void *userdata, int client)
{
        struct daemon *daemon = userdata;
        struct status status = { 0 };
        char text[STATUS_TEXT_MAX];
        int size;

        instance_read_status(&status, daemon->config, daemon->device, daemon->engine, daemon->records);
        if (daemon->reload_refused && strcmp(status.state, state_name(STATE_RUNNING)) == 0)
                (void) snprintf(status.state, sizeof(status.state), "%s", state_name(STATE_RELOAD_REFUSED));
        status.uptime_usec = daemon->ready > 0 ? monotonic_usec() - daemon->ready : 0;

        size = status_format(&status, text, sizeof(text));
        if (size > 0)
                (void) send(client, text, (size_t) size, MSG_NOSIGNAL);
}

static void send_sessions(void *userdata, int client)
{
        struct daemon *daemon = userdata;

        session_list_send(daemon->session_list, daemon->records, client);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        struct daemon *daemon = userdata;
        char status[REPORT_STATUS_SIZE];

        (void) source;
        (void) info;

        service_send_reloading();
        daemon->reload_refused = !reload_apply(daemon->config, daemon->device, daemon->engine, daemon->report,
                                               daemon->journal);
        (void) update_notice(daemon);
        (void) service_send_ready(report_status_text(daemon->report, status));
        return 0;
}

static int on_totals(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
        struct daemon *daemon = userdata;

        (void) source;
        (void) info;

        report_totals(daemon->report, MESSAGE_TOTALS, "so far");
        return 0;
}

/* The data plane has ended by itself: -EBADFD is a device that was deleted. */
static void on_engine_end(void *userdata)
{
        struct daemon *daemon = userdata;
        int r = engine_result(daemon->engine);

        if (r < 0)
                (void) sd_event_exit(daemon->event, r);
}

static int attach_signals(struct daemon *daemon)
{
        static const struct {
                int number;
                sd_event_signal_handler_t handler; /* NULL: ends the event loop */
                int64_t priority;                  /* a stream of others does not keep SIGTERM waiting */
        } signals[] = {
                { SIGTERM, NULL, SD_EVENT_PRIORITY_IMPORTANT },
                { SIGINT, NULL, SD_EVENT_PRIORITY_IMPORTANT },
                { SIGHUP, on_reload, SD_EVENT_PRIORITY_NORMAL },
                { SIGUSR1, on_totals, SD_EVENT_PRIORITY_NORMAL },
        };

        for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
                sd_event_source *source;
                int r;

                r = sd_event_add_signal(daemon->event, &source, signals[i].number, signals[i].handler,
                                        signals[i].handler ? daemon : NULL);
                if (r < 0)
                        return r;

                r = sd_event_source_set_priority(source, signals[i].priority);
                if (r >= 0)
                        r = sd_event_source_set_floating(source, true);
                sd_event_source_unref(source);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int attach_all(struct daemon *daemon)
{
        int r;

        r = sd_event_new(&daemon->event);
        if (r < 0)
                return r;

        r = attach_signals(daemon);
        if (r < 0)
                return r;

        r = watchdog_new(&daemon->watchdog, daemon->event, daemon->engine, daemon->journal);
        if (r < 0)
                return r;

        r = report_new(&daemon->report, daemon->event, daemon->records, daemon->journal, on_engine_end,
                       daemon);
        if (r < 0)
                return r;

        r = diagnosis_new(&daemon->diagnosis, daemon->device, daemon->journal);
        if (r < 0)
                return r;

        report_watch_sessions(daemon->report, on_session, daemon);
        r = device_attach(daemon->device, daemon->event, on_device_event, daemon);
        if (r < 0)
                return r;

        r = sd_event_add_time_relative(daemon->event, &daemon->late, CLOCK_MONOTONIC, SETTLE_USEC, 0, on_late,
                                       daemon);
        if (r < 0)
                return r;

        if (!daemon->status)
                return 0;

        return status_server_attach(daemon->status, daemon->event, send_status, send_sessions, daemon);
}

/* Returns 0 once a signal asked to stop, or a negative errno. */
static int serve(struct daemon *daemon)
{
        on_device_event(daemon, DEVICE_CHANGED);
        return sd_event_loop(daemon->event);
}

static int stop(struct daemon *daemon, int error)
{
        const char *name = daemon->config->interface;

        (void) engine_stop(daemon->engine);
        service_send_stopping();
        report_rest(daemon->report);
        if (error == 0) {
                report_totals(daemon->report, MESSAGE_STOPPED, "stopped");
                return EXIT_SUCCESS;
        }

        report_totals(daemon->report, MESSAGE_TOTALS, "until now");
        if (error == -EBADFD)
                return fail(daemon->journal, EX_OSERR, MESSAGE_DEVICE_LOST, error,
                            "'%s' was deleted by another process", name);

        return fail(daemon->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, error, "Cannot continue with '%s': %m",
                    name);
}

/* From the beginning, so that none of them ends the process between two steps. */
static int block_signals(void)
{
        static const int handled[] = { SIGTERM, SIGINT, SIGUSR1, SIGHUP };
        sigset_t set;

        /* A parent that ignores SIGCHLD passes that on: wait(2) would fail. */
        if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGCHLD, SIG_DFL) == SIG_ERR || sigemptyset(&set) < 0)
                return -errno;

        for (size_t i = 0; i < ARRAY_SIZE(handled); i++)
                if (sigaddset(&set, handled[i]) < 0)
                        return -errno;

        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

/**
 * daemon_run() - answer pings until a signal asks to stop
 * @config: the settings; lose IPv6 where they are the defaults and the machine has none
 * @journal: where to report
 *
 * Return: the status to exit with, of sysexits(3).
 */
int daemon_run(struct config *config, const struct journal *journal)
{
        _cleanup_(daemon_done) struct daemon daemon = { .config = config, .journal = journal };
        int r;

        r = block_signals();
        if (r < 0)
                return fail(journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot block signals: %m");

        r = confinement_init(&daemon.confinement, config->user, journal);
        if (r != 0)
                return r;

        r = device_open(&daemon.device, config, journal);
        if (r != 0)
                return r;

        r = device_configure(daemon.device);
        if (r != 0)
                return r;

        open_status(&daemon);
        r = confinement_drop_privileges(&daemon.confinement);
        if (r != 0)
                return r;

        r = make_engine(&daemon);
        if (r != 0)
                return r;

        r = confinement_limit_process(&daemon.confinement);
        if (r != 0)
                return r;

        r = attach_all(&daemon);
        if (r < 0)
                return fail(journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot set up the event loop: %m");

        report_select(daemon.report, config->log_packets, config->sessions);
        r = engine_start(daemon.engine, confinement_limit_data_plane, &daemon.confinement);
        if (r < 0)
                return confinement_fail_filter(&daemon.confinement, r, "the data plane's system calls");

        return stop(&daemon, serve(&daemon));
}
