/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How ping sessions are found.
 *
 * A hash table with linear probing finds a session by its key, and the order of use finds the one to evict
 * when SESSIONS_MAX are in use: the one that was quiet for longest, so idle ones go first. The hash is
 * seeded, so that no sender can fill one part of the table on purpose. Two open sessions may have the same
 * key; see session.c.
 */

#include <string.h>

#include "common/util.h"
#include "packet/session-table.h"

/**
 * session_key_make() - make the key of a session
 * @source: of the requests
 * @destination: of the requests, of the same family
 * @identifier: in host byte order
 */
struct session_key session_key_make(const struct address *source, const struct address *destination,
                                    uint16_t identifier)
{
        struct session_key key = { .rest = (uint64_t) source->family << 16 | identifier };

        if (source->family == AF_INET) {
                key.words[0] = (uint64_t) source->ipv4.s_addr << 32 | destination->ipv4.s_addr;
        } else {
                memcpy(&key.words[0], source->bytes, sizeof(source->bytes));
                memcpy(&key.words[2], destination->bytes, sizeof(destination->bytes));
        }

        return key;
}

/**
 * session_key_equal() - compare two keys
 * @a: a key
 * @b: another
 */
bool session_key_equal(const struct session_key *a, const struct session_key *b)
{
        return ((a->words[0] ^ b->words[0]) | (a->words[1] ^ b->words[1]) | (a->words[2] ^ b->words[2]) |
                (a->words[3] ^ b->words[3]) | (a->rest ^ b->rest)) == 0;
}

/* Mixes as the finalizer of MurmurHash3 does. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
        hash ^= word;
        hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
        return hash ^ hash >> 29;
}

/**
 * session_hash() - hash a key, with the table's seed
 * @table: the table
 * @key: the key; one of IPv4 has a single word
 */
uint64_t session_hash(const struct session_table *table, const struct session_key *key)
{
        uint64_t hash = mix(mix(table->seed, key->rest), key->words[0]);

        if (key->rest >> 16 != AF_INET)
                for (size_t i = 1; i < ARRAY_SIZE(key->words); i++)
                        hash = mix(hash, key->words[i]);

        return hash;
}

static unsigned next_slot(unsigned slot)
{
        return (slot + 1) % SESSION_SLOTS;
}

/* Of two with the same key, the one that the number continues; where both do, the one with the latest
 * request. */
static bool is_better(const struct session_entry *a, const struct session_entry *b, uint64_t now,
                      uint16_t number)
{
        int64_t a_fit = numbering_fit(&a->numbering, number), b_fit = numbering_fit(&b->numbering, number);

        if (session_was_quiet(a, now) != session_was_quiet(b, now))
                return session_was_quiet(b, now);

        return a_fit < b_fit || (a_fit == b_fit && a->session.latest > b->session.latest);
}

/**
 * session_find() - find the session of a request
 * @table: the table
 * @key: the key of the request
 * @hash: of the key
 * @now: the time in microseconds
 * @number: the sequence number, which decides where two sessions have the key
 *
 * Return: the session, open or idle, or NULL if there is none.
 */
struct session_entry *session_find(struct session_table *table, const struct session_key *key, uint64_t hash,
                                   uint64_t now, uint16_t number)
{
        struct session_entry *found = NULL;

        for (unsigned slot = hash % SESSION_SLOTS; table->slots[slot] > 0; slot = next_slot(slot)) {
                struct session_entry *entry = &table->entries[table->slots[slot] - 1];

                if (entry->hash != hash || !session_key_equal(&entry->key, key))
                        continue;
                if (!found || is_better(entry, found, now, number))
                        found = entry;
        }

        return found;
}

/**
 * session_find_mixed() - mark a session that is interleaved with another one of the same key
 * @table: the table
 * @entry: the session, which has a request, and does not have the latest one yet
 * @now: the time in microseconds
 *
 * Which of the requests belong to which is a guess then.
 */
void session_find_mixed(struct session_table *table, struct session_entry *entry, uint64_t now)
{
        for (unsigned slot = entry->hash % SESSION_SLOTS; table->slots[slot] > 0; slot = next_slot(slot)) {
                struct session_entry *other = &table->entries[table->slots[slot] - 1];

                if (other != entry && !session_was_quiet(other, now) &&
                    session_key_equal(&entry->key, &other->key) &&
                    other->session.latest > entry->session.latest)
                        entry->is_mixed = other->is_mixed = true;
        }
}

static void insert_slot(struct session_table *table, const struct session_entry *entry)
{
        unsigned slot = entry->hash % SESSION_SLOTS;

        while (table->slots[slot] > 0)
                slot = next_slot(slot);

        table->slots[slot] = (uint16_t) (entry - table->entries + 1);
}

/* Moves those behind it up, unless they are where they want to be: session_find() stops at an empty slot. */
static void remove_slot(struct session_table *table, const struct session_entry *entry)
{
        unsigned hole = entry->hash % SESSION_SLOTS;

        while (table->slots[hole] != entry - table->entries + 1)
                hole = next_slot(hole);

        for (unsigned slot = next_slot(hole); table->slots[slot] > 0; slot = next_slot(slot)) {
                unsigned wanted = table->entries[table->slots[slot] - 1].hash % SESSION_SLOTS;

                if ((slot - wanted) % SESSION_SLOTS < (slot - hole) % SESSION_SLOTS)
                        continue;
                table->slots[hole] = table->slots[slot];
                hole = slot;
        }

        table->slots[hole] = 0;
}

static struct session_entry *allocate_entry(struct session_table *table)
{
        struct session_entry *entry;

        if (table->n_used < SESSIONS_MAX)
                return &table->entries[table->n_used++];

        entry = TAILQ_LAST(&table->order, session_order);
        if (!entry->is_idle) {
                session_table_push(table, SESSION_EVICTED, entry, 0, 0);
                table->totals.evicted++;
        }
        session_set_idle(table, entry, false);
        remove_slot(table, entry);
        TAILQ_REMOVE(&table->order, entry, order);
        return entry;
}

/**
 * session_open() - add a session, as the one with the latest request
 * @table: the table; if it is full, the session that was quiet for longest is evicted
 * @key: the key of the session
 * @hash: of the key
 *
 * Return: the session, whose other members are not set.
 */
struct session_entry *session_open(struct session_table *table, const struct session_key *key, uint64_t hash)
{
        struct session_entry *entry = allocate_entry(table);

        entry->key = *key;
        entry->hash = hash;
        insert_slot(table, entry);
        TAILQ_INSERT_HEAD(&table->order, entry, order);
        return entry;
}
