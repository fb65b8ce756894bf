/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Batches through io_uring(7): one system call writes the replies to the previous batch and reads the next
 * one. Every operation carries RWF_NOWAIT, so all of them are complete when the call returns: nothing waits,
 * the kernel starts no worker thread, and replies leave in the order of their requests.
 *
 * The buffer has two halves: the replies to be written lie in one while the next packets are read into the
 * other. The ring can read and write the one device and nothing else, even if an attacker controls the
 * process.
 *
 * One thread creates, uses and frees a ring: the kernel refuses every other thread
 * (IORING_SETUP_SINGLE_ISSUER).
 */

#include "engine/uring.h"

#include <errno.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/util.h"

/*
 * A slot holds the largest packet, whatever the MTU is or becomes: memory that no packet touches costs
 * nothing. Packets begin at different cache lines, so that the headers of one batch are not all in the same
 * cache set; and in the first half of a page, so that one of 1,500 bytes touches a single page.
 */
#define CACHE_LINE  64   /* bytes */
#define PAGE        4096 /* bytes */
#define N_LINES     (PAGE / 2 / CACHE_LINE)
#define SLOT_SIZE   ((size_t) URING_PACKET_MAX + PAGE)
#define HALF_SIZE   (URING_BATCH_MAX * SLOT_SIZE)
#define BUFFER_SIZE (2 * HALF_SIZE)

/* user_data of a write; that of a read is the number of its slot. */
#define WRITE_DATA UINT64_MAX

struct uring_reply {
        const uint8_t *data;
        size_t size;
};

struct uring {
        struct io_uring ring;
        bool has_ring;
        int fd; /* the caller's */

        uint8_t *buffer;
        unsigned half; /* that the last batch was read into */

        int sizes[URING_BATCH_MAX];
        struct uring_reply replies[URING_BATCH_MAX];
        unsigned n_replies;
};

static int allocate_buffer(struct uring *uring)
{
        void *buffer;

        buffer = mmap(NULL, BUFFER_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                      -1, 0);
        if (buffer == MAP_FAILED)
                return -errno;

        uring->buffer = buffer;

        /* A huge page would be touched as a whole by one small packet; not every kernel has them. */
        (void) madvise(buffer, BUFFER_SIZE, MADV_NOHUGEPAGE);
        return 0;
}

/* The ring is disabled until it is restricted. */
static int create_ring(struct uring *uring)
{
        struct io_uring_params params = {
                .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_R_DISABLED,
        };
        int r;

        r = io_uring_queue_init_params(2 * URING_BATCH_MAX, &uring->ring, &params);
        if (r < 0)
                return r;

        uring->has_ring = true;
        return 0;
}

/*
 * The shared library of liburing 2.3 lacks the wrappers of the next two calls. IORING_UNREGISTER_FILES stays
 * allowed for uring_free().
 */
static int restrict_ring(struct uring *uring)
{
        struct io_uring_restriction restrictions[] = {
                { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_READ },
                { .opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_WRITE },
                { .opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED,
                  .sqe_flags = IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS },
                { .opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED, .sqe_flags = IOSQE_FIXED_FILE },
                { .opcode = IORING_RESTRICTION_REGISTER_OP, .register_op = IORING_UNREGISTER_FILES },
        };

        return io_uring_register((unsigned) uring->ring.ring_fd, IORING_REGISTER_RESTRICTIONS, restrictions,
                                 ARRAY_SIZE(restrictions));
}

static int enable_ring(struct uring *uring)
{
        return io_uring_register((unsigned) uring->ring.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

static uint8_t *find_slot(const struct uring *uring, unsigned i)
{
        return uring->buffer + uring->half * HALF_SIZE + i * SLOT_SIZE + (size_t) (i % N_LINES) * CACHE_LINE;
}

static void queue_write(struct uring *uring, const struct uring_reply *reply)
{
        struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);

        io_uring_prep_rw(IORING_OP_WRITE, sqe, 0, reply->data, (unsigned) reply->size, 0);
        sqe->flags = IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
        sqe->rw_flags = RWF_NOWAIT;
        sqe->user_data = WRITE_DATA;
}

static void queue_read(struct uring *uring, unsigned i, size_t size)
{
        struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);

        io_uring_prep_rw(IORING_OP_READ, sqe, 0, find_slot(uring, i), (unsigned) size, 0);
        sqe->flags = IOSQE_FIXED_FILE;
        sqe->rw_flags = RWF_NOWAIT;
        sqe->user_data = i;
}

/* A completed write is seen only if it failed. Returns how many reads are complete. */
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

/* Submits what is queued and reaps that many reads, none of which waits. */
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
 * Before Linux 6.4 RWF_NOWAIT is refused for a TUN device. A read into an empty buffer shows this and reads
 * no packet.
 */
static int probe_nowait(struct uring *uring)
{
        unsigned refused = 0;
        int r;

        queue_read(uring, 0, 0);
        r = submit(uring, 1, &refused);
        return r < 0 ? r : uring->sizes[0];
}

static int set_up(struct uring *uring, const char **reterr_step)
{
        int r;

        *reterr_step = "memory";
        r = allocate_buffer(uring);
        if (r < 0)
                return r;

        *reterr_step = "io_uring_setup(2)";
        r = create_ring(uring);
        if (r < 0)
                return r;

        *reterr_step = "registering the device";
        r = io_uring_register_files(&uring->ring, &uring->fd, 1);
        if (r < 0)
                return r;

        *reterr_step = "restricting the ring";
        r = restrict_ring(uring);
        if (r < 0)
                return r;

        *reterr_step = "enabling the ring";
        r = enable_ring(uring);
        if (r < 0)
                return r;

        *reterr_step = "reads with RWF_NOWAIT";
        return probe_nowait(uring);
}

/**
 * uring_new() - create a ring for batches
 * @ret_uring: set to the ring, which uring_free() frees
 * @fd: the device, which stays the caller's
 * @reterr_step: set to the step that failed, for messages
 *
 * Buffers are not registered: that takes 7 % less CPU time for a packet of 84 bytes and 1 % for one of 1,500, by
 * tests/bench, but it pins all of their memory, 8.5 MB, which is more than the usual RLIMIT_MEMLOCK.
 *
 * Return: 0, or a negative errno: -ENOSYS, -EPERM or -EACCES if there is no io_uring or it is forbidden,
 *         -EOPNOTSUPP if the kernel is older than Linux 6.4, -EINVAL if it is older than Linux 6.1, -ENOMEM.
 */
int uring_new(struct uring **ret_uring, int fd, const char **reterr_step)
{
        struct uring *uring;
        int r;

        *reterr_step = "memory";
        uring = calloc(1, sizeof(*uring));
        if (!uring)
                return -ENOMEM;

        uring->fd = fd;
        r = set_up(uring, reterr_step);
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

        /* The kernel frees a ring some time later; the device must not wait for that. */
        if (uring->has_ring) {
                (void) io_uring_register((unsigned) uring->ring.ring_fd, IORING_UNREGISTER_FILES, NULL, 0);
                io_uring_queue_exit(&uring->ring);
        }
        if (uring->buffer)
                munmap(uring->buffer, BUFFER_SIZE);
        free(uring);
        return NULL;
}

/**
 * uring_exchange() - write the replies and read a batch
 * @uring: the ring
 * @n: how many packets to read at most, up to URING_BATCH_MAX
 * @ret_refused: set to how many replies the device refused
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
                queue_read(uring, i, URING_PACKET_MAX);

        return submit(uring, n, ret_refused);
}

/**
 * uring_packet() - return a packet of the last batch
 * @uring: the ring
 * @i: its number, less than what uring_exchange() was to read
 * @ret_size: set to its size in bytes, or to the negative errno of the read: -EAGAIN if there was no packet
 *
 * Return: the packet, valid until the second uring_exchange() from now.
 */
uint8_t *uring_packet(const struct uring *uring, unsigned i, int *ret_size)
{
        *ret_size = uring->sizes[i];
        return find_slot(uring, i);
}

/**
 * uring_reply() - have a reply written by the next uring_exchange()
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
