/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The step of a client: by how much its sequence numbers advance from one request to the next, and how long
 * that takes.
 *
 * Few clients advance by one for each request here. fping(8), mtr(8) and the hosts that have one counter for
 * all pings use some of the numbers elsewhere. So a number that is skipped is missing only if
 *      - it is a multiple of the step, which is the advance that most of them share, and
 *      - the client took the time for it that one step takes.
 *
 * Advances are collected until there are NUMBERING_ADVANCES of them, then the pattern is settled, and each
 * further one is accounted at once. Too many that do not fit make it be learned again.
 */

#include "packet/numbering.h"

#include <string.h>

#include "common/util.h"

/* Timestamps are not better than this: a batch of packets may have one. */
#define RESOLUTION_USEC 2000

/* So many that do not fit, and the pattern is learned again. */
#define IRREGULAR_MAX 8

/* More numbers than this at once are not counted as missing: they may have wrapped, or belong to another
 * ping. */
#define BELIEVED_MAX (NUMBERING_WINDOW / 2)

/* So many advances by one step, and it is the client's: even if half of the requests are lost, there are as
 * many. */
#define MANY 3

static bool is_timed(const struct advance *advance)
{
        return advance->numbers > 0 && advance->usec != ADVANCE_UNTIMED;
}

static unsigned count_of(const struct advance *advances, unsigned n, uint32_t numbers)
{
        unsigned count = 0;

        for (unsigned i = 0; i < n; i++)
                count += is_timed(&advances[i]) && advances[i].numbers == numbers;

        return count;
}

/* The lower quartile of what an advance by so many numbers took: bursts make it short, stalls do not. */
static uint64_t usec_of(const struct advance *advances, unsigned n, uint32_t numbers)
{
        uint32_t sorted[NUMBERING_ADVANCES];
        unsigned count = 0;

        for (unsigned i = 0; i < n; i++) {
                unsigned at = count;

                if (!is_timed(&advances[i]) || advances[i].numbers != numbers)
                        continue;
                for (; at > 0 && sorted[at - 1] > advances[i].usec; at--)
                        sorted[at] = sorted[at - 1];
                sorted[at] = advances[i].usec;
                count++;
        }

        return count > 0 ? sorted[count / 4] : 0;
}

/* Whether all advances are multiples of the pattern's, and took the time of as many. */
static bool is_proportional(const struct advance *advances, unsigned n, const struct pattern *pattern)
{
        for (unsigned i = 0; i < n; i++) {
                uint64_t expected = advances[i].numbers / pattern->step * pattern->usec;
                uint64_t usec = advances[i].usec;
                uint64_t off = usec > expected ? usec - expected : expected - usec;

                if (!is_timed(&advances[i]))
                        continue;
                if (advances[i].numbers % pattern->step != 0 ||
                    off > RESOLUTION_USEC + pattern->usec * 3 / 10 + expected / 20)
                        return false;
        }

        return true;
}

/* The smallest advance that there is at least so many times, or 0. */
static uint32_t smallest(const struct advance *advances, unsigned n, unsigned times)
{
        uint32_t step = 0;

        for (unsigned i = 0; i < n; i++)
                if (is_timed(&advances[i]) && (step == 0 || advances[i].numbers < step) &&
                    count_of(advances, n, advances[i].numbers) >= times)
                        step = advances[i].numbers;

        return step;
}

/**
 * pattern_find() - find the step of a client
 * @advances: the advances
 * @n: their number, at most NUMBERING_ADVANCES
 *
 * It is the smallest advance if all others are multiples of it, in time, too; else the smallest one of which
 * there are many, as losses make longer ones; else the one that is in the majority.
 *
 * Return: the pattern; its step is 0 if there is none.
 */
struct pattern pattern_find(const struct advance *advances, unsigned n)
{
        struct pattern pattern = { .step = smallest(advances, n, 1) };
        unsigned timed = 0;

        if (pattern.step == 0)
                return pattern;

        pattern.usec = usec_of(advances, n, pattern.step);
        if (is_proportional(advances, n, &pattern))
                return pattern;

        for (unsigned i = 0; i < n; i++)
                timed += is_timed(&advances[i]);

        pattern.step = smallest(advances, n, MANY);
        if (pattern.step == 0)
                pattern.step = smallest(advances, n, timed / 2 + 1);

        pattern.usec = usec_of(advances, n, pattern.step);
        return pattern;
}

static bool is_on_time(uint64_t usec, uint64_t needed, uint64_t unit)
{
        return usec + unit / 4 >= needed && usec <= needed + unit / 4;
}

/*
 * For how many steps there was time, at most as many. What comes late, as after a stall, leaves time for the
 * next; that is used up by what comes early, and decays with what is on time.
 */
static uint64_t steps_in_time(struct numbering *numbering, uint64_t usec, uint64_t steps)
{
        uint64_t unit = numbering->pattern.usec, needed = steps * unit, available = usec + numbering->late;
        uint64_t tolerance = RESOLUTION_USEC + unit * 3 / 10 + needed / 40;

        if (is_on_time(usec, needed, unit))
                numbering->late -= numbering->late / 16;
        else
                numbering->late = available > needed ? available - needed : 0;
        if (available + tolerance >= needed)
                return steps;

        return (available + tolerance) / unit > 1 ? (available + tolerance) / unit : 1;
}

static void account_irregular(struct numbering *numbering, uint64_t skipped)
{
        numbering->irregular++;
        numbering->slips += skipped;
        numbering->late = 0;
        if (++numbering->n_irregular == IRREGULAR_MAX)
                numbering->settled = false;
}

/**
 * numbering_account() - count an advance whose pattern is known
 * @numbering: the stream of numbers
 * @advance: the advance
 */
void numbering_account(struct numbering *numbering, const struct advance *advance)
{
        const struct pattern *pattern = &numbering->pattern;
        uint64_t steps, timed;

        if (advance->numbers == pattern->step && advance->usec != ADVANCE_UNTIMED) {
                numbering_account_next(numbering, advance->usec);
                return;
        }
        if (advance->numbers == 0) {
                /* nping(1) skips a number, and repeats its last one. */
                if (numbering->slips > 0 && numbering->duplicates > 0 && pattern->usec > RESOLUTION_USEC &&
                    advance->usec >= pattern->usec / 4 * 3) {
                        numbering->slips--;
                        numbering->duplicates--;
                }
                return;
        }

        steps = timed = advance->numbers / pattern->step;
        numbering->jumped = numbering->jumped || advance->numbers > BELIEVED_MAX;
        if (advance->numbers % pattern->step != 0 || advance->numbers > BELIEVED_MAX) {
                account_irregular(numbering, steps);
                return;
        }
        if (advance->usec != ADVANCE_UNTIMED)
                timed = steps_in_time(numbering, advance->usec, steps);
        numbering->missing += timed - 1;
        if (timed < steps) {
                account_irregular(numbering, steps - timed);
                return;
        }
        numbering->regular++;
        numbering->steps += steps;
}

/* A client that seemed to take longer steps, as each second request was lost for a while. */
static void correct_steps(struct numbering *numbering, const struct pattern *old)
{
        const struct pattern *new = &numbering->pattern;
        uint64_t ratio = old->step / new->step, usec = ratio *new->usec;

        if (ratio > 1 && old->step % new->step == 0 && old->usec > usec / 4 * 3 && old->usec < usec / 4 * 5)
                numbering->missing += numbering->steps * (ratio - 1);
        if (old->step != new->step)
                numbering->steps = 0;
}

/* Reads advances as if the client counted in the other byte order. Returns whether they are advances then. */
static bool swap_order(const struct numbering *numbering, struct advance *ret_advances)
{
        uint16_t number = (uint16_t) numbering->first;

        for (unsigned i = 0; i < numbering->n_advances; i++) {
                const struct advance *advance = &numbering->advances[i];
                uint16_t next = (uint16_t) (number + advance->numbers);
                int16_t numbers = (int16_t) (uint16_t) (__builtin_bswap16(next) - __builtin_bswap16(number));

                if (numbers < 0 || advance->usec == ADVANCE_UNTIMED)
                        return false;

                ret_advances[i] = (struct advance) { (uint32_t) numbers, advance->usec };
                number = next;
        }

        return true;
}

/* The first two numbers decide on the byte order; a step of 256 says that they were misleading. */
static void correct_order(struct numbering *numbering)
{
        struct advance swapped[NUMBERING_ADVANCES] = { 0 };
        struct pattern pattern;

        if (numbering->regular + numbering->irregular > 0 || numbering->n_advances < 2 ||
            !swap_order(numbering, swapped))
                return;

        pattern = pattern_find(swapped, numbering->n_advances);
        if (pattern.step == 0 || pattern.step >= numbering->pattern.step)
                return;

        memcpy(numbering->advances, swapped, sizeof(swapped));
        numbering->pattern = pattern;
        numbering_set_order(numbering, !numbering->host_order);
}

/**
 * numbering_learn() - learn the pattern from the advances that were collected, and count them
 * @numbering: the stream of numbers
 */
void numbering_learn(struct numbering *numbering)
{
        struct pattern old = numbering->pattern;
        struct pattern new = pattern_find(numbering->advances, numbering->n_advances);

        if (new.step == 0) {
                for (unsigned i = 0; i < numbering->n_advances; i++)
                        numbering->irregular += numbering->advances[i].numbers > 0;
                numbering->n_advances = 0;
                return;
        }

        numbering->pattern = new;
        if (new.step % 256 == 0)
                correct_order(numbering);
        if (old.step > 0)
                correct_steps(numbering, &old);

        numbering->settled = true;
        numbering->n_irregular = 0;
        numbering->late = 0;
        for (unsigned i = 0; i < numbering->n_advances; i++)
                numbering_account(numbering, &numbering->advances[i]);
        numbering->n_advances = 0;
}
