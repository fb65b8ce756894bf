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
 * sample_sessions() - two sessions: of one all is known, of the other little
 * @interface: of the instance
 */
struct sessions sample_sessions(const char *interface)
{
        struct sessions sessions = {
                .recording = "yes",
                .addresses = "yes",
                .open = 2,
                .n = 2,
                .rows = {
                        {
                                .source = "198.18.0.1",
                                .destination = "198.18.0.2",
                                .identifier = 4711,
                                .requests = 90,
                                .missing = 10,
                                .step = 1,
                                .duplicates = 1,
                                .hop_limit_min = 63,
                                .hop_limit_max = 64,
                                .length_min = 84,
                                .length_max = 84,
                                .idle_usec = 1500000,
                                .type = PROTOCOL_NONE,
                                .code = PROTOCOL_NONE,
                                .path_mtu = PROTOCOL_NONE,
                        },
                        {
                                .source = "2001:db8::7",
                                .destination = "2001:2::2",
                                .identifier = 1,
                                .requests = 8,
                                .missing = PROTOCOL_NONE,
                                .unknown = "every-nth",
                                .step = 2,
                                .hop_limit_min = 64,
                                .hop_limit_max = 64,
                                .length_min = 104,
                                .length_max = 1500,
                                .idle_usec = 9000000,
                                .refused = 2,
                                .reporter = "2001:db8::9",
                                .reason = "packet too big",
                                .type = 2,
                                .path_mtu = 1280,
                        },
                },
        };

        (void) snprintf(sessions.interface, sizeof(sessions.interface), "%s", interface);
        return sessions;
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
