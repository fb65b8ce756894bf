/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What session.c, which counts requests, and session-report.c, which reports them, share. */

#include <sys/queue.h>

#include "packet/session.h"

/* A power of 2, so large that hardly any two sessions want the same one. */
#define SESSION_SLOTS (4 * SESSIONS_MAX)

/* Source, destination, family and identifier. */
struct session_key {
        uint64_t words[4];
        uint64_t rest;
};

struct session_entry {
        struct session_key key;
        uint64_t hash;
        TAILQ_ENTRY(session_entry)
        order;
        bool is_idle;      /* reported as idle, and kept so that it can resume */
        bool is_announced; /* reported as opened, or need not be */
        bool has_twin;     /* another one may have the same key */
        bool is_mixed;     /* with the requests of that one */
        uint32_t fragment_id;
        uint64_t idle_usec;  /* without a request until it is idle */
        uint64_t drops_from; /* the time of the request since which drops are counted */
        uint64_t interim;    /* when the latest interim report was, or it opened */
        struct session session;
        struct numbering numbering;
};

TAILQ_HEAD(session_order, session_entry);

struct session_table {
        uint64_t seed;
        struct session_order order; /* the one with the latest request comes first */
        unsigned n_used;            /* entries; one that was used is used until another one needs it */
        unsigned n_idle;            /* of them */
        bool is_finished;
        struct session_totals totals;
        unsigned n_reports, first_report;
        struct session_sum sum;
        uint16_t slots[SESSION_SLOTS]; /* the number of an entry plus 1, or 0 */
        struct session_report reports[SESSION_REPORTS_MAX];
        struct session_entry entries[SESSIONS_MAX];
        uint64_t seen[SESSIONS_MAX][NUMBERING_WORDS];
};

/* Whether there was a pause before a request, reported or not. A clock that goes back makes none. */
static inline bool session_was_quiet(const struct session_entry *entry, uint64_t now)
{
        return entry->is_idle || now >= entry->session.latest + entry->idle_usec;
}

/* Sets whether a session is idle. */
static inline void session_set_idle(struct session_table *table, struct session_entry *entry, bool idle)
{
        table->n_idle += idle;
        table->n_idle -= entry->is_idle;
        entry->is_idle = idle;
}

/* session-index.c */
struct session_key session_key_make(const struct address *source, const struct address *destination,
                                    uint16_t identifier);
bool session_key_equal(const struct session_key *a, const struct session_key *b);
uint64_t session_hash(const struct session_table *table, const struct session_key *key);
struct session_entry *session_find(struct session_table *table, const struct session_key *key, uint64_t hash,
                                   uint64_t now, uint16_t number);
void session_find_mixed(struct session_table *table, struct session_entry *entry, uint64_t now);
struct session_entry *session_open(struct session_table *table, const struct session_key *key, uint64_t hash);

/* session-report.c */
void session_table_push(struct session_table *table, enum session_event event,
                        const struct session_entry *entry, uint64_t quiet_usec, uint64_t between);
