/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "samples.h"

#include <stdio.h>

/**
 * sample_snapshot() - an instance that answers
 * @interface: its name
 *
 * Each verdict has another count.
 */
struct snapshot sample_snapshot(const char *interface)
{
        struct status status = {
                .state = "running",
                .version = "0.1.0",
                .engine = "io_uring",
                .ping = { "198.18.0.2", "2001:2::2" },
                .pid = 4711,
                .mtu = 1500,
                .uptime_usec = 192123456,
                .sessions = 3,
                .sessions_opened = 300,
                .sessions_evicted = 30,
                .refused = 13,
        };

        (void) snprintf(status.interface, sizeof(status.interface), "%s", interface);
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                status.counters.verdicts[v] = 1000 - 10 * (uint64_t) v;
        status.packets = counters_packets(&status.counters);
        status.replies = counters_replies(&status.counters);
        status.dropped = status.packets - status.replies;
        return (struct snapshot) { .status = status };
}

/**
 * sample_silence() - an instance that does not answer
 * @interface: its name
 * @error: the reason
 */
struct snapshot sample_silence(const char *interface, int error)
{
        struct snapshot snapshot = { .error = error };

        (void) snprintf(snapshot.status.interface, sizeof(snapshot.status.interface), "%s", interface);
        return snapshot;
}
