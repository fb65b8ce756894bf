/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The order of events, and what each event does. With its parts daemon-*.c, all that logs beside main.c.
 *
 * The loop that moves packets is the outer one: it waits for the device alone, and lets sd-event have its
 * turn when the doorbell rings. So no packet pays for the event loop, and the watchdog is answered only as
 * long as packets move.
 */

#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/daemon-private.h"
#include "daemon/doorbell.h"
#include "daemon/privileges.h"
#include "common/util.h"

/* The first packet sets an alarm; when it rings, what was seen is told. Without packets nothing happens. */
#define TICK_USEC 1000000

/*
 * How long to wait for the routes of new addresses, which take the kernel a few milliseconds. At a start
 * nobody is served yet; in a reload packets wait meanwhile.
 */
#define START_PATIENCE_MSEC  1000
#define RELOAD_PATIENCE_MSEC 50

/* Packets that come sooner after each other than this are waited for in the read. */
#define HURRY_USEC 200

/* How many are, until it is time to look whether there is more than one at a time. */
#define READ_PACKETS_MAX 64

/* ENGINE_LOAD packets that come sooner than this did not have to be waited for: there may be a load. */
#define RUSH_USEC (3 * ENGINE_LOAD)

/* Of a device of which nothing is known. */
#define MTU_MAX 65535

#define STATUS_SIZE (COUNTERS_TEXT_SIZE + 64)

static void daemon_done(struct daemon *daemon)
{
        doorbell_remove();
        daemon->clients = sd_event_source_unref(daemon->clients);
        daemon->event = sd_event_unref(daemon->event);
        daemon->engine = engine_free(daemon->engine);
        daemon->status = status_free(daemon->status);
        daemon->reports.sessions = sessions_free(daemon->reports.sessions);
        daemon->monitor = monitor_close(daemon->monitor);
        daemon->netlink = netlink_close(daemon->netlink);
        close_fdp(&daemon->tun_fd);
}

static int find_identity(struct daemon *daemon, struct identity *ret_identity)
{
        int r;

        r = privileges_have_net_admin();
        if (r < 0)
                return fail(daemon, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot read the capabilities: %m");
        if (r == 0)
                return fail(daemon, EX_NOPERM, MESSAGE_PRIVILEGES, -EPERM,
                            "CAP_NET_ADMIN is needed: start tunecho as root, or as tunecho@%s.service",
                            daemon->config->interface);

        if (!daemon->config->user)
                return 0;

        r = privileges_find_user(daemon->config->user, ret_identity);
        if (r < 0)
                return fail(daemon, EX_USAGE, MESSAGE_SETTINGS_WRONG, r, "--user=%s: %s",
                            daemon->config->user, r == -ENOENT ? "no such user" : strerror(-r));

        return 0;
}

static int drop_privileges(struct daemon *daemon, const struct identity *identity)
{
        const char *what;
        int r;

        r = privileges_drop(identity);
        if (r < 0)
                return fail(daemon, EX_NOPERM, MESSAGE_PRIVILEGES, r, "Cannot drop privileges: %m");

        r = privileges_verify(&what);
        if (r < 0)
                return fail(daemon, EX_NOPERM, MESSAGE_PRIVILEGES, r,
                            "Refusing to run with other privileges than CAP_NET_ADMIN: %s", what);

        return 0;
}

/* "ping 198.18.0.2 or ping 2001:2::2", or what there is of it. */
static const char *text_to_try(const struct config *config, char *text, size_t size)
{
        static const int families[] = { AF_INET, AF_INET6 };
        size_t used = 0;

        (void) snprintf(text, size, "ping an address that is routed into it");
        for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
                struct address address = config_address_to_try(config, families[i]);
                char address_buffer[PREFIX_TEXT_SIZE];

                if (address.family != AF_UNSPEC)
                        used += (size_t) snprintf(text + used, size - used, "%sping %s",
                                                  used > 0 ? " or " : "",
                                                  address_text(address_buffer, &address));
        }

        return text;
}

/* One line for `systemctl status`. */
static const char *status_text(const struct daemon *daemon, char text[static STATUS_SIZE])
{
        char totals[COUNTERS_TEXT_SIZE];

        (void) snprintf(text, STATUS_SIZE, "%s%s",
                        daemon->reload_refused ? "Reload refused, the journal says why; " : "",
                        counters_text(totals, engine_counters(daemon->engine)));
        return text;
}

static void tell_totals(struct daemon *daemon, enum message message, const char *what)
{
        const struct counters *counters = engine_counters(daemon->engine);
        struct journal_fields fields = { 0 };
        char text[COUNTERS_TEXT_SIZE];

        journal_add_counters(&fields, counters);
        journal_send(daemon->journal, message, &fields, 0, "'%s' %s: %s", daemon->config->interface, what,
                     counters_text(text, counters));
}

static int tell_ready(struct daemon *daemon)
{
        char try[256];
        int r;

        r = sd_event_now(daemon->event, CLOCK_MONOTONIC, &daemon->ready);
        if (r < 0)
                return r;

        (void) text_to_try(daemon->config, try, sizeof(try));
        journal_send(daemon->journal, MESSAGE_READY, NULL, 0, "'%s' is ready, try: %s",
                     daemon->config->interface, try);
        r = service_ready(try);
        if (r < 0)
                journal_send(daemon->journal, MESSAGE_SYSTEM_FAILED, NULL, r,
                             "Cannot tell the service manager that '%s' is ready, ignoring: %m",
                             daemon->config->interface);
        return 0;
}

/* An alarm that is set already covers the packets that come until it rings. */
static int start_ticking(struct daemon *daemon)
{
        int r;

        if (daemon->ticking)
                return 0;

        r = doorbell_set_alarm(TICK_USEC);
        if (r < 0)
                return r;

        daemon->ticking = true;
        return 0;
}

/* Where the engine does less than it could, the reason is told once; it may show with the first load only. */
static void tell_engine(struct daemon *daemon)
{
        const struct engine_status *status = engine_status(daemon->engine);

        if (status->fallback != daemon->told_fallback)
                journal_send(daemon->journal, MESSAGE_ENGINE_FALLBACK, NULL, status->fallback,
                             "'%s' is served by plain system calls, as io_uring cannot be had (%s): %m",
                             daemon->config->interface, status->step);
        if (status->unregistered < 0 && status->unregistered != daemon->told_unregistered)
                journal_send(daemon->journal, MESSAGE_ENGINE_UNREGISTERED, NULL, status->unregistered,
                             "'%s' is served by io_uring without registered buffers: %m",
                             daemon->config->interface);

        daemon->told_fallback = status->fallback;
        daemon->told_unregistered = status->unregistered;
}

static int tick(struct daemon *daemon)
{
        char status[STATUS_SIZE];
        uint64_t now, due, packets = counters_packets(engine_counters(daemon->engine));
        int r;

        r = sd_event_now(daemon->event, CLOCK_MONOTONIC, &now);
        if (r < 0)
                return r;

        if (packets != daemon->reports.packets && service_status(status_text(daemon, status)))
                daemon->reports.packets = packets;

        tell_engine(daemon);
        if (daemon->clients) {
                r = sd_event_source_set_enabled(daemon->clients, SD_EVENT_ON);
                if (r < 0)
                        return r;
        }

        daemon->ticking = false;
        due = daemon_report(daemon, now);
        if (packets != daemon->reports.packets)
                due = now;
        if (due == UINT64_MAX)
                return 0;

        return doorbell_set_alarm(due > now + TICK_USEC ? due - now : TICK_USEC);
}

/* The kernel takes the IPv6 addresses of a link that is set down; they come back with the link. */
static int on_link(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        struct daemon *daemon = userdata;
        struct monitor_changes changes;
        struct link_info info;
        int r;

        (void) source;
        (void) fd;
        (void) events;

        r = monitor_read(daemon->monitor, daemon->index, &changes);
        if (r < 0)
                return r;
        if (changes.lost && link_get(daemon->netlink, daemon->index, NULL, &info) == 0) {
                changes.link = info;
                changes.link_changed = changes.came_up = true;
        }
        /* Elsewhere the MTU may grow without a word, and what changes here is somebody else's. */
        if (daemon_is_here(daemon) <= 0) {
                engine_set_mtu(daemon->engine, MTU_MAX);
                return 0;
        }

        if (changes.link_changed) {
                engine_set_mtu(daemon->engine, changes.link.mtu);
                daemon->mtu = changes.link.mtu;
        }
        if (!changes.came_up || !daemon->config->configure)
                return 0;

        r = daemon_set_addresses(daemon);
        if (r < 0)
                journal_send(daemon->journal, MESSAGE_SYSTEM_FAILED, NULL, r,
                             "Cannot set the addresses of '%s' again, ignoring: %m",
                             daemon->config->interface);
        return 0;
}

static int watch_link(struct daemon *daemon)
{
        int fd, r;

        if (daemon->index == 0)
                return 0;

        r = monitor_open(&daemon->monitor);
        if (r < 0)
                return r;

        fd = monitor_fd(daemon->monitor);
        r = sd_event_add_io(daemon->event, NULL, fd, EPOLLIN, on_link, daemon);
        if (r < 0)
                return r;

        return doorbell_add(fd);
}

/* One client. Where none can be taken in, as with a lack of descriptors, they wait for the next tick. */
static int on_client(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        struct daemon *daemon = userdata;
        int r;

        (void) fd;
        (void) events;

        r = daemon_serve_status(daemon);
        if (r >= 0 || r == -EAGAIN)
                return 0;

        r = sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return r < 0 ? r : start_ticking(daemon);
}

static int watch_status(struct daemon *daemon)
{
        int r;

        if (!daemon->status)
                return 0;

        r = sd_event_add_io(daemon->event, &daemon->clients, status_fd(daemon->status), EPOLLIN, on_client,
                            daemon);
        if (r < 0)
                return r;

        return doorbell_add(status_fd(daemon->status));
}

/* Returns whether the settings are those of the file now. */
static bool reload(struct daemon *daemon)
{
        const struct journal *journal = daemon->journal;
        struct config before = *daemon->config, config;
        bool complete = true;

        if (config_reload(&config, &before, journal_send_mistake, (void *) journal) != 0) {
                journal_send(journal, MESSAGE_RELOAD_REFUSED, NULL, 0,
                             "'%s' keeps its settings, as the new ones have mistakes", before.interface);
                return false;
        }

        if (config.engine != before.engine) {
                journal_send(journal, MESSAGE_RELOAD_REFUSED, NULL, 0,
                             "'%s' keeps Type=%s, as the engine cannot change under traffic: restart for it",
                             before.interface, engine_type_name(before.engine));
                config.engine = before.engine;
                complete = false;
        }

        /* A smaller one waits for the device's event, as larger packets are queued still. */
        if (config.mtu > daemon->mtu && daemon_is_here(daemon) > 0)
                engine_set_mtu(daemon->engine, config.mtu);

        *daemon->config = config;
        if (daemon_configure_link(daemon, RELOAD_PATIENCE_MSEC) != 0) {
                *daemon->config = before;
                (void) daemon_configure_link(daemon, 0);
                journal_send(journal, MESSAGE_RELOAD_REFUSED, NULL, 0,
                             "'%s' keeps its settings, as the new ones cannot be applied", before.interface);
                return false;
        }

        config_policy(daemon->config, &daemon->policy); /* the engine sees it with the next packet */
        journal_send(journal, MESSAGE_RELOADED, NULL, 0, "'%s' has the %ssettings of its file now",
                     before.interface, complete ? "" : "other ");
        return complete;
}

static void on_reload(struct daemon *daemon)
{
        char status[STATUS_SIZE];

        service_reloading();
        daemon->reload_refused = !reload(daemon);
        (void) service_ready(status_text(daemon, status));
}

/* Signals that came since the last look, each of them once, however often it came. */
static int on_signal(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        struct daemon *daemon = userdata;
        uint8_t numbers[256];
        sigset_t came;
        ssize_t n;

        (void) source;
        (void) events;

        if (sigemptyset(&came) < 0)
                return -errno;

        n = read(fd, numbers, sizeof(numbers));
        for (ssize_t i = 0; i < n; i++)
                if (sigaddset(&came, numbers[i]) < 0)
                        return -errno;

        if (sigismember(&came, SIGHUP) > 0)
                on_reload(daemon);
        if (sigismember(&came, SIGUSR1) > 0)
                tell_totals(daemon, MESSAGE_TOTALS, "so far");
        if (sigismember(&came, SIGTERM) > 0 || sigismember(&came, SIGINT) > 0)
                return sd_event_exit(daemon->event, 0);

        return sigismember(&came, SIGALRM) > 0 ? tick(daemon) : 0;
}

/* sd-event answers the watchdog whenever it has its turn, if it was long ago. */
static int watch_dog(struct daemon *daemon)
{
        uint64_t period;
        int r;

        r = sd_event_set_watchdog(daemon->event, true);
        if (r <= 0)
                return r;

        r = sd_watchdog_enabled(false, &period);
        if (r <= 0)
                return r;

        return doorbell_set_reminder(period / 2);
}

static int set_up_events(struct daemon *daemon)
{
        int signals, r;

        r = sd_event_new(&daemon->event);
        if (r < 0)
                return r;

        r = doorbell_install(&signals);
        if (r < 0)
                return r;

        r = sd_event_add_io(daemon->event, NULL, signals, EPOLLIN, on_signal, daemon);
        if (r < 0)
                return r;

        r = watch_dog(daemon);
        if (r < 0)
                return r;

        r = watch_link(daemon);
        if (r < 0)
                return r;

        return watch_status(daemon);
}

/*
 * Packets that follow each other closely are waited for in the read itself, which is what answers soonest.
 * But a process that is killed in there may take a packet along; so it is for those that have no time to
 * spare. Returns how many packets came until one was late, or a negative errno.
 */
static int wait_in_read(struct daemon *daemon, uint64_t before)
{
        uint64_t mark = before;
        int n = 0, r, error;

        r = doorbell_open(daemon->tun_fd);
        while (r >= 0 && n < READ_PACKETS_MAX && !doorbell_rung()) {
                uint64_t now;

                r = engine_take(daemon->engine, &now);
                if (r <= 0)
                        break;

                n++;
                if (now - before > HURRY_USEC)
                        break;
                before = now;

                if (n % ENGINE_LOAD == 0 && now - mark < RUSH_USEC)
                        break;
                if (n % ENGINE_LOAD == 0)
                        mark = now;
        }

        error = doorbell_close();
        if (r < 0)
                return r;

        return error < 0 ? error : n;
}

/* Waits for packets, and answers them one by one. Returns how many came, or a negative errno. */
static int wait_for_packets(struct daemon *daemon)
{
        int limit = daemon->ticking ? ENGINE_LOAD : 1, n = 0, r;
        uint64_t first = 0, now = 0;

        while (n < limit && !doorbell_rung()) {
                r = doorbell_wait(daemon->tun_fd);
                if (r < 0)
                        return r;

                r = engine_take(daemon->engine, &now);
                if (r < 0)
                        return r;

                n += r;
                if (first == 0)
                        first = now;
        }

        if (n < ENGINE_LOAD || now - first < RUSH_USEC || now - first > ENGINE_LOAD * HURRY_USEC)
                return n;

        r = wait_in_read(daemon, now);
        return r < 0 ? r : n + r;
}

/* Moves packets until the bell rings, and some in any case: who rings all the time must not stop them. */
static int move_packets(struct daemon *daemon)
{
        do {
                bool more;
                int n, r;

                n = engine_move(daemon->engine, &more);
                if (n == 0 && !more)
                        n = wait_for_packets(daemon);
                if (n < 0)
                        return n;

                r = n > 0 ? start_ticking(daemon) : 0;
                if (r < 0)
                        return r;

                r = more || doorbell_rung() ? doorbell_listen() : 0;
                if (r < 0)
                        return r;
        } while (!doorbell_rung());

        return 0;
}

/* Returns 0 once a signal asked to stop, or a negative errno: -EBADFD if the device is gone. */
static int loop(struct daemon *daemon)
{
        for (;;) {
                int r;

                /* One event, and then packets, until there is no event left. */
                doorbell_answer();
                r = sd_event_run(daemon->event, 0);
                if (r < 0)
                        return r;
                if (sd_event_get_state(daemon->event) == SD_EVENT_FINISHED)
                        return 0;
                if (r > 0)
                        doorbell_ring();

                r = move_packets(daemon);
                if (r < 0)
                        return r;
        }
}

static int make_sessions(struct daemon *daemon)
{
        uint64_t seed;

        if (getrandom(&seed, sizeof(seed), 0) < 0)
                return -errno;

        daemon->reports.sessions = sessions_new(seed);
        return daemon->reports.sessions ? 0 : -ENOMEM;
}

static int serve(struct daemon *daemon)
{
        const char *name = daemon->config->interface;
        int r;

        r = engine_new(&daemon->engine, daemon->config->engine, daemon->tun_fd, daemon->packet_max,
                       &daemon->policy);
        if (r < 0)
                return fail(daemon, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot set up the engine %s: %m",
                            engine_type_name(daemon->config->engine));

        if (daemon->index > 0)
                engine_set_mtu(daemon->engine, daemon->mtu);
        tell_engine(daemon);
        config_policy(daemon->config, &daemon->policy);
        engine_observe(daemon->engine, daemon_observe, daemon);
        r = make_sessions(daemon);
        if (r < 0)
                return fail(daemon, EX_OSERR, MESSAGE_SYSTEM_FAILED, r,
                            "Cannot set up the ping sessions: %m");

        r = set_up_events(daemon);
        if (r < 0)
                return fail(daemon, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot set up the event loop: %m");

        r = tell_ready(daemon);
        if (r >= 0)
                r = loop(daemon);
        engine_flush(daemon->engine);
        service_stopping();
        daemon_report_all(daemon);
        if (r == 0) {
                tell_totals(daemon, MESSAGE_STOPPED, "stopped");
                return EXIT_SUCCESS;
        }

        tell_totals(daemon, MESSAGE_TOTALS, "until now");
        if (r == -EBADFD)
                return fail(daemon, EX_UNAVAILABLE, MESSAGE_DEVICE_LOST, r,
                            "'%s' is gone: somebody deleted the device", name);

        return fail(daemon, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot go on with '%s': %m", name);
}

/* They wait for the bell from the beginning, so that none of them ends the process half-way. */
static int block_signals(void)
{
        static const int handled[] = { SIGTERM, SIGINT, SIGUSR1, SIGHUP };
        sigset_t set;

        if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigemptyset(&set) < 0)
                return -errno;

        for (size_t i = 0; i < ARRAY_SIZE(handled); i++)
                if (sigaddset(&set, handled[i]) < 0)
                        return -errno;

        return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? -errno : 0;
}

/**
 * daemon_run() - answer pings until told to stop
 * @config: the settings; IPv6 is taken out where the machine has none and nobody asked for it
 * @journal: where to tell what happens
 *
 * Return: the status to exit with, of sysexits(3).
 */
int daemon_run(struct config *config, const struct journal *journal)
{
        _cleanup_(daemon_done) struct daemon daemon = {
                .config = config,
                .journal = journal,
                .tun_fd = -1,
                .mtu = config->mtu,
                .packet_max = MTU_MAX,
        };
        struct identity identity;
        int r;

        r = block_signals();
        if (r < 0)
                return fail(&daemon, EX_OSERR, MESSAGE_SYSTEM_FAILED, r, "Cannot block signals: %m");

        r = find_identity(&daemon, &identity);
        if (r != 0)
                return r;

        r = daemon_open_device(&daemon);
        if (r != 0)
                return r;

        r = daemon_find_link(&daemon);
        if (r != 0)
                return r;

        r = daemon_configure_link(&daemon, START_PATIENCE_MSEC);
        if (r != 0)
                return r;

        daemon_open_status(&daemon, config->user ? &identity : NULL);
        r = drop_privileges(&daemon, config->user ? &identity : NULL);
        if (r != 0)
                return r;

        return serve(&daemon);
}
