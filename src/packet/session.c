/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Ping sessions: what arrived of each ping, so that the way out can be told from the way back.
 *
 * Nothing here reads a clock, and after sessions_new() nothing allocates: the table is full at SESSIONS_MAX,
 * and then the session that was quiet for longest goes. A request takes one look at the newest session, and
 * one into a hash table that is seeded, so that nobody can fill one of its chains on purpose.
 */

#include "packet/session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/util.h"
#include "packet/reflect.h"

#define N_BUCKETS 256

struct entry {
        struct session session;
        LIST_ENTRY(entry)
        bucket; /* or the free ones */
        LIST_ENTRY(entry)
        sender;
        TAILQ_ENTRY(entry)
        order;
};

LIST_HEAD(chain, entry);

struct sessions {
        uint64_t seed;
        struct chain buckets[N_BUCKETS]; /* by all that tells sessions apart */
        struct chain senders[N_BUCKETS]; /* by source and identifier */
        TAILQ_HEAD(order, entry)
        by_request;        /* the one with the latest request comes first */
        struct chain free; /* those that were used, and are not */
        unsigned n_used;   /* how many ever were; the memory of the others is not touched */
        unsigned count;
        struct entry entries[SESSIONS_MAX + 1]; /* one that is closed can still be looked at */
};

/* The chains that a session belongs to. */
struct place {
        struct chain *bucket, *sender;
};

/**
 * sessions_new() - make a table of sessions
 * @seed: a number that nobody outside can know
 *
 * Return: the table, which sessions_free() frees, or NULL without memory.
 */
struct sessions *sessions_new(uint64_t seed)
{
        struct sessions *sessions = malloc(sizeof(*sessions));

        if (!sessions)
                return NULL;

        memset(sessions, 0, offsetof(struct sessions, entries));
        sessions->seed = seed;
        TAILQ_INIT(&sessions->by_request);
        return sessions;
}

/**
 * sessions_free() - free a table of sessions
 * @sessions: the table, or NULL
 *
 * Return: NULL.
 */
struct sessions *sessions_free(struct sessions *sessions)
{
        free(sessions);
        return NULL;
}

/**
 * sessions_count() - how many sessions are open
 * @sessions: the table
 */
unsigned sessions_count(const struct sessions *sessions)
{
        return sessions->count;
}

/* Mixes as the finalizer of MurmurHash3 does. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
        hash ^= word;
        hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
        hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
        return hash ^ hash >> 33;
}

static uint64_t mix_address(uint64_t hash, const struct address *address)
{
        uint64_t words[2] = { 0 };

        memcpy(words, address->bytes, address_size(address->family));
        hash = mix(hash, words[0]);
        return address->family == AF_INET6 ? mix(hash, words[1]) : hash;
}

static struct place place_of(struct sessions *sessions, const struct packet_info *packet)
{
        uint64_t sender = mix_address(mix(sessions->seed, packet->identifier), &packet->source);
        uint64_t all = mix_address(sender, &packet->destination);

        return (struct place) {
                .bucket = &sessions->buckets[all % N_BUCKETS],
                .sender = &sessions->senders[sender % N_BUCKETS],
        };
}

static bool is_from(const struct session *session, const struct address *source, uint16_t identifier)
{
        return session->identifier == identifier && address_equal(&session->source, source);
}

static bool is_of(const struct session *session, const struct packet_info *packet)
{
        return is_from(session, &packet->source, packet->identifier) &&
               address_equal(&session->destination, &packet->destination);
}

static struct entry *find(const struct place *place, const struct packet_info *packet)
{
        struct entry *entry;

        LIST_FOREACH (entry, place->bucket, bucket)
                if (is_of(&entry->session, packet))
                        return entry;

        return NULL;
}

/*
 * Some pings, such as fping(8), number all their requests through, whatever their destination. So what each
 * destination lacks is not lost: others have it.
 */
static void find_sharer(const struct place *place, struct entry *entry)
{
        struct entry *other;

        LIST_FOREACH (other, place->sender, sender) {
                if (other == entry ||
                    !is_from(&other->session, &entry->session.source, entry->session.identifier))
                        continue;

                /* If there are more of them, they have found each other already. */
                other->session.shared = entry->session.shared = true;
                return;
        }
}

static void start(const struct place *place, struct entry *entry, uint64_t now,
                  const struct packet_info *packet)
{
        entry->session = (struct session) {
                .source = packet->source,
                .destination = packet->destination,
                .identifier = packet->identifier,
                .opened = now,
                .latest = now,
                .size_min = UINT32_MAX,
                .hop_limit_min = UINT8_MAX,
                .first = packet->sequence,
                .last = packet->sequence - 1,
        };
        find_sharer(place, entry);
}

static struct entry *take_entry(struct sessions *sessions)
{
        struct entry *entry = LIST_FIRST(&sessions->free);

        if (!entry)
                return &sessions->entries[sessions->n_used++];

        LIST_REMOVE(entry, bucket);
        return entry;
}

static struct entry *insert_entry(struct sessions *sessions, const struct place *place)
{
        struct entry *entry = take_entry(sessions);

        LIST_INSERT_HEAD(place->bucket, entry, bucket);
        LIST_INSERT_HEAD(place->sender, entry, sender);
        TAILQ_INSERT_HEAD(&sessions->by_request, entry, order);
        sessions->count++;
        return entry;
}

/* What is closed stays as it is until the entry is taken again. */
static const struct session *close_entry(struct sessions *sessions, struct entry *entry)
{
        LIST_REMOVE(entry, bucket);
        LIST_REMOVE(entry, sender);
        TAILQ_REMOVE(&sessions->by_request, entry, order);
        LIST_INSERT_HEAD(&sessions->free, entry, bucket);
        sessions->count--;
        return &entry->session;
}

/* The sequence number nearest to the latest one that has these 16 bits. */
static int64_t unwrap(const struct session *session, uint16_t sequence)
{
        return session->last + (int16_t) (uint16_t) (sequence - (uint16_t) session->last);
}

static bool is_another_ping(const struct session *session, uint16_t sequence)
{
        return unwrap(session, sequence) + SESSION_WINDOW <= session->last;
}

static uint64_t bit_of(int64_t sequence)
{
        return UINT64_C(1) << ((uint64_t) sequence % 64);
}

static uint64_t *word_of(struct session *session, int64_t sequence)
{
        return &session->seen[(uint64_t) sequence % SESSION_WINDOW / 64];
}

/* Clears the bits of the numbers between the last one and this one, by words. */
static void forget(struct session *session, int64_t sequence)
{
        int64_t i = session->last + 1;

        if (sequence - i >= SESSION_WINDOW) {
                memset(session->seen, 0, sizeof(session->seen));
                return;
        }

        while (i < sequence) {
                int64_t end = i - i % 64 + 64;
                uint64_t from = UINT64_MAX << (i % 64);

                if (end > sequence)
                        from &= ~(UINT64_MAX << (sequence % 64));
                *word_of(session, i) &= ~from;
                i = end;
        }
}

static void count_sequence(struct session *session, int64_t sequence)
{
        forget(session, sequence);

        if (sequence > session->last)
                session->last = sequence;
        else if (*word_of(session, sequence) & bit_of(sequence))
                session->duplicates++;
        else
                session->reordered++;

        if (sequence < session->first)
                session->first = sequence;
        *word_of(session, sequence) |= bit_of(sequence);
}

static void count_request(struct session *session, uint64_t now, const struct packet_info *packet,
                          size_t size)
{
        if (now > session->latest)
                session->latest = now; /* a clock that goes back counts as one that stands still */

        session->requests++;
        session->fragmented += packet->is_fragment;
        session->bytes += size;
        if (size < session->size_min)
                session->size_min = (uint32_t) size;
        if (size > session->size_max)
                session->size_max = (uint32_t) size;
        if (packet->hop_limit < session->hop_limit_min)
                session->hop_limit_min = packet->hop_limit;
        if (packet->hop_limit > session->hop_limit_max)
                session->hop_limit_max = packet->hop_limit;

        count_sequence(session, unwrap(session, packet->sequence));
}

/* Makes the session of a request the newest one, if there is one. */
static struct entry *bring_forward(struct sessions *sessions, const struct place *place,
                                   const struct packet_info *packet)
{
        struct entry *entry = find(place, packet);

        if (entry) {
                TAILQ_REMOVE(&sessions->by_request, entry, order);
                TAILQ_INSERT_HEAD(&sessions->by_request, entry, order);
        }

        return entry;
}

/* Opens a session instead of the one before, if there is one, else of the oldest one if the table is full. */
static struct entry *open_entry(struct sessions *sessions, const struct place *place, struct entry *before,
                                uint64_t now, const struct packet_info *packet, struct session_change *change)
{
        struct entry *entry = insert_entry(sessions, place);

        if (!before && sessions->count > SESSIONS_MAX)
                before = TAILQ_LAST(&sessions->by_request, order);
        if (before)
                change->closed = close_entry(sessions, before);

        start(place, entry, now, packet);
        change->opened = &entry->session;
        return entry;
}

/**
 * sessions_add() - count an echo request
 * @sessions: the table
 * @now: the time in microseconds, of a clock that the caller chooses
 * @packet: what was read of the request
 * @size: its size in bytes
 * @ret_change: the session that it opened, and the one that it closed: the oldest one if the table was full,
 * or one of the same key that the request lies far behind, so that this must be another ping
 */
void sessions_add(struct sessions *sessions, uint64_t now, const struct packet_info *packet, size_t size,
                  struct session_change *ret_change)
{
        struct entry *entry = TAILQ_FIRST(&sessions->by_request);
        struct place place = { 0 };

        *ret_change = (struct session_change) { 0 };

        /* Requests of one ping mostly follow each other. */
        if (!entry || !is_of(&entry->session, packet)) {
                place = place_of(sessions, packet);
                entry = bring_forward(sessions, &place, packet);
        }
        if (!entry || is_another_ping(&entry->session, packet->sequence)) {
                if (!place.bucket)
                        place = place_of(sessions, packet);
                entry = open_entry(sessions, &place, entry, now, packet, ret_change);
        }

        count_request(&entry->session, now, packet, size);
}

/**
 * sessions_idle_at() - when the next session ends, if no request comes
 * @sessions: the table
 *
 * Return: the time in microseconds, or UINT64_MAX if there is no session.
 */
uint64_t sessions_idle_at(const struct sessions *sessions)
{
        const struct entry *oldest = TAILQ_LAST(&sessions->by_request, order);

        return oldest ? oldest->session.latest + SESSION_TIMEOUT_USEC : UINT64_MAX;
}

/**
 * sessions_close_idle() - close a session that had no request for ten seconds
 * @sessions: the table
 * @now: the time in microseconds
 *
 * Return: the session, until the next request, or NULL if there is none; call again for the next one.
 */
const struct session *sessions_close_idle(struct sessions *sessions, uint64_t now)
{
        return now < sessions_idle_at(sessions) ? NULL : sessions_close_oldest(sessions);
}

/**
 * sessions_close_oldest() - close the session that was quiet for longest
 * @sessions: the table
 *
 * Return: the session, until the next request, or NULL if there is none.
 */
const struct session *sessions_close_oldest(struct sessions *sessions)
{
        struct entry *oldest = TAILQ_LAST(&sessions->by_request, order);

        return oldest ? close_entry(sessions, oldest) : NULL;
}

/**
 * session_missing() - the requests that never arrived
 * @session: the session
 *
 * Return: how many sequence numbers between the first and the last one are missing. If it is shared, they may
 * have gone elsewhere.
 */
uint64_t session_missing(const struct session *session)
{
        return (uint64_t) (session->last - session->first) + 1 - (session->requests - session->duplicates);
}

/**
 * session_knows_missing() - return whether a gap in the numbers is a loss
 * @session: the session
 *
 * Return: false if the missing numbers may have gone to another destination.
 */
bool session_knows_missing(const struct session *session)
{
        return !session->shared || session_missing(session) == 0;
}

/**
 * session_sum_add() - add a session to a sum
 * @sum: the sum
 * @session: the session
 */
void session_sum_add(struct session_sum *sum, const struct session *session)
{
        sum->sessions++;
        sum->requests += session->requests;
        sum->missing += session_knows_missing(session) ? session_missing(session) : 0;
        sum->duplicates += session->duplicates;
        sum->reordered += session->reordered;
}
