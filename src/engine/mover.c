/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Moves packets: read, reflect, write the reply, then record. The intervals of the last packets select how it
 * waits for the next one:
 *
 *            8 packets, none 200 us after      8 more         8 reads that
 *            the one before                    packets        did not wait
 *   MODE_POLL ------------------> MODE_READ ----------> MODE_PROBE ----------> MODE_BATCH
 *      ^        later than 200 us    |  ^  nothing there    |                      |
 *      +-----------------------------+  +-------------------+----------------------+
 *                                                               a batch is not full
 *
 * MODE_POLL   poll(2), then read(2): a SIGKILL while waiting cannot lose a packet
 * MODE_READ   read(2) waits: this answers soonest
 * MODE_PROBE  reads with RWF_NOWAIT show whether packets arrive faster than they are answered
 * MODE_BATCH  one io_uring_enter(2) writes the last replies and reads the next packets
 *
 * Without a ring, MODE_READ is the last one. This file never parses a packet, and works on any descriptor
 * that preserves packet boundaries.
 */

#include "engine/mover.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "common/util.h"
#include "engine/engine.h"
#include "engine/records.h"
#include "engine/uring.h"

/* For packets at shorter intervals than this, read(2) waits. */
#define CLOSE_USEC 200

#define CACHE_LINE 64 /* bytes; the kernel copies faster into whole ones */

enum mode {
        MODE_POLL,
        MODE_READ,
        MODE_PROBE,
        MODE_BATCH,
};

struct mover {
        int fd; /* the caller's */
        struct records *records;

        enum mode mode;
        unsigned streak;   /* successive packets that meet the condition of the next mode */
        uint64_t previous; /* when the last packet was answered, in microseconds */

        struct uring *uring;                    /* or NULL */
        unsigned batch;                         /* the size of the next one */
        struct record batched[URING_BATCH_MAX]; /* whose replies the next batch writes */
        unsigned n_batched;

        uint8_t *buffer;
};

/**
 * mover_new() - get ready to move packets
 * @ret_mover: set to the mover, which mover_free() frees, by the same thread that uses it
 * @type: the engine; io_uring is an error where it is unavailable, auto falls back
 * @fd: the device, blocking, which stays the caller's
 * @records: where to record
 * @ret_status: set to which engine it is, also on failure
 *
 * Return: 0, -ENOMEM, or a negative errno of uring_new() if @type is io_uring.
 */
int mover_new(struct mover **ret_mover, enum engine_type type, int fd, struct records *records,
              struct engine_status *ret_status)
{
        struct mover *mover = calloc(1, sizeof(*mover));
        int r = 0;

        *ret_status = (struct engine_status) { .type = ENGINE_SYSCALL };
        if (!mover)
                return -ENOMEM;

        mover->fd = fd;
        mover->records = records;
        mover->buffer = aligned_alloc(CACHE_LINE, URING_PACKET_MAX);
        if (!mover->buffer) {
                mover_free(mover);
                return -ENOMEM;
        }

        if (type != ENGINE_SYSCALL) {
                r = uring_new(&mover->uring, fd, &ret_status->step);
                ret_status->fallback = r;
                ret_status->type = r < 0 ? ENGINE_SYSCALL : ENGINE_IO_URING;
        }
        if (r < 0 && type == ENGINE_IO_URING) {
                mover_free(mover);
                return r;
        }

        *ret_mover = mover;
        return 0;
}

/**
 * mover_free() - free a mover; replies that are not written yet are lost
 * @mover: the mover, or NULL
 *
 * Return: NULL.
 */
struct mover *mover_free(struct mover *mover)
{
        if (!mover)
                return NULL;

        uring_free(mover->uring);
        free(mover->buffer);
        free(mover);
        return NULL;
}

/* In milliseconds since midnight UT. */
static uint32_t time_of_day(void)
{
        struct timespec now;

        (void) clock_gettime(CLOCK_REALTIME, &now);
        return (uint32_t) (now.tv_sec % 86400 * 1000 + now.tv_nsec / 1000000);
}

/* An error about a reply is worth more than its count. */
static void record_error(struct mover *mover, const uint8_t *packet, size_t size)
{
        struct icmp_error error;

        if (icmp_error_parse(packet, size, &error) == 0)
                records_add_error(mover->records, monotonic_usec(), &error);
}

/* Returns where the reply lies within the packet, if there is one. */
static struct reflection reflect_packet(struct mover *mover, const struct policy *policy, uint8_t *packet,
                                        size_t size, struct record *ret_record)
{
        uint32_t time = reflect_needs_time(packet, size) ? time_of_day() : 0;
        struct reflection reflection;

        ret_record->size = size;
        ret_record->verdict = reflect(policy, time, packet, size, &reflection);
        ret_record->packet = reflection.packet;
        if (ret_record->verdict == VERDICT_ICMP_ERROR)
                record_error(mover, packet, size);

        return reflection;
}

/* Returns 1, 0 if there is no packet, or a negative errno. */
static int read_packet(struct mover *mover, ssize_t *ret_size)
{
        struct iovec buffer = { .iov_base = mover->buffer, .iov_len = URING_PACKET_MAX };
        ssize_t size;

        if (mover->mode == MODE_PROBE)
                size = preadv2(mover->fd, &buffer, 1, -1, RWF_NOWAIT);
        else
                size = read(mover->fd, mover->buffer, URING_PACKET_MAX);

        *ret_size = size;
        if (size >= 0)
                return 1;

        /* A read that waits while the device is deleted ends with EFAULT, every later one with EBADFD. */
        if (errno == EFAULT)
                return -EBADFD;

        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

/* Answers one packet. Returns 1 and the time, 0 if there was none, or a negative errno. */
static int move_packet(struct mover *mover, const struct policy *policy, uint64_t *ret_now)
{
        struct reflection reply;
        struct record record;
        unsigned unsent = 0;
        ssize_t size;
        int r;

        r = read_packet(mover, &size);
        if (r <= 0)
                return r;

        reply = reflect_packet(mover, policy, mover->buffer, (size_t) size, &record);
        if (reply.length > 0 &&
            TEMP_FAILURE_RETRY(write(mover->fd, mover->buffer + reply.offset, reply.length)) < 0)
                unsent = 1;

        *ret_now = monotonic_usec();
        records_add(mover->records, *ret_now, &record, 1, unsent);
        return 1;
}

static void set_mode(struct mover *mover, enum mode mode)
{
        mover->mode = mode;
        mover->streak = 0;
}

/* Chooses how to wait for the next packet, after one that was read by itself, or after none. */
static void adapt_mode(struct mover *mover, bool found, uint64_t now)
{
        bool close = found && now - mover->previous <= CLOSE_USEC;

        if (found)
                mover->previous = now;

        switch (mover->mode) {
        case MODE_POLL:
                mover->streak = close ? mover->streak + 1 : 0;
                if (mover->streak == ENGINE_LOAD)
                        set_mode(mover, MODE_READ);
                break;
        case MODE_READ:
                if (!close)
                        set_mode(mover, MODE_POLL);
                else if (mover->uring && ++mover->streak == ENGINE_LOAD)
                        set_mode(mover, MODE_PROBE);
                break;
        case MODE_PROBE:
                if (!found)
                        set_mode(mover, MODE_READ);
                else if (++mover->streak == ENGINE_LOAD) {
                        set_mode(mover, MODE_BATCH);
                        mover->batch = URING_BATCH_MIN;
                }
                break;
        case MODE_BATCH:
                break;
        }
}

/* Records the batch whose replies are written now. */
static void record_batch(struct mover *mover, uint64_t now, unsigned refused)
{
        records_add(mover->records, now, mover->batched, mover->n_batched, refused);
        mover->n_batched = 0;
}

/* Reads what the batch has; the replies wait for the next one. Returns a negative errno if a read failed. */
static int reflect_batch(struct mover *mover, const struct policy *policy)
{
        int error = 0;

        for (unsigned i = 0; i < mover->batch; i++) {
                struct reflection reply;
                uint8_t *packet;
                int size;

                packet = uring_packet(mover->uring, i, &size);
                if (size < 0) {
                        if (size != -EAGAIN && size != -EINTR)
                                error = size;
                        continue;
                }

                reply = reflect_packet(mover, policy, packet, (size_t) size, &mover->batched[mover->n_batched++]);
                if (reply.length > 0)
                        uring_reply(mover->uring, packet + reply.offset, reply.length);
        }

        return error;
}

static int move_batch(struct mover *mover, const struct policy *policy)
{
        unsigned refused;
        int r;

        r = uring_exchange(mover->uring, mover->batch, &refused);
        mover->previous = monotonic_usec();
        record_batch(mover, mover->previous, refused);
        if (r < 0)
                return r;

        r = reflect_batch(mover, policy);

        /* A batch that is not full has emptied the device: single reads answer what comes next sooner. */
        if (r == 0 && mover->n_batched == mover->batch)
                mover->batch = 2 * mover->batch < URING_BATCH_MAX ? 2 * mover->batch : URING_BATCH_MAX;
        else
                mover_flush(mover);
        return r;
}

static int wait_readable(int fd)
{
        struct pollfd device = { .fd = fd, .events = POLLIN };

        if (poll(&device, 1, -1) >= 0)
                return 1;

        return errno == EINTR ? 0 : -errno;
}

/**
 * mover_step() - wait for a packet or a signal, and answer the packet; under load, answer a batch
 * @mover: the mover
 * @policy: which requests are answered, and how
 *
 * A reply that the device refuses is counted, and is no failure.
 *
 * Return: 0, or a negative errno with which the device cannot be read any longer: -EBADFD if it was deleted.
 */
int mover_step(struct mover *mover, const struct policy *policy)
{
        uint64_t now = 0;
        int r = 1;

        if (mover->mode == MODE_BATCH)
                return move_batch(mover, policy);

        if (mover->mode == MODE_POLL)
                r = wait_readable(mover->fd);
        if (r > 0)
                r = move_packet(mover, policy, &now);
        if (r < 0)
                return r;

        adapt_mode(mover, r > 0, now);
        return 0;
}

/**
 * mover_flush() - write every reply that waits for the next batch
 * @mover: the mover, which continues with single packets
 */
void mover_flush(struct mover *mover)
{
        if (mover->mode != MODE_BATCH)
                return;

        record_batch(mover, monotonic_usec(), uring_flush(mover->uring));
        set_mode(mover, MODE_READ);
}
