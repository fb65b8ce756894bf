/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How the control side interrupts the data path, which waits for the device alone: every descriptor more that
 * it waited for would show in the round trip.
 *
 * Everything that is to be handled comes as a signal: signals themselves, timers, and descriptors that are
 * readable. They are blocked but for the time that doorbell_wait() takes, so that none comes between a look
 * at the bell and the wait. What rang is in a pipe, or is found by the event loop, which is run after the
 * bell was answered.
 *
 * A process has one bell, as it has one set of signal handlers.
 */

#include "daemon/doorbell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "common/util.h"

/* SIGALRM is the alarm; SIGIO says no more than that some descriptor is readable. */
static const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGHUP, SIGALRM, SIGIO };

static struct {
        int pipe[2];
        timer_t alarm, reminder;
        bool have_alarm, have_reminder;
        sigset_t ringing; /* the signals that ring */
        sigset_t open;    /* what is blocked while they may */
        volatile sig_atomic_t rung;
        volatile sig_atomic_t device; /* the one behind doorbell_open(), or -1 */
        int device_flags;             /* without O_NONBLOCK */
} bell = { .pipe = { -1, -1 }, .device = -1 };

static void on_signal(int signal)
{
        uint8_t number = (uint8_t) signal;
        int error = errno;

        bell.rung = 1;
        /* A pipe that is full holds 65,536 signals already. */
        if (signal != SIGIO && write(bell.pipe[1], &number, sizeof(number)) < 0)
                errno = 0;
        if (bell.device >= 0)
                (void) fcntl(bell.device, F_SETFL, bell.device_flags | O_NONBLOCK);
        errno = error;
}

static int make_timer(int signal, timer_t *ret_timer, bool *ret_have)
{
        struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal };

        if (timer_create(CLOCK_MONOTONIC, &event, ret_timer) < 0)
                return -errno;

        *ret_have = true;
        return 0;
}

static int install_handlers(void)
{
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

        if (sigemptyset(&bell.ringing) < 0 || sigfillset(&action.sa_mask) < 0)
                return -errno;

        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
                if (sigaddset(&bell.ringing, signals[i]) < 0)
                        return -errno;

        if (sigprocmask(SIG_BLOCK, &bell.ringing, &bell.open) < 0)
                return -errno;

        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
                if (sigaction(signals[i], &action, NULL) < 0 || sigdelset(&bell.open, signals[i]) < 0)
                        return -errno;

        return 0;
}

/**
 * doorbell_install() - hang the bell up
 * @ret_signals: a pipe with the numbers of the signals that came, one byte each; the bell keeps it
 *
 * From here on SIGTERM, SIGINT, SIGUSR1, SIGHUP, SIGALRM and SIGIO ring it, and are blocked otherwise.
 *
 * Return: 0, or a negative errno; doorbell_remove() is needed in either case.
 */
int doorbell_install(int *ret_signals)
{
        int r;

        if (pipe2(bell.pipe, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;

        r = make_timer(SIGALRM, &bell.alarm, &bell.have_alarm);
        if (r < 0)
                return r;

        r = make_timer(SIGIO, &bell.reminder, &bell.have_reminder);
        if (r < 0)
                return r;

        r = install_handlers();
        if (r < 0)
                return r;

        *ret_signals = bell.pipe[0];
        return 0;
}

/**
 * doorbell_remove() - take the bell down, whether it hangs or not; its signals stay blocked
 */
void doorbell_remove(void)
{
        if (bell.have_alarm)
                (void) timer_delete(bell.alarm);
        if (bell.have_reminder)
                (void) timer_delete(bell.reminder);
        bell.have_alarm = bell.have_reminder = false;
        close_fdp(&bell.pipe[0]);
        close_fdp(&bell.pipe[1]);
}

/**
 * doorbell_add() - have a descriptor ring when it becomes readable
 * @fd: a socket; whoever is called has to read all that there is, as what is left does not ring again
 *
 * Return: 0, or a negative errno.
 */
int doorbell_add(int fd)
{
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fcntl(fd, F_SETOWN, getpid()) < 0 || fcntl(fd, F_SETFL, flags | O_ASYNC) < 0)
                return -errno;

        return 0;
}

static struct timespec timespec_of(uint64_t usec)
{
        return (struct timespec) {
                .tv_sec = (time_t) (usec / 1000000),
                .tv_nsec = (long) (usec % 1000000 * 1000),
        };
}

/**
 * doorbell_set_alarm() - have SIGALRM ring once
 * @usec: in how many microseconds
 *
 * Return: 0, or a negative errno.
 */
int doorbell_set_alarm(uint64_t usec)
{
        struct itimerspec time = { .it_value = timespec_of(usec) };

        return timer_settime(bell.alarm, 0, &time, NULL) < 0 ? -errno : 0;
}

/**
 * doorbell_set_reminder() - have the bell ring again and again, so that the event loop gets its turn
 * @usec: how often, in microseconds
 *
 * Return: 0, or a negative errno.
 */
int doorbell_set_reminder(uint64_t usec)
{
        struct itimerspec time = { .it_value = timespec_of(usec), .it_interval = timespec_of(usec) };

        return timer_settime(bell.reminder, 0, &time, NULL) < 0 ? -errno : 0;
}

/* Lets the signals in that are pending, and those that come until the device is readable or the time is over.
 */
static int let_in(struct pollfd *device, const struct timespec *time)
{
        int r = ppoll(device, device ? 1 : 0, time, &bell.open);

        return r < 0 && errno != EINTR ? -errno : 0;
}

/**
 * doorbell_wait() - wait until the device is readable or the bell rings
 * @fd: the device
 *
 * Return: 0, or a negative errno.
 */
int doorbell_wait(int fd)
{
        struct pollfd device = { .fd = fd, .events = POLLIN };

        return let_in(&device, NULL);
}

/**
 * doorbell_listen() - hear the bell without waiting, where there is no time to wait
 *
 * Return: 0, or a negative errno.
 */
int doorbell_listen(void)
{
        static const struct timespec now;
        sigset_t pending;

        if (sigpending(&pending) < 0)
                return -errno;

        for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
                if (sigismember(&pending, signals[i]) > 0)
                        return let_in(NULL, &now);

        return 0;
}

/**
 * doorbell_open() - let reads of the device wait, as long as nobody rings
 * @fd: the device, nonblocking before
 *
 * Return: 0, or a negative errno.
 */
int doorbell_open(int fd)
{
        bell.device_flags = fcntl(fd, F_GETFL) & ~O_NONBLOCK;
        bell.device = fd;
        if (fcntl(fd, F_SETFL, bell.device_flags) < 0 || sigprocmask(SIG_SETMASK, &bell.open, NULL) < 0)
                return -errno;

        return 0;
}

/**
 * doorbell_close() - the end of doorbell_open(): reads do not wait any longer
 *
 * Return: 0, or a negative errno.
 */
int doorbell_close(void)
{
        int fd = bell.device;

        bell.device = -1;
        if (sigprocmask(SIG_BLOCK, &bell.ringing, NULL) < 0 ||
            fcntl(fd, F_SETFL, bell.device_flags | O_NONBLOCK) < 0)
                return -errno;

        return 0;
}

/**
 * doorbell_rung() - tell whether the bell rang since it was answered
 */
bool doorbell_rung(void)
{
        return bell.rung;
}

/**
 * doorbell_ring() - ring as a signal would, so that nobody waits before the bell was answered
 */
void doorbell_ring(void)
{
        bell.rung = 1;
}

/**
 * doorbell_answer() - hear the next ring
 *
 * To be followed by a look at everything that may have rung.
 */
void doorbell_answer(void)
{
        bell.rung = 0;
}
