/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What the sequence numbers of a ping say: which are duplicates, which came late, which are missing, and
 * which belong to another ping of the same identifier.
 *
 * The first two different numbers show the byte order in which the client counts: the one in which they are
 * closer. From there on a number is ahead of the highest one so far, which is an advance for step.c, or
 * behind it: a duplicate if its bit is set, else late. A bitmap has the NUMBERING_WINDOW numbers up to the
 * highest; a word of it is cleared when the numbers reach it, so that a new stream clears one word and not
 * all.
 */

#include "packet/numbering.h"

#include <string.h>

#include "common/util.h"

/* A number lower than the first one is late if it is this close, else it is another ping's. */
#define BEFORE_MAX 16

/* A ping begins again near its first number; this many numbers ahead of the highest, it has wrapped. */
#define JUMP_MIN 64

/* Copies that a network makes of a packet are closer than this. */
#define COPY_USEC 100000

static uint16_t read_number(const struct numbering *numbering, uint16_t number)
{
        return numbering->host_order ? __builtin_bswap16(number) : number;
}

static uint64_t *word_of(const struct numbering *numbering, int64_t number)
{
        return &numbering->seen[(uint64_t) number / 64 % NUMBERING_WORDS];
}

static uint64_t bit_of(int64_t number)
{
        return UINT64_C(1) << ((uint64_t) number % 64);
}

static void mark(const struct numbering *numbering, int64_t number)
{
        *word_of(numbering, number) |= bit_of(number);
}

static bool is_marked(const struct numbering *numbering, int64_t number)
{
        return *word_of(numbering, number) & bit_of(number);
}

/* Clears the words of all numbers above one, up to another. Numbers may be negative, and are above -2^16. */
static void clear_words(const struct numbering *numbering, int64_t above, int64_t to)
{
        uint64_t word = ((uint64_t) above + UINT16_MAX + 1) / 64, end = ((uint64_t) to + UINT16_MAX + 1) / 64;

        if (end - word >= NUMBERING_WORDS) {
                memset(numbering->seen, 0, NUMBERING_WORDS * sizeof(*numbering->seen));
                return;
        }

        while (word < end)
                numbering->seen[++word % NUMBERING_WORDS] = 0;
}

static uint32_t step_of(const struct numbering *numbering)
{
        uint32_t step = numbering->settled ? numbering->pattern.step : 0;

        for (unsigned i = 0; !numbering->settled && i < numbering->n_advances; i++)
                if (step == 0 ||
                    (numbering->advances[i].numbers > 0 && numbering->advances[i].numbers < step))
                        step = numbering->advances[i].numbers;

        return step > 0 ? step : 1;
}

static void begin_at(struct numbering *numbering, int64_t number)
{
        numbering->first = numbering->last = number;
        *word_of(numbering, number) = bit_of(number);
}

/**
 * numbering_start() - begin a stream of sequence numbers
 * @numbering: the stream
 * @seen: NUMBERING_WORDS words of memory, which need not be cleared
 * @now: the time in microseconds
 * @number: the first sequence number, as the packet has it, in host byte order
 */
void numbering_start(struct numbering *numbering, uint64_t *seen, uint64_t now, uint16_t number)
{
        memset(numbering, 0, offsetof(struct numbering, advances));
        numbering->seen = seen;
        numbering->latest_filled = -1;
        numbering->last_time = now;
        begin_at(numbering, number);
}

/**
 * numbering_set_order() - count in the other byte order from the first number on
 * @numbering: the stream, of which all advances are still collected, and already in that order
 * @host_order: whether it is the client's host byte order
 *
 * Without a bitmap, as in a copy, there is none to correct.
 */
void numbering_set_order(struct numbering *numbering, bool host_order)
{
        int64_t number = __builtin_bswap16((uint16_t) numbering->first);

        numbering->host_order = host_order;
        numbering->first = numbering->last = number;
        if (numbering->seen)
                begin_at(numbering, number);

        for (unsigned i = 0; i < numbering->n_advances; i++) {
                number += numbering->advances[i].numbers;
                if (numbering->seen) {
                        clear_words(numbering, numbering->last, number);
                        mark(numbering, number);
                }
                numbering->last = number;
        }
}

/* The order in which two numbers are closer; of equal ones, network order. */
static void decide_order(struct numbering *numbering, uint16_t number)
{
        uint16_t first = (uint16_t) numbering->first;
        int network = (int16_t) (uint16_t) (number - first);
        int host = (int16_t) (uint16_t) (__builtin_bswap16(number) - __builtin_bswap16(first));

        if (network == 0)
                return;

        numbering->has_order = true;
        if ((host < 0 ? -host : host) < (network < 0 ? -network : network)) {
                numbering->host_order = true;
                begin_at(numbering, __builtin_bswap16(first));
        }
}

/**
 * numbering_distance() - how far a number is from the highest one
 * @numbering: the stream
 * @number: the number, as the packet has it
 *
 * Return: how many numbers it is ahead, 0 for the highest one itself, or a negative number.
 */
int64_t numbering_distance(const struct numbering *numbering, uint16_t number)
{
        uint16_t ahead = (uint16_t) (read_number(numbering, number) - (uint16_t) numbering->last);

        /* The word of the highest number is that of the oldest ones in the window, too. */
        return ahead <= UINT16_MAX - (NUMBERING_WINDOW - 64) ? ahead : ahead - (UINT16_MAX + 1);
}

static uint32_t elapsed(uint64_t since, uint64_t now)
{
        uint64_t usec = now > since ? now - since : 0;

        return usec < ADVANCE_UNTIMED ? (uint32_t) usec : ADVANCE_UNTIMED - 1;
}

static void add_advance(struct numbering *numbering, uint32_t numbers, uint32_t usec)
{
        struct advance advance = { numbers, usec };

        if (numbering->settled) {
                numbering_account(numbering, &advance);
                return;
        }

        numbering->advances[numbering->n_advances++] = advance;
        if (numbering->n_advances == NUMBERING_ADVANCES)
                numbering_learn(numbering);
}

static void add_ahead(struct numbering *numbering, uint64_t now, int64_t distance)
{
        int64_t number = numbering->last + distance;
        uint32_t usec = elapsed(numbering->last_time, now);

        clear_words(numbering, numbering->last, number);
        mark(numbering, number);
        numbering->last = number;
        add_advance(numbering, (uint32_t) distance, usec);
        if (now > numbering->last_time)
                numbering->last_time = now;
        numbering->rerun.is_interleaved = true;
}

/**
 * numbering_account_next() - count an advance by one step
 * @numbering: the stream of numbers, whose pattern is known
 * @usec: what it took in microseconds
 *
 * The time of a step follows that of the client; a delay, and what comes early behind it, hardly moves it.
 */
void numbering_account_next(struct numbering *numbering, uint64_t usec)
{
        int64_t unit = (int64_t) numbering->pattern.usec, off = (int64_t) usec - unit, late;

        numbering->regular++;
        numbering->steps++;
        if (off <= unit / 4 && off >= -unit / 4) {
                numbering->pattern.usec = (uint64_t) (unit + off / 8);
                numbering->late -= numbering->late / 16;
                return;
        }

        late = off + (int64_t) numbering->late;
        numbering->late = late > 0 ? (uint64_t) late : 0;
        numbering->pattern.usec = (uint64_t) (off > 0 ? unit + unit / 128 + 1 : unit - unit / 128);
}

/* The next number, as mostly. */
static void add_next(struct numbering *numbering, uint64_t now)
{
        uint32_t step = numbering->pattern.step;
        int64_t number = numbering->last + step;

        if (step > 64)
                clear_words(numbering, numbering->last, number);
        else if ((uint64_t) number % 64 < step)
                *word_of(numbering, number) = 0;

        mark(numbering, number);
        numbering->last = number;
        numbering->rerun.is_interleaved = true;
        numbering_account_next(numbering, elapsed(numbering->last_time, now));
        if (now > numbering->last_time)
                numbering->last_time = now;
}

/* Whether it is one of the first numbers of a ping that begins with the same one, and may have lost some. */
static bool is_near_first(const struct numbering *numbering, int64_t number)
{
        uint16_t numbers = (uint16_t) (number - numbering->first);
        uint32_t step = step_of(numbering);

        return numbers % step == 0 && numbers / step <= 2;
}

/* Whether a request that repeats a number can be the first one of another ping. */
static bool may_begin(const struct numbering *numbering, uint64_t now, int64_t number)
{
        int64_t behind = numbering->last - number;
        uint32_t step = step_of(numbering);

        if (number < numbering->first)
                return true;
        if (!is_near_first(numbering, number))
                return false;

        return behind >= 2 * (int64_t) step || (behind > 0 && elapsed(numbering->last_time, now) > COPY_USEC);
}

/* Another ping that begins after the end of this one, at its first number and with its own time between. */
static bool is_rerun_of_two(const struct numbering *numbering)
{
        const struct rerun *rerun = &numbering->rerun;

        return rerun->count == 2 && rerun->duplicates == 2 && !rerun->is_interleaved &&
               read_number(numbering, rerun->numbers[0]) == (uint16_t) numbering->first &&
               rerun->latest == numbering->last && rerun->times[1] > rerun->times[0] + COPY_USEC;
}

/* Counts a request that repeats a number, or comes from before the first. Returns whether it is another
 * ping's. */
static bool add_to_rerun(struct numbering *numbering, uint64_t now, uint16_t raw, int64_t number,
                         bool duplicate)
{
        struct rerun *rerun = &numbering->rerun;
        bool follows = rerun->count > 0 && rerun->count < NUMBERING_RERUN && number > rerun->latest &&
                       number <= rerun->latest + BEFORE_MAX * (int64_t) step_of(numbering);

        /* A copy, or one that is late. */
        if (rerun->count > 0 && !follows && number >= rerun->oldest && number <= rerun->latest) {
                rerun->is_incomplete = true;
                return false;
        }

        if (!follows) {
                rerun->oldest = number;
                rerun->count = rerun->duplicates = rerun->reordered = 0;
                rerun->is_interleaved = rerun->is_incomplete = false;
                if (!may_begin(numbering, now, number))
                        return false;
        }

        rerun->numbers[rerun->count] = raw;
        rerun->times[rerun->count++] = now;
        rerun->latest = number;
        rerun->duplicates += duplicate;
        rerun->reordered += !duplicate;
        return rerun->count == NUMBERING_RERUN || is_rerun_of_two(numbering);
}

static enum numbering_result end_rerun(struct numbering *numbering)
{
        /* The latest one is not counted yet. */
        numbering->duplicates -= numbering->rerun.duplicates;
        numbering->reordered -= numbering->rerun.reordered;
        return NUMBERING_ANOTHER;
}

static enum numbering_result add_before(struct numbering *numbering, uint64_t now, uint16_t raw,
                                        int64_t number)
{
        uint32_t numbers = (uint32_t) (numbering->first - number);

        numbering->reordered++;
        if (numbers > BEFORE_MAX * step_of(numbering))
                return add_to_rerun(numbering, now, raw, number, false) ? end_rerun(numbering)
                                                                        : NUMBERING_SAME;

        clear_words(numbering, number - 64, numbering->first - 64);
        mark(numbering, number);
        numbering->first = number;
        add_advance(numbering, numbers, ADVANCE_UNTIMED);
        return NUMBERING_SAME;
}

static enum numbering_result add_behind(struct numbering *numbering, uint64_t now, uint16_t raw,
                                        int64_t number)
{
        uint32_t usec = elapsed(numbering->last_time, now);

        if (number < numbering->first)
                return add_before(numbering, now, raw, number);

        if (!is_marked(numbering, number)) {
                mark(numbering, number);
                numbering->latest_filled = number;
                numbering->filled++;
                numbering->reordered++;
                return NUMBERING_SAME;
        }

        numbering->duplicates++;
        if (number != numbering->latest_filled && add_to_rerun(numbering, now, raw, number, true))
                return end_rerun(numbering);
        if (number == numbering->last && usec > 2000)
                add_advance(numbering, 0, usec);
        return NUMBERING_SAME;
}

/* Not inlined: numbering_add() has fewer registers to save for the next number. */
__attribute__((__noinline__)) static enum numbering_result add_other(struct numbering *numbering, uint64_t now,
                                                                     uint16_t number)
{
        int64_t distance;

        if (!numbering->has_order)
                decide_order(numbering, number);

        distance = numbering_distance(numbering, number);
        if (distance <= 0)
                return add_behind(numbering, now, number, numbering->last + distance);

        if (distance > JUMP_MIN * (int64_t) step_of(numbering) && numbering->settled &&
            is_near_first(numbering, numbering->last + distance)) {
                numbering->rerun = (struct rerun) { .numbers = { number }, .times = { now }, .count = 1 };
                return NUMBERING_ANOTHER;
        }

        add_ahead(numbering, now, distance);
        return NUMBERING_SAME;
}

/**
 * numbering_add() - count a sequence number
 * @numbering: the stream
 * @now: the time in microseconds
 * @number: the number, as the packet has it, in host byte order
 *
 * Return: NUMBERING_SAME, or NUMBERING_ANOTHER if the number is that of another ping, as are those that
 * struct rerun has; none of them counts here any longer.
 */
enum numbering_result numbering_add(struct numbering *numbering, uint64_t now, uint16_t number)
{
        if (!numbering->settled ||
            read_number(numbering, number) != (uint16_t) (numbering->last + numbering->pattern.step))
                return add_other(numbering, now, number);

        add_next(numbering, now);
        return NUMBERING_SAME;
}

/**
 * numbering_fit() - find out how well a number continues a stream
 * @numbering: the stream
 * @number: the number, as the packet has it
 *
 * Return: less is better: the next number, one that is missing, one that is ahead or was seen, by their
 * distance.
 */
int64_t numbering_fit(const struct numbering *numbering, uint16_t number)
{
        int64_t ahead = numbering_distance(numbering, number);

        if (ahead > 0)
                return ahead == step_of(numbering) ? 0 : 2 * ahead + 1;
        if (numbering->last + ahead >= numbering->first && !is_marked(numbering, numbering->last + ahead))
                return 1;

        return -2 * ahead + 1;
}

/**
 * numbering_resume() - begin to count again after a pause, with what was learned
 * @numbering: the stream
 * @now: the time in microseconds
 * @number: the number of the first request, which is ahead of the highest one
 */
void numbering_resume(struct numbering *numbering, uint64_t now, uint16_t number)
{
        int64_t resumed = numbering->last + numbering_distance(numbering, number);
        struct numbering fresh = {
                .seen = numbering->seen,
                .first = resumed,
                .last = resumed,
                .latest_filled = -1,
                .last_time = now,
                .pattern = numbering->pattern,
                .has_order = numbering->has_order,
                .host_order = numbering->host_order,
                .settled = numbering->settled,
        };

        clear_words(numbering, numbering->last, resumed);
        *numbering = fresh;
        mark(numbering, resumed);
}
