/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The counters of an instance from one refresh to the next.
 *
 * Nothing here reads a clock: the time between two answers is the difference of the uptimes in them, so the
 * rates are right even if a refresh is late.
 */

#include "client/history.h"

#include <math.h>
#include <string.h>

#include "common/util.h"

static const struct {
        const char *name;
        size_t offset; /* within struct status */
} sums[] = {
        [COUNTER_PACKETS] = { "packets", offsetof(struct status, packets) },
        [COUNTER_REPLIES] = { "replies", offsetof(struct status, replies) },
        [COUNTER_UNSENT] = { "unsent", offsetof(struct status, counters.unsent) },
        [COUNTER_DROPPED] = { "dropped", offsetof(struct status, dropped) },
};

_Static_assert(ARRAY_SIZE(sums) == COUNTER_VERDICTS, "every sum needs its name");

/**
 * counter_get() - get a counter of an instance
 * @status: the status of the instance
 * @counter: which
 */
uint64_t counter_get(const struct status *status, enum counter counter)
{
        if (counter >= COUNTER_VERDICTS)
                return status->counters.verdicts[counter - COUNTER_VERDICTS];

        return protocol_get_number(status, sums[counter].offset);
}

/**
 * counter_name() - name a counter
 * @counter: which
 */
const char *counter_name(enum counter counter)
{
        return counter < COUNTER_VERDICTS ? sums[counter].name : verdict_name(counter - COUNTER_VERDICTS);
}

static void push_packets(struct history *history, double per_second)
{
        if (history->n_packets == HISTORY_MAX)
                memmove(history->packets, history->packets + 1,
                        --history->n_packets * sizeof(history->packets[0]));

        history->packets[history->n_packets++] = per_second;
}

static bool has_restarted(const struct status *before, const struct status *now)
{
        return now->pid != before->pid || now->uptime_usec < before->uptime_usec ||
               now->packets < before->packets;
}

/* The counters of an instance that was restarted have begun at 0. */
static void update_rates(struct history *history, const struct status *now)
{
        static const struct status zero;
        bool restarted = has_restarted(&history->last, now);
        const struct status *before = restarted ? &zero : &history->last;
        double seconds = (double) (now->uptime_usec - before->uptime_usec) / 1e6;

        history->restarts += restarted;
        for (enum counter c = 0; c < _COUNTER_MAX; c++) {
                uint64_t more = counter_get(now, c) - counter_get(before, c);

                history->change[c] += more;
                history->per_second[c] = seconds > 0 ? (double) more / seconds : NAN;
        }
}

/**
 * history_add() - add a snapshot of the instance
 * @history: all zero before the first one
 * @snapshot: the snapshot
 */
void history_add(struct history *history, const struct snapshot *snapshot)
{
        bool is_first = history->now.status.interface[0] == '\0';

        for (enum counter c = 0; c < _COUNTER_MAX; c++)
                history->per_second[c] = NAN;

        history->now = *snapshot;
        if (snapshot->error == 0) {
                if (history->answered)
                        update_rates(history, &snapshot->status);
                history->last = snapshot->status;
                history->answered = true;
        }

        if (!is_first)
                push_packets(history, history->per_second[COUNTER_PACKETS]);
}
