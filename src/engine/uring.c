/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Batches through io_uring(7): one system call writes the replies to the batch before, and reads the next
 * one. The device is nonblocking, so that every operation is done when the call returns: nothing waits, no
 * worker thread of the kernel takes over, and replies leave in the order of their requests.
 *
 * The buffer has two halves: the replies that are to be written lie in one, while the next packets land in
 * the other. The ring can do nothing but read and write the one device, even for somebody who takes the
 * process over.
 */

#include "engine/uring.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/util.h"

/*
 * More would not fit the caches, nor a limit on locked memory that many instances share. The largest packets
 * take a little more, for a batch of URING_BATCH_MIN.
 */
#define BUFFER_SIZE_MAX (1024 * 1024) /* bytes, of both halves */

#define CACHE_LINE ((size_t) 64) /* bytes */

/* What a completion of a write carries; one of a read carries the number of its packet. */
#define WRITE_DATA UINT64_MAX

struct uring_reply {
        const uint8_t *data;
        size_t size;
};

struct uring {
        struct io_uring ring;
        bool ring_ready;
        bool registered; /* the buffer is: the kernel need not look its pages up each time */
        int fd;          /* the caller's */

        uint8_t *buffer;
        size_t buffer_size;
        size_t slot_size;
        unsigned n_slots; /* of a half */
        unsigned half;    /* where packets were read into last */

        int sizes[URING_BATCH_MAX];
        struct uring_reply replies[URING_BATCH_MAX];
        unsigned n_replies;
};

static int buffer_allocate(struct uring *uring, size_t packet_size)
{
        void *buffer;

        /*
         * One byte more than the largest packet, so that a larger one can be told from it. An odd number of
         * cache lines, so that the headers of one batch do not crowd into a few sets of the cache.
         */
        uring->slot_size = ((packet_size + CACHE_LINE) & ~(CACHE_LINE - 1)) | CACHE_LINE;
        uring->n_slots = (unsigned) (BUFFER_SIZE_MAX / 2 / uring->slot_size);
        if (uring->n_slots > URING_BATCH_MAX)
                uring->n_slots = URING_BATCH_MAX;
        if (uring->n_slots < URING_BATCH_MIN)
                uring->n_slots = URING_BATCH_MIN;
        uring->buffer_size = 2 * uring->n_slots * uring->slot_size;

        buffer = mmap(NULL, uring->buffer_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (buffer == MAP_FAILED)
                return -errno;

        uring->buffer = buffer;
        return 0;
}

/* The ring waits to be enabled until it is restricted. */
static int ring_create(struct uring *uring)
{
        struct io_uring_params params = {
                .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED,
        };
        int r = io_uring_queue_init_params(2 * URING_BATCH_MAX, &uring->ring, &params);

        if (r < 0)
                return r;

        uring->ring_ready = true;
        return 0;
}

static int ring_register_buffer(struct uring *uring)
{
        struct iovec buffer = { .iov_base = uring->buffer, .iov_len = uring->buffer_size };

        return io_uring_register_buffers(&uring->ring, &buffer, 1);
}

static uint8_t read_operation(const struct uring *uring)
{
        return uring->registered ? IORING_OP_READ_FIXED : IORING_OP_READ;
}

static uint8_t write_operation(const struct uring *uring)
{
        return uring->registered ? IORING_OP_WRITE_FIXED : IORING_OP_WRITE;
}

/*
 * From here on the ring reads and writes the one registered descriptor, and registers nothing more, but may
 * let go of it. The wrappers of these two calls are missing in the shared library of liburing 2.3.
 */
static int ring_restrict(struct uring *uring)
{
        struct io_uring_restriction restrictions[] = {
                { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = read_operation(uring) },
                { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = write_operation(uring) },
                { .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED,
                  .sqe_flags = IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS },
                { .opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED, .sqe_flags = IOSQE_FIXED_FILE },
                { .opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = IORING_UNREGISTER_FILES },
        };

        return io_uring_register((unsigned) uring->ring.ring_fd, IORING_REGISTER_RESTRICTIONS, restrictions,
                                 ARRAY_SIZE(restrictions));
}

static uint8_t *slot(const struct uring *uring, unsigned i)
{
        return uring->buffer + (uring->half * uring->n_slots + i) * uring->slot_size;
}

static void queue_write(struct uring *uring, const struct uring_reply *reply)
{
        struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);

        io_uring_prep_rw(write_operation(uring), sqe, 0, reply->data, (unsigned) reply->size, 0);
        sqe->flags = IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
        sqe->rw_flags = RWF_NOWAIT;
        sqe->user_data = WRITE_DATA;
}

static void queue_read(struct uring *uring, unsigned i, size_t size)
{
        struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);

        io_uring_prep_rw(read_operation(uring), sqe, 0, slot(uring, i), (unsigned) size, 0);
        sqe->flags = IOSQE_FIXED_FILE;
        sqe->rw_flags = RWF_NOWAIT;
        sqe->user_data = i;
}

/* Reads come back in any order, a write only if it failed. Returns how many reads came. */
static unsigned reap(struct uring *uring, unsigned *refused)
{
        struct io_uring_cqe *cqe;
        unsigned head, n = 0, reads = 0;

        io_uring_for_each_cqe(&uring->ring, head, cqe)
        {
                n++;
                if (cqe->user_data == WRITE_DATA) {
                        (*refused)++;
                        continue;
                }

                uring->sizes[cqe->user_data] = cqe->res;
                reads++;
        }

        io_uring_cq_advance(&uring->ring, n);
        return reads;
}

/* Hands over what is queued, and waits for that many reads, none of which waits. */
static int submit(struct uring *uring, unsigned reads, unsigned *refused)
{
        while (reads > 0) {
                int r = io_uring_submit_and_wait(&uring->ring, reads);

                if (r < 0 && r != -EINTR && r != -EAGAIN && r != -EBUSY)
                        return r;

                reads -= reap(uring, refused);
        }

        return 0;
}

/*
 * Before Linux 6.4, a read of a TUN device through a ring cannot be told not to wait. One without room shows
 * this, and takes no packet.
 */
static int ring_probe(struct uring *uring)
{
        unsigned refused = 0;
        int r;

        queue_read(uring, 0, 0);
        r = submit(uring, 1, &refused);
        return r < 0 ? r : uring->sizes[0];
}

static int ring_set_up(struct uring *uring, size_t packet_size, struct uring_status *ret_status)
{
        int r;

        ret_status->step = "memory";
        r = buffer_allocate(uring, packet_size);
        if (r < 0)
                return r;

        ret_status->step = "io_uring_setup(2)";
        r = ring_create(uring);
        if (r < 0)
                return r;

        ret_status->step = "registering the device";
        r = io_uring_register_files(&uring->ring, &uring->fd, 1);
        if (r < 0)
                return r;

        ret_status->unregistered = ring_register_buffer(uring);
        uring->registered = ret_status->unregistered == 0;

        ret_status->step = "restricting the ring";
        r = ring_restrict(uring);
        if (r < 0)
                return r;

        ret_status->step = "enabling the ring";
        r = io_uring_register((unsigned) uring->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
        if (r < 0)
                return r;

        ret_status->step = "reads that do not wait";
        return ring_probe(uring);
}

/**
 * uring_new() - make a ring for batches
 * @ret_uring: where to put it; uring_free() frees it
 * @fd: the device
 * @packet_size: of the largest packet, in bytes
 * @ret_status: how far it came, on success, too
 *
 * Where the limit on locked memory does not allow it, the buffer is not registered, which costs some speed.
 *
 * Return: 0, or a negative errno: -ENOSYS, -EPERM or -EACCES if there is no io_uring or it is
 *         forbidden, -EOPNOTSUPP if the kernel is older than Linux 6.4, -EINVAL if it is older
 *         than Linux 6.1, -ENOMEM.
 */
int uring_new(struct uring **ret_uring, int fd, size_t packet_size, struct uring_status *ret_status)
{
        struct uring *uring;
        int r;

        *ret_status = (struct uring_status) { .step = "memory" };
        uring = calloc(1, sizeof(*uring));
        if (!uring)
                return -ENOMEM;

        uring->fd = fd;
        r = ring_set_up(uring, packet_size, ret_status);
        if (r < 0) {
                uring_free(uring);
                return r;
        }

        *ret_uring = uring;
        return 0;
}

/**
 * uring_free() - free a ring; replies that are not written yet are lost
 * @uring: the ring, or NULL
 *
 * Return: NULL.
 */
struct uring *uring_free(struct uring *uring)
{
        if (!uring)
                return NULL;

        /* The kernel takes a ring apart some time later, and the device must not stay until then. */
        if (uring->ring_ready) {
                (void) io_uring_register((unsigned) uring->ring.ring_fd, IORING_UNREGISTER_FILES, NULL, 0);
                io_uring_queue_exit(&uring->ring);
        }
        if (uring->buffer)
                munmap(uring->buffer, uring->buffer_size);
        free(uring);
        return NULL;
}

/**
 * uring_batch_max() - the most packets that uring_exchange() takes at once
 * @uring: the ring
 */
unsigned uring_batch_max(const struct uring *uring)
{
        return uring->n_slots;
}

/**
 * uring_exchange() - write the replies, and read a batch
 * @uring: the ring
 * @n: how many packets to read at most, up to uring_batch_max()
 * @ret_refused: how many replies the device refused
 *
 * Return: 0, and uring_packet() has the packets; or a negative errno of io_uring_enter(2).
 */
int uring_exchange(struct uring *uring, unsigned n, unsigned *ret_refused)
{
        *ret_refused = 0;
        for (unsigned i = 0; i < uring->n_replies; i++)
                queue_write(uring, &uring->replies[i]);
        uring->n_replies = 0;

        uring->half ^= 1;
        for (unsigned i = 0; i < n; i++)
                queue_read(uring, i, uring->slot_size);

        return submit(uring, n, ret_refused);
}

/**
 * uring_packet() - a packet of the last batch
 * @uring: the ring
 * @i: which one, less than what uring_exchange() was to read
 * @ret_size: its size in bytes, or the negative errno of the read: -EAGAIN if there was no packet
 *
 * Return: the packet, valid until the batch after the next one.
 */
uint8_t *uring_packet(const struct uring *uring, unsigned i, int *ret_size)
{
        *ret_size = uring->sizes[i];
        return slot(uring, i);
}

/**
 * uring_reply() - have a reply written with the next batch
 * @uring: the ring
 * @reply: the reply, within the buffer of its packet
 * @size: its size in bytes
 */
void uring_reply(struct uring *uring, const uint8_t *reply, size_t size)
{
        uring->replies[uring->n_replies++] = (struct uring_reply) { .data = reply, .size = size };
}

/**
 * uring_flush() - write the replies at once
 * @uring: the ring
 *
 * Return: how many of them the device refused.
 */
unsigned uring_flush(struct uring *uring)
{
        unsigned refused = 0;

        for (unsigned i = 0; i < uring->n_replies; i++)
                if (TEMP_FAILURE_RETRY(write(uring->fd, uring->replies[i].data, uring->replies[i].size)) < 0)
                        refused++;

        uring->n_replies = 0;
        return refused;
}
