/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Ping sessions: what arrived of each ping, so that the way out can be told from the way back.
 *
 * Nothing here reads a clock, and after sessions_new() nothing allocates: the table is full at SESSIONS_MAX,
 * and then the session that was quiet for longest goes. A request takes one look at the newest session, and one
 * into a hash table that is seeded, so that nobody can fill one of its chains on purpose. A new session takes
 * one look at all others.
 */

#include "tunecho/session.h"

#include <stdlib.h>
#include <string.h>

#include "tunecho/util.h"

#define N_BUCKETS 512
#define NONE      UINT16_MAX

struct entry {
        struct session session;
        uint16_t bucket;
        uint16_t next;         /* of the same bucket, or of the free ones */
        uint16_t newer, older; /* by their latest request */
};

struct sessions {
        uint64_t seed;
        uint16_t buckets[N_BUCKETS];
        uint16_t free;   /* the first of those that were used, and are not */
        uint16_t unused; /* the first of those that never were, whose memory is not touched */
        uint16_t newest, oldest;
        unsigned count;
        uint32_t senders[SESSIONS_MAX]; /* of each entry in use, what sender_of() says; else 0 */
        struct entry entries[SESSIONS_MAX];
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

        sessions->seed = seed;
        sessions->count = sessions->unused = 0;
        sessions->free = sessions->newest = sessions->oldest = NONE;
        for (unsigned i = 0; i < N_BUCKETS; i++)
                sessions->buckets[i] = NONE;

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

static uint16_t bucket_of(const struct sessions *sessions, const struct packet_info *packet)
{
        uint64_t hash = mix(sessions->seed, packet->identifier);

        hash = mix_address(hash, &packet->source);
        hash = mix_address(hash, &packet->destination);
        return (uint16_t) (hash % N_BUCKETS);
}

/* Source and identifier, without the destination; never 0. */
static uint32_t sender_of(const struct sessions *sessions, const struct packet_info *packet)
{
        return (uint32_t) mix_address(mix(sessions->seed, packet->identifier), &packet->source) | 1;
}

static bool is_of(const struct session *session, const struct packet_info *packet)
{
        return session->identifier == packet->identifier &&
               address_equal(&session->source, &packet->source) &&
               address_equal(&session->destination, &packet->destination);
}

static uint16_t find(const struct sessions *sessions, const struct packet_info *packet)
{
        uint16_t i = sessions->newest;

        /* Requests of one ping mostly follow each other. */
        if (i != NONE && is_of(&sessions->entries[i].session, packet))
                return i;

        i = sessions->buckets[bucket_of(sessions, packet)];
        while (i != NONE && !is_of(&sessions->entries[i].session, packet))
                i = sessions->entries[i].next;

        return i;
}

static void order_remove(struct sessions *sessions, uint16_t i)
{
        const struct entry *entry = &sessions->entries[i];

        *(entry->newer == NONE ? &sessions->newest : &sessions->entries[entry->newer].older) = entry->older;
        *(entry->older == NONE ? &sessions->oldest : &sessions->entries[entry->older].newer) = entry->newer;
}

static void order_insert_newest(struct sessions *sessions, uint16_t i)
{
        sessions->entries[i].newer = NONE;
        sessions->entries[i].older = sessions->newest;
        *(sessions->newest == NONE ? &sessions->oldest : &sessions->entries[sessions->newest].newer) = i;
        sessions->newest = i;
}

static void remove_entry(struct sessions *sessions, uint16_t i, struct session *ret_session)
{
        struct entry *entry = &sessions->entries[i];
        uint16_t *link = &sessions->buckets[entry->bucket];

        while (*link != i)
                link = &sessions->entries[*link].next;
        *link = entry->next;
        order_remove(sessions, i);

        *ret_session = entry->session;
        sessions->senders[i] = 0;
        entry->next = sessions->free;
        sessions->free = i;
        sessions->count--;
}

/*
 * Some pings, such as fping(8), number all their requests through, whatever their destination. So what each
 * destination lacks is not lost: others have it.
 */
static void find_sharer(struct sessions *sessions, uint16_t i)
{
        struct session *session = &sessions->entries[i].session;

        for (unsigned n = 0; n < sessions->unused; n++) {
                struct session *other = &sessions->entries[n].session;

                if (n == i || sessions->senders[n] != sessions->senders[i] ||
                    other->identifier != session->identifier ||
                    !address_equal(&other->source, &session->source))
                        continue;

                /* If there are more of them, they have found each other already. */
                other->shared = session->shared = true;
                return;
        }
}

static uint16_t take_entry(struct sessions *sessions)
{
        uint16_t i = sessions->free;

        if (i == NONE)
                return sessions->unused++;

        sessions->free = sessions->entries[i].next;
        return i;
}

static uint16_t insert_entry(struct sessions *sessions, uint64_t now, const struct packet_info *packet)
{
        uint16_t i = take_entry(sessions), bucket = bucket_of(sessions, packet);
        struct entry *entry = &sessions->entries[i];

        sessions->count++;

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
        entry->bucket = bucket;
        entry->next = sessions->buckets[bucket];
        sessions->buckets[bucket] = i;
        sessions->senders[i] = sender_of(sessions, packet);
        order_insert_newest(sessions, i);
        find_sharer(sessions, i);
        return i;
}

/* The sequence number nearest to the latest one that has these 16 bits. */
static int64_t unwrap(const struct session *session, uint16_t sequence)
{
        return session->last + (int16_t) (uint16_t) (sequence - (uint16_t) session->last);
}

static bool is_another_ping(const struct session *session, int64_t sequence)
{
        return sequence + SESSION_WINDOW <= session->last;
}

static uint64_t bit_of(int64_t sequence)
{
        return UINT64_C(1) << ((uint64_t) sequence % 64);
}

static uint64_t *word_of(struct session *session, int64_t sequence)
{
        return &session->seen[(uint64_t) sequence % SESSION_WINDOW / 64];
}

static void count_sequence(struct session *session, int64_t sequence)
{
        if (sequence - session->last >= SESSION_WINDOW)
                memset(session->seen, 0, sizeof(session->seen));
        else
                for (int64_t i = session->last + 1; i < sequence; i++)
                        *word_of(session, i) &= ~bit_of(i);

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

/**
 * sessions_add() - count an echo request
 * @sessions: the table
 * @now: the time in microseconds, of a clock that the caller chooses
 * @packet: what was read of the request
 * @size: its size in bytes
 * @ret_change: the session that it opened, and the one that it closed: the oldest one if the table was full,
 * or one of the same key whose sequence numbers are far ahead, so that this must be another ping
 */
void sessions_add(struct sessions *sessions, uint64_t now, const struct packet_info *packet, size_t size,
                  struct session_change *ret_change)
{
        uint16_t i = find(sessions, packet);

        ret_change->opened = NULL;
        ret_change->closed = false;

        if (i != NONE) {
                struct session *session = &sessions->entries[i].session;

                if (is_another_ping(session, unwrap(session, packet->sequence))) {
                        ret_change->closed = true;
                        remove_entry(sessions, i, &ret_change->closed_session);
                        i = NONE;
                } else if (i != sessions->newest) {
                        order_remove(sessions, i);
                        order_insert_newest(sessions, i);
                }
        } else if (sessions->count == SESSIONS_MAX)
                ret_change->closed = sessions_close_oldest(sessions, &ret_change->closed_session);

        if (i == NONE) {
                i = insert_entry(sessions, now, packet);
                ret_change->opened = &sessions->entries[i].session;
        }

        count_request(&sessions->entries[i].session, now, packet, size);
}

/**
 * sessions_idle_at() - when the next session ends, if no request comes
 * @sessions: the table
 *
 * Return: the time in microseconds, or UINT64_MAX if there is no session.
 */
uint64_t sessions_idle_at(const struct sessions *sessions)
{
        if (sessions->oldest == NONE)
                return UINT64_MAX;

        return sessions->entries[sessions->oldest].session.latest + SESSION_TIMEOUT_USEC;
}

/**
 * sessions_close_idle() - close a session that had no request for ten seconds
 * @sessions: the table
 * @now: the time in microseconds
 * @ret_session: the session
 *
 * Return: whether there was one; call again for the next one.
 */
bool sessions_close_idle(struct sessions *sessions, uint64_t now, struct session *ret_session)
{
        if (now < sessions_idle_at(sessions))
                return false;

        return sessions_close_oldest(sessions, ret_session);
}

/**
 * sessions_close_oldest() - close the session that was quiet for longest
 * @sessions: the table
 * @ret_session: the session
 *
 * Return: whether there was one.
 */
bool sessions_close_oldest(struct sessions *sessions, struct session *ret_session)
{
        if (sessions->oldest == NONE)
                return false;

        remove_entry(sessions, sessions->oldest, ret_session);
        return true;
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
