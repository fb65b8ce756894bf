/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/unknown.h"

/* The sequence numbers up to this many behind the highest are in the bitmap. */
#define NUMBERING_WINDOW 32768
#define NUMBERING_WORDS  (NUMBERING_WINDOW / 64)

/* The advances from which the step of a client is learned. */
#define NUMBERING_ADVANCES 16

/* Requests that have to repeat the numbers of a ping before they are another one. */
#define NUMBERING_RERUN 3

/* From the highest number so far to a higher one. */
struct advance {
        uint32_t numbers; /* 0: the highest number again, later than a network duplicates */
        uint32_t usec;    /* ADVANCE_UNTIMED: does not matter */
};

#define ADVANCE_UNTIMED UINT32_MAX

/* The step of a client, as advances show it. */
struct pattern {
        uint32_t step; /* from one request to the next, 0: unknown */
        uint64_t usec; /* that it takes at least */
};

/* Requests whose numbers were all seen before, and come again in their order. */
struct rerun {
        uint16_t numbers[NUMBERING_RERUN]; /* as in the packet */
        uint64_t times[NUMBERING_RERUN];   /* in microseconds */
        int64_t oldest, latest;            /* of the numbers */
        uint8_t count, duplicates, reordered;
        bool is_interleaved; /* the other ping went on meanwhile */
        bool is_incomplete;  /* a copy or a late one of them is not among them */
};

/* The state of one stream of sequence numbers. */
struct numbering {
        uint64_t *seen;        /* NUMBERING_WORDS, valid from the first to the last number */
        int64_t first, last;   /* the lowest and the highest number, counted on when they wrap */
        int64_t latest_filled; /* the latest number that came late, or -1 */
        uint64_t last_time;    /* when the highest number arrived, in microseconds */
        struct pattern pattern;
        uint64_t late;      /* microseconds that the latest advance took longer than it had to */
        uint64_t regular;   /* advances by whole steps that had the time for them */
        uint64_t irregular; /* the others */
        uint64_t steps;     /* of all regular advances, in the units of pattern.step */
        uint64_t missing;   /* steps without a request, those that were filled included */
        uint64_t filled;    /* of them, by a request that came late */
        uint64_t slips;     /* numbers that were skipped without the time for them */
        uint64_t duplicates;
        uint64_t reordered;
        bool has_order;      /* two different numbers have arrived */
        bool host_order;     /* the client counts in host byte order (little endian) */
        bool settled;        /* the pattern is known; else the latest advances are collected */
        bool jumped;         /* by more numbers than can be distinguished from wrapped ones */
        uint8_t n_irregular; /* since the pattern is known */
        uint8_t n_advances;
        struct rerun rerun;
        struct advance advances[NUMBERING_ADVANCES];
};

enum numbering_result {
        NUMBERING_SAME,
        NUMBERING_ANOTHER, /* the requests of struct rerun, the last one included, are another ping's */
};

/* What the numbers of a ping say. */
struct numbering_summary {
        uint16_t first, last; /* as the client counts */
        bool host_order;
        uint32_t step;    /* from one request to the next, 0 where it is unknown */
        uint64_t missing; /* only if unknown is SESSION_KNOWN */
        enum session_unknown unknown;
        uint64_t duplicates;
        uint64_t reordered;
};

void numbering_start(struct numbering *numbering, uint64_t *seen, uint64_t now, uint16_t number);
enum numbering_result numbering_add(struct numbering *numbering, uint64_t now, uint16_t number);
int64_t numbering_fit(const struct numbering *numbering, uint16_t number);
int64_t numbering_distance(const struct numbering *numbering, uint16_t number);
void numbering_resume(struct numbering *numbering, uint64_t now, uint16_t number);
struct numbering_summary numbering_summarize(const struct numbering *numbering, uint64_t requests);

/* step.c */
struct pattern pattern_find(const struct advance *advances, unsigned n);
void numbering_account_next(struct numbering *numbering, uint64_t usec);
void numbering_account(struct numbering *numbering, const struct advance *advance);
void numbering_learn(struct numbering *numbering);

/* numbering.c, for step.c */
void numbering_set_order(struct numbering *numbering, bool host_order);
