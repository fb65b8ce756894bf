/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What became of an instance from one look at it to the next.
 *
 * Nothing here reads a clock: the time between two answers is what the instance says has passed, so that a
 * look that comes late shows the right rate nevertheless.
 */

#include "client/history.h"

#include <math.h>
#include <string.h>

#include "common/util.h"

static const struct {
        const char *name;
        size_t offset; /* within struct snapshot */
} sums[] = {
        [TALLY_PACKETS] = { "packets", offsetof(struct snapshot, packets) },
        [TALLY_REPLIES] = { "replies", offsetof(struct snapshot, replies) },
        [TALLY_UNSENT] = { "unsent", offsetof(struct snapshot, counters.unsent) },
        [TALLY_DROPPED] = { "dropped", offsetof(struct snapshot, dropped) },
};

_Static_assert(ARRAY_SIZE(sums) == TALLY_VERDICTS, "every sum needs its name");

/**
 * tally_of() - one of an instance's counters
 * @snapshot: the instance's answer
 * @tally: which
 */
uint64_t tally_of(const struct snapshot *snapshot, enum tally tally)
{
        if (tally >= TALLY_VERDICTS)
                return snapshot->counters.verdicts[tally - TALLY_VERDICTS];

        return snapshot_number(snapshot, sums[tally].offset);
}

/**
 * tally_name() - name a counter
 * @tally: which
 */
const char *tally_name(enum tally tally)
{
        return tally < TALLY_VERDICTS ? sums[tally].name : verdict_name(tally - TALLY_VERDICTS);
}

static void remember(struct history *history, double packets)
{
        if (history->n_packets == HISTORY_MAX)
                memmove(history->packets, history->packets + 1,
                        --history->n_packets * sizeof(history->packets[0]));

        history->packets[history->n_packets++] = packets;
}

static void forget_rates(struct history *history)
{
        for (enum tally t = 0; t < _TALLY_MAX; t++)
                history->per_second[t] = NAN;
}

/* What a restarted instance has counted, it has counted since. */
static void compare(struct history *history, const struct snapshot *before, const struct snapshot *now)
{
        double seconds = (double) (now->uptime_usec - before->uptime_usec) / 1e6;

        for (enum tally t = 0; t < _TALLY_MAX; t++) {
                uint64_t more = tally_of(now, t) - tally_of(before, t);

                history->change[t] += more;
                history->per_second[t] = seconds > 0 ? (double) more / seconds : NAN;
        }
}

static bool has_restarted(const struct snapshot *before, const struct snapshot *now)
{
        return now->pid != before->pid || now->uptime_usec < before->uptime_usec ||
               now->packets < before->packets;
}

/**
 * history_add() - take another look at an instance
 * @history: all zero before the first look
 * @snapshot: its answer, or why there is none
 */
void history_add(struct history *history, const struct snapshot *snapshot)
{
        static const struct snapshot nothing;
        bool looked_before = history->now.interface[0] != '\0';

        history->now = *snapshot;
        forget_rates(history);

        if (snapshot->error == 0 && history->answered) {
                bool restarted = has_restarted(&history->last, snapshot);

                history->restarts += restarted;
                compare(history, restarted ? &nothing : &history->last, snapshot);
        }
        if (snapshot->error == 0) {
                history->last = *snapshot;
                history->answered = true;
        }

        /* The first look knows of no rate. */
        if (looked_before)
                remember(history, history->per_second[TALLY_PACKETS]);
}
