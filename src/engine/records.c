/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The one mutex is here: around the counters, the ping sessions and the packets that are to be reported. The
 * data plane holds it for one packet or one batch, after its replies were written; the control plane while it
 * copies. Neither holds it across a system call.
 *
 * The control plane asks for a wake-up with records_arm(), and the next packet writes to an eventfd. So it
 * wakes up as often as it wants to, however many packets there are, and not at all without packets.
 */

#include "engine/records.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/util.h"

struct records {
        pthread_mutex_t mutex;
        int fd; /* an eventfd */
        bool armed;
        bool packets, sessions; /* which are wanted */
        struct counters counters;

        struct record ring[RECORDS_PACKETS_MAX];
        size_t n_ring;
        uint64_t n_lost; /* of the packets, as the ring was full */

        struct sessions *table;
        struct session evicted[RECORDS_SESSIONS_MAX];
        size_t n_evicted;
        struct session_sum sum; /* of more that were evicted */
};

/* A mutex that is used as it should be does not fail. */
static void lock(struct records *records)
{
        (void) pthread_mutex_lock(&records->mutex);
}

static void unlock(struct records *records)
{
        (void) pthread_mutex_unlock(&records->mutex);
}

/**
 * records_new() - make an empty set of records
 * @ret_records: set to the records, which records_free() frees
 * @seed: a number that no sender of packets can know
 *
 * Return: 0, -ENOMEM, or a negative errno of eventfd(2).
 */
int records_new(struct records **ret_records, uint64_t seed)
{
        struct records *records = calloc(1, sizeof(*records));

        if (!records)
                return -ENOMEM;

        (void) pthread_mutex_init(&records->mutex, NULL);
        records->table = sessions_new(seed);
        records->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (!records->table || records->fd < 0) {
                int r = records->table ? -errno : -ENOMEM;

                records_free(records);
                return r;
        }

        *ret_records = records;
        return 0;
}

/**
 * records_free() - free the records
 * @records: the records, which no thread uses any more, or NULL
 *
 * Return: NULL.
 */
struct records *records_free(struct records *records)
{
        if (!records)
                return NULL;

        close_fdp(&records->fd);
        sessions_free(records->table);
        (void) pthread_mutex_destroy(&records->mutex);
        free(records);
        return NULL;
}

static void add_session(struct records *records, uint64_t now, const struct record *record)
{
        struct session_change change;

        sessions_add(records->table, now, &record->packet, record->size, &change);
        if (!change.closed)
                return;

        if (records->n_evicted < ARRAY_SIZE(records->evicted))
                records->evicted[records->n_evicted++] = *change.closed;
        else
                session_sum_add(&records->sum, change.closed);
}

static void add_packet(struct records *records, const struct record *record)
{
        if (records->n_ring < ARRAY_SIZE(records->ring))
                records->ring[records->n_ring++] = *record;
        else
                records->n_lost++;
}

/**
 * records_add() - record what became of packets
 * @records: the records
 * @now: the time of CLOCK_MONOTONIC in microseconds
 * @added: what became of each packet
 * @n: how many there are
 * @unsent: how many replies the device refused
 *
 * Wakes the control plane up if records_arm() asked for it.
 */
void records_add(struct records *records, uint64_t now, const struct record *added, size_t n, unsigned unsent)
{
        bool wake;

        lock(records);
        for (size_t i = 0; i < n; i++) {
                records->counters.verdicts[added[i].verdict]++;
                if (records->sessions && added[i].verdict == VERDICT_REPLY)
                        add_session(records, now, &added[i]);
                if (records->packets)
                        add_packet(records, &added[i]);
        }
        records->counters.unsent += unsent;
        wake = records->armed && n > 0;
        records->armed = records->armed && !wake;
        unlock(records);

        if (wake)
                records_wake(records);
}

/**
 * records_wake() - wake the control plane up, whether it asked for that or not
 * @records: the records
 */
void records_wake(struct records *records)
{
        /* This fails only after 2^64 - 1 wake-ups that were not read. */
        (void) eventfd_write(records->fd, 1);
}

/**
 * records_select() - say what is recorded beside the counters
 * @records: the records
 * @packets: whether single packets are
 * @sessions: whether ping sessions are; those that are open go on
 */
void records_select(struct records *records, bool packets, bool sessions)
{
        lock(records);
        records->packets = packets;
        records->sessions = sessions;
        unlock(records);
}

/**
 * records_fd() - return the eventfd that is readable when the data plane has woken the control plane up
 * @records: the records
 */
int records_fd(const struct records *records)
{
        return records->fd;
}

static void set_armed(struct records *records, bool armed)
{
        eventfd_t n;

        (void) eventfd_read(records->fd, &n);
        lock(records);
        records->armed = armed;
        unlock(records);
}

/**
 * records_arm() - ask to be woken up by the next packet
 * @records: the records
 *
 * Clears the wake-up before: call this, then take what was recorded.
 */
void records_arm(struct records *records)
{
        set_armed(records, true);
}

/**
 * records_disarm() - clear the wake-up and ask for no other one
 * @records: the records
 */
void records_disarm(struct records *records)
{
        set_armed(records, false);
}

/**
 * records_counters() - copy the counters
 * @records: the records
 * @ret_counters: set to the counters, which belong together
 */
void records_counters(struct records *records, struct counters *ret_counters)
{
        lock(records);
        *ret_counters = records->counters;
        unlock(records);
}

/**
 * records_take_packets() - remove the packets that were recorded
 * @records: the records
 * @ret_packets: set to up to RECORDS_PACKETS_MAX packets in their order
 * @ret_lost: set to how many more there were
 *
 * Return: how many packets there are.
 */
size_t records_take_packets(struct records *records, struct record *ret_packets, uint64_t *ret_lost)
{
        size_t n;

        lock(records);
        n = records->n_ring;
        memcpy(ret_packets, records->ring, n * sizeof(records->ring[0]));
        *ret_lost = records->n_lost;
        records->n_ring = 0;
        records->n_lost = 0;
        unlock(records);
        return n;
}

/**
 * records_take_sessions() - remove ping sessions that have ended
 * @records: the records
 * @now: the time of CLOCK_MONOTONIC in microseconds; UINT64_MAX ends all
 * @ret_sessions: set to the sessions
 * @max: how many there can be, RECORDS_SESSIONS_MAX at least
 * @ret_sum: set to the sum of those that were too many
 *
 * Return: how many sessions there are; if @max, there may be more.
 */
size_t records_take_sessions(struct records *records, uint64_t now, struct session *ret_sessions, size_t max,
                             struct session_sum *ret_sum)
{
        const struct session *idle;
        size_t n;

        lock(records);
        n = records->n_evicted;
        memcpy(ret_sessions, records->evicted, n * sizeof(records->evicted[0]));
        *ret_sum = records->sum;
        records->n_evicted = 0;
        records->sum = (struct session_sum) { 0 };
        while (n < max && (idle = sessions_close_idle(records->table, now)))
                ret_sessions[n++] = *idle;
        unlock(records);
        return n;
}

/**
 * records_sessions_due() - return when the next session ends if no packet comes
 * @records: the records
 *
 * Return: the time of CLOCK_MONOTONIC in microseconds; UINT64_MAX without a session.
 */
uint64_t records_sessions_due(struct records *records)
{
        uint64_t due;

        lock(records);
        due = records->n_evicted > 0 || records->sum.sessions > 0 ? 0 : sessions_idle_at(records->table);
        unlock(records);
        return due;
}

/**
 * records_sessions_count() - return how many ping sessions are open
 * @records: the records
 */
unsigned records_sessions_count(struct records *records)
{
        unsigned n;

        lock(records);
        n = sessions_count(records->table);
        unlock(records);
        return n;
}
