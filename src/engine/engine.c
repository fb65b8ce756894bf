/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Moves packets: read, reflect, count, write. Never looks into a packet, and takes any descriptor that keeps
 * packets apart: a TUN device, or a socket pair in the tests.
 *
 * At low load there are plain system calls, one for each packet and each reply, as nothing answers sooner.
 * Packets that come faster than they are answered are moved in batches, where there is a ring for it; a batch
 * grows as long as it is full, and one that is not ends them.
 */

#include "engine/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/uring.h"
#include "common/util.h"

/* No device has a larger MTU; the pages that no packet reaches are never touched. */
#define BUFFER_SIZE  65536
#define BUFFER_ALIGN 64 /* a cache line: the kernel copies faster into whole ones */

struct engine {
        int fd; /* the caller's */
        const struct policy *policy;
        engine_observer_t observer; /* or NULL */
        void *userdata;
        struct engine_status status;
        struct counters counters;

        unsigned mtu;        /* of the device, in bytes */
        unsigned packet_max; /* what may be queued in it, in bytes: more than that while the MTU shrinks */
        struct uring *uring; /* or NULL */
        unsigned batch;      /* size of the next one, or 0: plain system calls */

        uint8_t *buffer;
};

static int make_nonblocking(int fd)
{
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return -errno;

        return 0;
}

/* Batches need memory of their own, so a ring is made when there is a load, and kept from then on. */
static int make_uring(struct engine *engine)
{
        struct uring_status status;
        int r;

        r = uring_new(&engine->uring, engine->fd, engine->packet_max, &status);
        engine->status = (struct engine_status) {
                .type = r < 0 ? ENGINE_SYSCALL : ENGINE_IO_URING,
                .fallback = r,
                .unregistered = r < 0 ? 0 : status.unregistered,
                .step = status.step,
        };
        return r;
}

static void drop_uring(struct engine *engine)
{
        engine_flush(engine);
        engine->uring = uring_free(engine->uring);
}

/* A ring is for packets of one size; the next load makes the next one. */
static void set_packet_max(struct engine *engine, unsigned size)
{
        engine->packet_max = size;
        drop_uring(engine);
}

/**
 * engine_new() - make an engine
 * @ret_engine: where to put it; engine_free() frees it
 * @type: the type wanted; auto takes io_uring where it can be had, and engine_status() tells why not
 * @fd: the device; made nonblocking here, as its flags outlive a process that stored it
 * @mtu: of the device, in bytes; where it was larger a moment ago, that
 * @policy: which requests are answered; must outlive the engine, and may change between packets
 *
 * Return: 0; a negative errno of uring_new() if @type is io_uring; -ENOMEM; or what fcntl(2) failed with.
 */
int engine_new(struct engine **ret_engine, enum engine_type type, int fd, unsigned mtu,
               const struct policy *policy)
{
        _cleanup_(engine_freep) struct engine *engine = NULL;
        int r;

        r = make_nonblocking(fd);
        if (r < 0)
                return r;

        engine = calloc(1, sizeof(*engine));
        if (!engine)
                return -ENOMEM;

        engine->buffer = aligned_alloc(BUFFER_ALIGN, BUFFER_SIZE);
        if (!engine->buffer)
                return -ENOMEM;

        engine->fd = fd;
        engine->mtu = engine->packet_max = mtu;
        engine->policy = policy;
        engine->status.type = ENGINE_SYSCALL;

        if (type != ENGINE_SYSCALL) {
                r = make_uring(engine);
                if (r < 0 && type == ENGINE_IO_URING)
                        return r;

                /* Now it is known that there can be one. */
                drop_uring(engine);
        }

        *ret_engine = engine;
        engine = NULL;
        return 0;
}

/**
 * engine_free() - free an engine; replies that are not written yet are lost
 * @engine: the engine, or NULL
 *
 * Return: NULL.
 */
struct engine *engine_free(struct engine *engine)
{
        if (!engine)
                return NULL;

        uring_free(engine->uring);
        free(engine->buffer);
        free(engine);
        return NULL;
}

/* For the cleanup attribute. */
void engine_freep(struct engine **engine)
{
        *engine = engine_free(*engine);
}

/**
 * engine_observe() - show every packet to somebody
 * @engine: the engine
 * @observer: called for each packet after its verdict, or NULL
 * @userdata: passed to @observer
 */
void engine_observe(struct engine *engine, engine_observer_t observer, void *userdata)
{
        engine->observer = observer;
        engine->userdata = userdata;
}

/* In milliseconds since midnight UT. */
static uint32_t time_of_day(void)
{
        struct timespec now;

        (void) clock_gettime(CLOCK_REALTIME, &now);
        return (uint32_t) (now.tv_sec % 86400 * 1000 + now.tv_nsec / 1000000);
}

/* Judges a packet and counts it; the reply, if there is one, lies within it. */
static struct reflection judge(struct engine *engine, uint64_t now, uint8_t *packet, size_t size)
{
        uint32_t time = reflect_needs_time(packet, size) ? time_of_day() : 0;
        struct reflection reflection;
        enum verdict verdict;

        verdict = reflect(engine->policy, time, packet, size, &reflection);
        engine->counters.verdicts[verdict]++;
        if (engine->observer)
                engine->observer(engine->userdata, now, &reflection.packet, size, verdict);

        return reflection;
}

/*
 * Reads a packet and answers it at once. Returns 1, 0 if there is none, or a negative errno. The clock is
 * read for the first one of several that follow each other, which have @now in common.
 */
static int move_one(struct engine *engine, uint64_t *now)
{
        ssize_t size = read(engine->fd, engine->buffer, BUFFER_SIZE);
        struct reflection reply;

        /* A read that waits while the device is deleted ends with EFAULT, every later one with EBADFD. */
        if (size < 0 && errno == EFAULT)
                return -EBADFD;
        if (size < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (*now == 0)
                *now = monotonic_usec();

        reply = judge(engine, *now, engine->buffer, (size_t) size);
        if (reply.length > 0 &&
            TEMP_FAILURE_RETRY(write(engine->fd, engine->buffer + reply.offset, reply.length)) < 0)
                engine->counters.unsent++;

        return 1;
}

/* Returns how many packets it took, or a negative errno. */
static int move_plain(struct engine *engine, bool *ret_more)
{
        bool batches = engine->status.type == ENGINE_IO_URING;
        int limit = batches ? ENGINE_LOAD : ENGINE_BUDGET;
        uint64_t now = 0;

        *ret_more = false;
        for (int i = 0; i < limit; i++) {
                int r = move_one(engine, &now);

                if (r == 0 && engine->mtu < engine->packet_max)
                        set_packet_max(engine, engine->mtu);
                if (r <= 0)
                        return r < 0 ? r : i;
        }

        *ret_more = true;
        if (batches && (engine->uring || make_uring(engine) == 0))
                engine->batch = URING_BATCH_MIN;
        return limit;
}

/*
 * The next size of a batch of which n packets were there. One that was not full has emptied the device: what
 * comes next is answered sooner, and for less, by plain system calls than by reads that find nothing.
 */
static void adapt_batch(struct engine *engine, unsigned n)
{
        unsigned max = uring_batch_max(engine->uring);

        if (n < engine->batch)
                engine_flush(engine);
        else
                engine->batch = 2 * n < max ? 2 * n : max;
}

/* Returns how many packets it took, or a negative errno. */
static int move_batch(struct engine *engine, bool *ret_more)
{
        uint64_t now = monotonic_usec();
        unsigned refused, n = 0;
        int failure = 0, r;

        r = uring_exchange(engine->uring, engine->batch, &refused);
        engine->counters.unsent += refused;
        if (r < 0)
                return r;

        for (unsigned i = 0; i < engine->batch; i++) {
                struct reflection reply;
                uint8_t *packet;
                int size;

                packet = uring_packet(engine->uring, i, &size);
                if (size < 0) {
                        if (size != -EAGAIN && size != -EINTR)
                                failure = size;
                        continue;
                }

                n++;
                reply = judge(engine, now, packet, (size_t) size);
                if (reply.length > 0)
                        uring_reply(engine->uring, packet + reply.offset, reply.length);
        }

        adapt_batch(engine, n);
        *ret_more = engine->batch > 0 || n > 0;
        return failure < 0 ? failure : (int) n;
}

/**
 * engine_move() - answer what the device holds
 * @engine: the engine
 * @ret_more: whether to call again at once; else the device is empty, and every reply was written
 *
 * Never waits, and takes some 64 packets at most. A reply that the device refuses is counted, and is no
 * failure.
 *
 * Return: how many packets were taken, or a negative errno with which the device cannot be read
 *         any longer: -EBADFD if it was deleted.
 */
int engine_move(struct engine *engine, bool *ret_more)
{
        return engine->batch > 0 ? move_batch(engine, ret_more) : move_plain(engine, ret_more);
}

/**
 * engine_take() - answer one packet, if there is one
 * @engine: the engine, after engine_move() found the device empty
 * @ret_time: when it was read, in microseconds of a clock that nobody sets
 *
 * At low load there is one packet at a time, and a look for a second one would only delay the next.
 *
 * Return: as engine_move().
 */
int engine_take(struct engine *engine, uint64_t *ret_time)
{
        *ret_time = 0;
        return move_one(engine, ret_time);
}

/**
 * engine_flush() - write every reply that waits for the next batch
 * @engine: the engine, which goes on with plain system calls
 */
void engine_flush(struct engine *engine)
{
        if (engine->uring)
                engine->counters.unsent += uring_flush(engine->uring);
        engine->batch = 0;
}

/**
 * engine_set_mtu() - take packets of another size
 * @engine: the engine
 * @mtu: of the device, in bytes; to lose no packet, told before it grows and after it shrinks
 *
 * When it shrinks, larger packets are queued still, which are taken until the device was empty once.
 */
void engine_set_mtu(struct engine *engine, unsigned mtu)
{
        engine->mtu = mtu;
        if (mtu > engine->packet_max)
                set_packet_max(engine, mtu);
}

/**
 * engine_status() - what became of the type that was wanted
 * @engine: the engine
 *
 * Return: the status, which may still change when the first load comes.
 */
const struct engine_status *engine_status(const struct engine *engine)
{
        return &engine->status;
}

/**
 * engine_counters() - what the engine counted so far
 * @engine: the engine
 */
const struct counters *engine_counters(const struct engine *engine)
{
        return &engine->counters;
}
