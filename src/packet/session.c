/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Ping sessions: what arrived of each ping.
 *
 *                  quiet for 10 s: SESSION_IDLE
 *      ---> open ------------------------------> idle ---> forgotten, 10 minutes later
 *            ^                                    |
 *            +------------------------------------+
 *             a request ahead of the last: SESSION_RESUMED, counts from there
 *
 * The report of an idle session is the only one of a ping that has ended. If its numbers go on, it resumes:
 * that is reported with the numbers in between, and what it counts begins with zero, so that no request is in
 * two reports. A client whose requests are more than ten seconds apart resumes with its next number; it has
 * lost nothing, which is not reported, and from then on it is idle after three times as long. A request that
 * does not go on, or comes later than ten minutes, opens a session instead of the idle one. While a session
 * is open it is reported every ten minutes, too, with what it counted since it opened.
 *
 * One that repeats the numbers of an open session from the first on is another ping (numbering.c), and has a
 * session of its own with the same key. Where there are two, a request belongs to the one whose numbers it
 * continues.
 *
 * Nothing here reads a clock, and after session_table_new() nothing allocates.
 */

#include "packet/session.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "packet/session-table.h"

/* The sessions that a later fragment may belong to: those with the latest requests. */
#define FRAGMENT_SEARCH 8

/* A slow client is idle after so many times as long as between its requests. */
#define IDLE_INTERVALS 3

/**
 * session_table_new() - create a table of sessions
 * @seed: a random number
 *
 * Return: the table, which session_table_free() frees, or NULL without memory. Memory that no session needs
 * is not touched.
 */
struct session_table *session_table_new(uint64_t seed)
{
        struct session_table *table = calloc(1, sizeof(*table));

        if (!table)
                return NULL;

        table->seed = seed;
        TAILQ_INIT(&table->order);
        return table;
}

/**
 * session_table_free() - free a table of sessions
 * @table: the table, or NULL
 *
 * Return: NULL.
 */
struct session_table *session_table_free(struct session_table *table)
{
        free(table);
        return NULL;
}

/**
 * session_table_count() - count the sessions that are open
 * @table: the table
 */
unsigned session_table_count(const struct session_table *table)
{
        return table->n_used - table->n_idle;
}

/**
 * session_table_totals() - copy what the table counts of all its sessions
 * @table: the table
 * @ret_totals: set to the totals; a session that resumes was opened once
 */
void session_table_totals(const struct session_table *table, struct session_totals *ret_totals)
{
        *ret_totals = table->totals;
}

/* The same as to compare the keys, but without making one. */
static bool is_of(const struct session_entry *entry, const struct packet_info *packet)
{
        const struct session *session = &entry->session;

        if (session->identifier != packet->identifier || session->source.family != packet->source.family)
                return false;
        if (packet->source.family == AF_INET)
                return session->source.ipv4.s_addr == packet->source.ipv4.s_addr &&
                       session->destination.ipv4.s_addr == packet->destination.ipv4.s_addr;

        return IN6_ARE_ADDR_EQUAL(&session->source.ipv6, &packet->source.ipv6) &&
               IN6_ARE_ADDR_EQUAL(&session->destination.ipv6, &packet->destination.ipv6);
}

static void bring_forward(struct session_table *table, struct session_entry *entry)
{
        if (entry == TAILQ_FIRST(&table->order))
                return;

        TAILQ_REMOVE(&table->order, entry, order);
        TAILQ_INSERT_HEAD(&table->order, entry, order);
}

/* Counts from zero. */
static void clear_counts(struct session_entry *entry, uint64_t now)
{
        struct session *session = &entry->session;

        *session = (struct session) {
                .source = session->source,
                .destination = session->destination,
                .identifier = session->identifier,
                .opened = now,
                .latest = now,
                .size_min = UINT32_MAX,
                .hop_limit_min = UINT8_MAX,
        };
        entry->interim = now;
        entry->is_mixed = false;
}

/* Begins a session in an entry that has its place in the table. */
static void start(struct session_table *table, struct session_entry *entry, uint64_t now,
                  const struct packet_info *packet, uint16_t number)
{
        table->totals.opened++;
        entry->session.source = packet->source;
        entry->session.destination = packet->destination;
        entry->session.identifier = packet->identifier;
        clear_counts(entry, now);
        entry->is_announced = false;
        entry->has_twin = false;
        entry->fragment_id = 0;
        entry->idle_usec = SESSION_IDLE_USEC;
        session_set_idle(table, entry, false);
        numbering_start(&entry->numbering, table->seen[entry - table->entries], now, number);
}

static void count_request(struct session_entry *entry, uint64_t now, const struct packet_info *packet,
                          size_t size)
{
        struct session *session = &entry->session;

        if (now > session->latest)
                session->latest = now; /* a clock that goes back counts as one that stands still */

        session->requests++;
        session->bytes += size;
        if (size < session->size_min)
                session->size_min = (uint32_t) size;
        if (size > session->size_max)
                session->size_max = (uint32_t) size;
        if (packet->hop_limit < session->hop_limit_min)
                session->hop_limit_min = packet->hop_limit;
        if (packet->hop_limit > session->hop_limit_max)
                session->hop_limit_max = packet->hop_limit;
        if (packet->is_fragment) {
                session->fragmented++;
                entry->fragment_id = packet->fragment_id;
        }
}

/* Moves the requests that were another ping's to a session of its own; the latest one is not counted yet. */
static struct session_entry *split(struct session_table *table, struct session_entry *entry,
                                   const struct packet_info *packet)
{
        struct session *from = &entry->session, *to;
        struct rerun rerun = entry->numbering.rerun;
        struct session_entry *other;
        unsigned moved = rerun.count - 1U;
        uint64_t fragmented = packet->is_fragment && from->fragmented > moved ? moved : 0;

        entry->numbering.rerun.count = 0;
        from->requests -= moved;
        from->fragmented -= fragmented;
        from->bytes -= moved * from->size_min;

        other = session_open(table, &entry->key, entry->hash);
        start(table, other, rerun.times[0], packet, rerun.numbers[0]);
        to = &other->session;
        for (unsigned i = 1; i < rerun.count; i++)
                (void) numbering_add(&other->numbering, rerun.times[i], rerun.numbers[i]);
        to->requests = moved;
        to->fragmented = fragmented;
        to->bytes = moved * entry->session.size_min;
        if (entry->has_twin || rerun.is_incomplete)
                entry->is_mixed = other->is_mixed = true;
        entry->has_twin = other->has_twin = true;
        return other;
}

/* A client whose requests are more than ten seconds apart. */
static uint64_t slow_idle_usec(uint64_t quiet)
{
        return quiet < SESSION_RESUME_USEC / IDLE_INTERVALS ? IDLE_INTERVALS * quiet : SESSION_RESUME_USEC;
}

/* Counts from zero after a pause: on the same numbers if they go on, else as a session that opens. */
static void begin_again(struct session_table *table, struct session_entry *entry, uint64_t now,
                        const struct packet_info *packet)
{
        int64_t ahead = numbering_distance(&entry->numbering, packet->sequence);
        uint64_t quiet = now > entry->session.latest ? now - entry->session.latest : 0;
        bool twin = entry->has_twin, mixed = entry->is_mixed;
        struct numbering_summary numbers;

        if (!entry->is_idle)
                session_table_push(table, SESSION_IDLE, entry, 0, 0);

        if (ahead <= 0 || quiet > SESSION_RESUME_USEC) {
                start(table, entry, now, packet, packet->sequence);
                entry->has_twin = twin;
                return;
        }

        numbers = numbering_summarize(&entry->numbering, entry->session.requests);
        numbering_resume(&entry->numbering, now, packet->sequence);
        clear_counts(entry, now);
        entry->is_mixed = mixed;
        entry->is_announced = true;
        session_set_idle(table, entry, false);
        if (ahead == 1 || ahead == numbers.step)
                entry->idle_usec = slow_idle_usec(quiet);
        else
                session_table_push(table, SESSION_RESUMED, entry, quiet, (uint64_t) ahead - 1);
}

/* A later fragment has no identifier; that of its first fragment is in one of the latest sessions. */
static void add_later_fragment(struct session_table *table, const struct packet_info *packet)
{
        struct session_key key = session_key_make(&packet->source, &packet->destination, 0);
        struct session_entry *entry, *found = NULL;
        unsigned n = 0;

        TAILQ_FOREACH (entry, &table->order, order) {
                struct session_key other = entry->key;

                if (n++ == FRAGMENT_SEARCH || entry->is_idle)
                        break;

                other.rest &= ~(uint64_t) UINT16_MAX;
                if (!session_key_equal(&key, &other))
                        continue;
                if (!found || entry->fragment_id == packet->fragment_id)
                        found = entry;
                if (entry->session.fragmented > 0 && entry->fragment_id == packet->fragment_id)
                        break;
        }

        if (found)
                found->session.later_fragments++;
}

/* Finds the session of a request, or opens it. */
static struct session_entry *find_or_open(struct session_table *table, uint64_t now,
                                          const struct packet_info *packet, bool *ret_opened)
{
        struct session_key key = session_key_make(&packet->source, &packet->destination, packet->identifier);
        uint64_t hash = session_hash(table, &key);
        struct session_entry *entry = session_find(table, &key, hash, now, packet->sequence);

        *ret_opened = !entry;
        if (!entry) {
                entry = session_open(table, &key, hash);
                start(table, entry, now, packet, packet->sequence);
                return entry;
        }

        if (entry->has_twin && !session_was_quiet(entry, now))
                session_find_mixed(table, entry, now);
        bring_forward(table, entry);
        return entry;
}

/**
 * session_table_add() - count an echo request, or a later fragment of one
 * @table: the table
 * @now: the time in microseconds, of a clock that the caller chooses
 * @packet: what was read of the packet
 * @size: its size in bytes
 */
void session_table_add(struct session_table *table, uint64_t now, const struct packet_info *packet,
                       size_t size)
{
        struct session_entry *entry = TAILQ_FIRST(&table->order);
        bool opened = false;

        if (packet->fragment_offset > 0) {
                add_later_fragment(table, packet);
                return;
        }

        /* Requests of one ping mostly follow each other. */
        if (!entry || entry->has_twin || !is_of(entry, packet))
                entry = find_or_open(table, now, packet, &opened);

        if (!opened && session_was_quiet(entry, now))
                begin_again(table, entry, now, packet);
        else if (!opened && numbering_add(&entry->numbering, now, packet->sequence) == NUMBERING_ANOTHER)
                entry = split(table, entry, packet);

        count_request(entry, now, packet, size);
}

/**
 * session_table_drop() - count an echo request that is not answered
 * @table: the table
 * @packet: what was read of the packet
 * @verdict: why it is not answered
 *
 * It opens no session, and is no request of the one it belongs to, as its header may be wrong.
 */
void session_table_drop(struct session_table *table, const struct packet_info *packet, enum verdict verdict)
{
        struct session_key key = session_key_make(&packet->source, &packet->destination, packet->identifier);
        struct session_entry *entry = session_find(table, &key, session_hash(table, &key), 0, packet->sequence);
        struct session *session;

        if (!entry)
                return;

        session = &entry->session;
        if (entry->drops_from != session->latest)
                session->dropped = 0;
        entry->drops_from = session->latest;
        session->dropped++;
        session->dropped_as = verdict;
}

/**
 * session_table_refuse() - count an ICMP error about a reply
 * @table: the table
 * @source: of the request that the reply answered
 * @destination: of that request
 * @identifier: of it, in host byte order
 * @refusal: what the error says
 *
 * Return: whether there is such a session.
 */
bool session_table_refuse(struct session_table *table, const struct address *source,
                          const struct address *destination, uint16_t identifier,
                          const struct session_refusal *refusal)
{
        struct session_key key = session_key_make(source, destination, identifier);
        struct session_entry *entry = session_find(table, &key, session_hash(table, &key), refusal->when, 0);

        if (!entry)
                return false;

        entry->session.refused++;
        entry->session.refusal = *refusal;
        return true;
}
