/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The data plane: a thread that moves packets and waits for the device alone. This folder knows no settings,
 * logs nothing, and uses no descriptor but the device and an eventfd; the control plane does everything else.
 *
 * The control plane sends the thread three requests: use a new policy, answer (for the watchdog), and stop.
 * The thread checks for requests between two packets. A signal with an empty handler interrupts its wait in
 * the kernel. A signal between the check and the wait has no effect, so it is sent again until the thread has
 * answered.
 */

#include "engine/engine.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "common/util.h"
#include "engine/mover.h"
#include "engine/records.h"
#include "packet/policy.h"

/* The kernel ignores it where no handler is installed, and no other process sends it. */
#define WAKE_SIGNAL SIGURG

/* More than the thread needs, with sanitizers, too. */
#define STACK_SIZE (512 * 1024) /* bytes */

/* The time between two signals to a thread that has not answered. */
#define WAKE_USEC 1000

struct engine {
        pthread_t thread;
        bool has_thread;
        int fd; /* the caller's */
        enum engine_type wanted;
        struct engine_status status;
        struct records *records;

        struct policy policies[2];
        _Atomic(const struct policy *) policy; /* the one of the two that is in force */

        atomic_bool stop;
        atomic_uint asked, answered; /* requests */
        sem_t ready;                 /* the thread has set up its ring, or called the hook, or failed */
        sem_t go;                    /* the thread may call the hook, then read the first packet */
        sem_t answer;                /* the thread has answered, or ended */

        engine_hook_t hook; /* or NULL */
        void *hook_userdata;
        int hook_result;

        int set_up; /* 0, or the negative errno that ended the thread before it was ready */
        int result; /* 0, or the negative errno that ended it later */
        atomic_bool ended;
};

static void wait_for(sem_t *semaphore)
{
        while (sem_wait(semaphore) < 0)
                ;
}

/* Returns 0 if it was asked to stop, or the negative errno that ends it. */
static int move_packets(struct engine *engine, struct mover *mover)
{
        int r = 0;

        while (r >= 0 && !atomic_load(&engine->stop)) {
                unsigned asked = atomic_load(&engine->asked);

                if (asked != atomic_load_explicit(&engine->answered, memory_order_relaxed)) {
                        atomic_store(&engine->answered, asked);
                        (void) sem_post(&engine->answer);
                }

                r = mover_step(mover, atomic_load(&engine->policy));
        }

        mover_flush(mover);
        return r;
}

static void *run(void *userdata)
{
        struct engine *engine = userdata;
        struct mover *mover = NULL;
        sigset_t wake;

        engine->set_up = mover_new(&mover, engine->wanted, engine->fd, engine->records, &engine->status);
        (void) sem_post(&engine->ready);
        if (engine->set_up < 0)
                return NULL;

        wait_for(&engine->go);
        if (engine->hook)
                engine->hook_result = engine->hook(engine->hook_userdata);
        (void) sem_post(&engine->ready);

        /* All signals are blocked here but the one that interrupts. */
        (void) sigemptyset(&wake);
        (void) sigaddset(&wake, WAKE_SIGNAL);
        (void) pthread_sigmask(SIG_UNBLOCK, &wake, NULL);

        engine->result = engine->hook_result < 0 ? engine->hook_result : move_packets(engine, mover);
        mover_free(mover);
        atomic_store(&engine->ended, true);
        (void) sem_post(&engine->answer);
        records_wake(engine->records);
        return NULL;
}

static void on_wake(int signal)
{
        (void) signal;
}

/* Signals are the control plane's: the thread inherits a mask that blocks them all. */
static int start_thread(struct engine *engine)
{
        struct sigaction action = { .sa_handler = on_wake };
        pthread_attr_t attributes;
        sigset_t all, before;
        int r;

        if (sigaction(WAKE_SIGNAL, &action, NULL) < 0)
                return -errno;

        r = pthread_attr_init(&attributes);
        if (r > 0)
                return -r;

        /* The usual 8 MB count against RLIMIT_DATA. */
        (void) pthread_attr_setstacksize(&attributes, STACK_SIZE);
        (void) sigfillset(&all);
        (void) pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(&engine->thread, &attributes, run, engine);
        (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        (void) pthread_attr_destroy(&attributes);
        engine->has_thread = r == 0;
        return -r;
}

/* For the cleanup attribute. */
static void engine_freep(struct engine **engine)
{
        *engine = engine_free(*engine);
}

/**
 * engine_new() - set up the data plane
 * @ret_engine: set to the engine, which engine_free() frees
 * @type: the engine wanted; auto falls back to read(2) and write(2), and engine_status() has the reason
 * @fd: the device, blocking, which must outlive the engine
 * @policy: which requests are answered; copied
 * @records: where it records; must outlive the engine
 *
 * Starts the thread, which has the privileges that the caller has now, makes its ring, and moves no packet
 * before engine_start().
 *
 * Return: 0, -ENOMEM, -EAGAIN if there can be no more threads, or a negative errno of uring_new() if @type is
 *         io_uring.
 */
int engine_new(struct engine **ret_engine, enum engine_type type, int fd, const struct policy *policy,
               struct records *records)
{
        _cleanup_(engine_freep) struct engine *engine = calloc(1, sizeof(*engine));
        int r;

        if (!engine)
                return -ENOMEM;

        engine->fd = fd;
        engine->wanted = type;
        engine->records = records;
        engine->policies[0] = *policy;
        atomic_store(&engine->policy, &engine->policies[0]);
        (void) sem_init(&engine->ready, 0, 0);
        (void) sem_init(&engine->go, 0, 0);
        (void) sem_init(&engine->answer, 0, 0);

        r = start_thread(engine);
        if (r < 0)
                return r;

        wait_for(&engine->ready);
        if (engine->set_up < 0)
                return engine->set_up;

        *ret_engine = engine;
        engine = NULL;
        return 0;
}

/**
 * engine_free() - stop the data plane, if it runs, and free it
 * @engine: the engine, or NULL
 *
 * Return: NULL.
 */
struct engine *engine_free(struct engine *engine)
{
        if (!engine)
                return NULL;

        (void) engine_stop(engine);
        (void) sem_destroy(&engine->answer);
        (void) sem_destroy(&engine->go);
        (void) sem_destroy(&engine->ready);
        free(engine);
        return NULL;
}

/**
 * engine_start() - let the data plane move packets
 * @engine: the engine, once
 * @hook: called by the thread before the first packet, or NULL
 * @userdata: passed to @hook
 *
 * Return: 0, or the negative errno of @hook, with which the data plane has ended.
 */
int engine_start(struct engine *engine, engine_hook_t hook, void *userdata)
{
        engine->hook = hook;
        engine->hook_userdata = userdata;
        (void) sem_post(&engine->go);

        wait_for(&engine->ready);
        return engine->hook_result;
}

static struct timespec timespec_of(uint64_t usec)
{
        return (struct timespec) {
                .tv_sec = (time_t) (usec / 1000000),
                .tv_nsec = (long) (usec % 1000000 * 1000),
        };
}

/* Interrupts the thread, and waits a moment for its answer. */
static void wake_thread(struct engine *engine)
{
        struct timespec until = timespec_of(monotonic_usec() + WAKE_USEC);

        (void) pthread_kill(engine->thread, WAKE_SIGNAL);
        (void) sem_clockwait(&engine->answer, CLOCK_MONOTONIC, &until);
}

/**
 * engine_stop() - end the data plane
 * @engine: the engine, started or not
 *
 * Every packet that was read is answered.
 *
 * Return: as engine_result().
 */
int engine_stop(struct engine *engine)
{
        if (!engine->has_thread)
                return engine->result;

        atomic_store(&engine->stop, true);
        (void) sem_post(&engine->go);
        while (engine->set_up == 0 && !atomic_load(&engine->ended))
                wake_thread(engine);

        (void) pthread_join(engine->thread, NULL);
        engine->has_thread = false;
        return engine->result;
}

/**
 * engine_check() - find out whether the data plane runs
 * @engine: the engine, started
 * @timeout_usec: how long to wait for its answer, in microseconds
 *
 * Return: 0, -ETIMEDOUT if it does not answer, or engine_result() if it has ended.
 */
int engine_check(struct engine *engine, uint64_t timeout_usec)
{
        uint64_t deadline = monotonic_usec() + timeout_usec;
        unsigned asked = atomic_fetch_add(&engine->asked, 1) + 1;

        while (atomic_load(&engine->answered) != asked) {
                if (atomic_load(&engine->ended))
                        return engine->result;
                if (monotonic_usec() > deadline)
                        return -ETIMEDOUT;

                wake_thread(engine);
        }

        return 0;
}

/**
 * engine_set_policy() - replace the policy
 * @engine: the engine, started
 * @policy: the new one; copied
 * @timeout_usec: how long to wait for the data plane, in microseconds
 *
 * Each packet sees one policy as a whole. When this returns 0, the next packet sees the new one.
 *
 * Return: as engine_check(). With -ETIMEDOUT the policy is replaced once the data plane runs again, or is not
 *         replaced if it had not answered before either.
 */
int engine_set_policy(struct engine *engine, const struct policy *policy, uint64_t timeout_usec)
{
        const struct policy *current = atomic_load(&engine->policy);
        struct policy *spare = &engine->policies[current == &engine->policies[0]];
        int r;

        /* A thread that has not answered since the last replacement may still read the spare policy. */
        if (atomic_load(&engine->answered) != atomic_load(&engine->asked)) {
                r = engine_check(engine, timeout_usec);
                if (r < 0)
                        return r;
        }

        *spare = *policy;
        atomic_store(&engine->policy, spare);
        return engine_check(engine, timeout_usec);
}

/**
 * engine_result() - return why the data plane has ended
 * @engine: the engine
 *
 * Return: 0 if it runs or was stopped, or a negative errno: -EBADFD if the device was deleted.
 */
int engine_result(const struct engine *engine)
{
        return atomic_load(&engine->ended) ? engine->result : 0;
}

/**
 * engine_status() - return which engine it is, and why not another one
 * @engine: the engine
 */
const struct engine_status *engine_status(const struct engine *engine)
{
        return &engine->status;
}
