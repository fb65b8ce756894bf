/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The one mutex is here: around the counters, the ping sessions and the packets that are to be reported. The
 * data plane holds it for one packet or one batch, after its replies were written; the control plane while it
 * copies. Neither holds it across a system call.
 *
 * The control plane requests a wake-up with records_arm(), and the data plane writes to an eventfd with the
 * next packet. So the rate of packets does not change the rate of wake-ups, and without packets there are
 * none.
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

        struct icmp_error errors[RECORDS_ERRORS_MAX]; /* about replies */
        size_t n_errors;
        uint64_t n_lost_errors;
        uint64_t n_refusals; /* of the packets with VERDICT_ICMP_ERROR, those about replies */

        struct session_table *table;
};

/* A mutex fails only if it is used wrongly. */
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
        records->table = session_table_new(seed);
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
        session_table_free(records->table);
        (void) pthread_mutex_destroy(&records->mutex);
        free(records);
        return NULL;
}

static void add_packet(struct records *records, const struct record *record)
{
        if (records->n_ring < ARRAY_SIZE(records->ring))
                records->ring[records->n_ring++] = *record;
        else
                records->n_lost++;
}

/**
 * records_add() - record packets and their verdicts
 * @records: the records
 * @now: the time of CLOCK_MONOTONIC in microseconds
 * @added: each packet, with its verdict
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
                if (records->sessions && verdict_is_reply(added[i].verdict))
                        session_table_add(records->table, now, &added[i].packet, added[i].size);
                else if (records->sessions && added[i].packet.is_echo && added[i].verdict != VERDICT_NOT_ECHO)
                        session_table_drop(records->table, &added[i].packet, added[i].verdict);
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

static void add_error(struct records *records, const struct icmp_error *error)
{
        records->n_refusals++;
        if (records->n_errors < ARRAY_SIZE(records->errors))
                records->errors[records->n_errors++] = *error;
        else
                records->n_lost_errors++;
}

/**
 * records_add_error() - record an ICMP error about an echo reply
 * @records: the records
 * @now: the time of CLOCK_MONOTONIC in microseconds
 * @error: the error, whose packet is recorded by records_add() afterwards
 *
 * An error about the reply to a ping that has no session is ignored: it is forged, or very late. If sessions
 * are not recorded, every error is.
 */
void records_add_error(struct records *records, uint64_t now, const struct icmp_error *error)
{
        struct session_refusal refusal = {
                .from = error->reporter,
                .type = error->type,
                .code = error->code,
                .mtu = error->mtu,
                .when = now,
        };

        lock(records);
        /* The source of the request is the destination of the reply that is quoted. */
        if (session_table_refuse(records->table, &error->destination, &error->source, error->identifier,
                                 &refusal) ||
            !records->sessions)
                add_error(records, error);
        unlock(records);
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
 * Clears the previous wake-up: call this first, then read the records.
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
 * records_refusals() - count the ICMP errors about replies
 * @records: the records
 *
 * Return: how many there were so far. The packets of the latest ones may not be in the counters yet.
 */
uint64_t records_refusals(struct records *records)
{
        uint64_t n;

        lock(records);
        n = records->n_refusals;
        unlock(records);
        return n;
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
 * records_take_errors() - remove the ICMP errors that were recorded
 * @records: the records
 * @ret_errors: set to up to RECORDS_ERRORS_MAX errors in their order
 * @ret_lost: set to how many more there were
 *
 * Return: how many errors there are.
 */
size_t records_take_errors(struct records *records, struct icmp_error *ret_errors, uint64_t *ret_lost)
{
        size_t n;

        lock(records);
        n = records->n_errors;
        memcpy(ret_errors, records->errors, n * sizeof(records->errors[0]));
        *ret_lost = records->n_lost_errors;
        records->n_errors = 0;
        records->n_lost_errors = 0;
        unlock(records);
        return n;
}

/**
 * records_collect_sessions() - copy what is due to be reported of the ping sessions
 * @records: the records
 * @now: the time of CLOCK_MONOTONIC in microseconds
 * @ret_reports: set to the reports
 * @max: how many there can be
 * @ret_sum: set to the sum of the sessions without a report
 *
 * Return: how many reports there are; if @max, there may be more.
 */
size_t records_collect_sessions(struct records *records, uint64_t now, struct session_report *ret_reports,
                                size_t max, struct session_sum *ret_sum)
{
        size_t n;

        lock(records);
        n = session_table_collect(records->table, now, ret_reports, max);
        session_table_collect_sum(records->table, ret_sum);
        unlock(records);
        return n;
}

/**
 * records_finish_sessions() - end all ping sessions, so that they are reported
 * @records: the records
 */
void records_finish_sessions(struct records *records)
{
        lock(records);
        session_table_finish(records->table);
        unlock(records);
}

/**
 * records_sessions_due() - return when there is something to report of a session if no packet comes
 * @records: the records
 *
 * Return: the time of CLOCK_MONOTONIC in microseconds; 0 for at once, UINT64_MAX for never.
 */
uint64_t records_sessions_due(struct records *records)
{
        uint64_t due;

        lock(records);
        due = session_table_next(records->table);
        unlock(records);
        return due;
}

/**
 * records_copy_sessions() - copy the ping sessions that are open
 * @records: the records
 * @ret_reports: set to them, the one with the latest request first; SESSIONS_MAX are enough
 * @max: how many there can be
 * @ret_recording: set to whether more are recorded
 *
 * Return: how many there are.
 */
size_t records_copy_sessions(struct records *records, struct session_report *ret_reports, size_t max,
                             bool *ret_recording)
{
        size_t n;

        lock(records);
        n = session_table_copy(records->table, ret_reports, max);
        *ret_recording = records->sessions;
        unlock(records);
        return n;
}

/**
 * records_sessions_count() - return how many ping sessions are open
 * @records: the records
 */
unsigned records_sessions_count(struct records *records)
{
        unsigned n;

        lock(records);
        n = session_table_count(records->table);
        unlock(records);
        return n;
}

/**
 * records_sessions_totals() - copy what is counted of all ping sessions
 * @records: the records
 * @ret_totals: set to the totals
 */
void records_sessions_totals(struct records *records, struct session_totals *ret_totals)
{
        lock(records);
        session_table_totals(records->table, ret_totals);
        unlock(records);
}
