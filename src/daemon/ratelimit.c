/* SPDX-License-Identifier: GPL-2.0-or-later */

/* How many entries of one kind the journal gets. */

#include "daemon/ratelimit.h"

/**
 * ratelimit_next() - return when the next event is allowed
 * @limit: the limit; interval and burst are set, the rest is zero to begin with
 *
 * Return: the time in microseconds; 0 if it is allowed at once.
 */
uint64_t ratelimit_next(const struct ratelimit *limit)
{
        return limit->n < limit->burst ? 0 : limit->events[limit->oldest] + limit->interval;
}

/**
 * ratelimit_check() - ask for an event
 * @limit: the limit
 * @now: the time in microseconds of a clock that does not go back
 *
 * Return: whether it is allowed; then it counts.
 */
bool ratelimit_check(struct ratelimit *limit, uint64_t now)
{
        if (now < ratelimit_next(limit))
                return false;

        limit->events[limit->oldest] = now;
        limit->oldest = (limit->oldest + 1) % limit->burst;
        if (limit->n < limit->burst)
                limit->n++;
        return true;
}
