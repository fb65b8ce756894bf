/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/**
 * sample_snapshot() - an instance that answers
 * @interface: its name
 *
 * Every verdict was counted, each another number of times.
 */
struct snapshot sample_snapshot(const char *interface)
{
        struct snapshot snapshot = {
                .state = "running",
                .version = "0.1.0",
                .engine = "io_uring",
                .peers = { "198.18.0.2", "2001:2::2" },
                .pid = 4711,
                .mtu = 1500,
                .uptime_usec = 192123456,
                .sessions = 3,
                .counters = { .unsent = 0 },
        };

        (void) snprintf(snapshot.interface, sizeof(snapshot.interface), "%s", interface);
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                snapshot.counters.verdicts[v] = 1000 - 10 * (uint64_t) v;
        snapshot.packets = counters_packets(&snapshot.counters);
        snapshot.replies = counters_replies(&snapshot.counters);
        snapshot.dropped = snapshot.packets - snapshot.replies;
        return snapshot;
}

/**
 * sample_silence() - an instance that does not answer
 * @interface: its name
 * @error: the reason
 */
struct snapshot sample_silence(const char *interface, int error)
{
        struct snapshot snapshot = { .error = error };

        (void) snprintf(snapshot.interface, sizeof(snapshot.interface), "%s", interface);
        return snapshot;
}

/**
 * sample_text() - what the instance of a snapshot sends
 * @text: room for it
 * @snapshot: the snapshot
 */
void sample_text(char text[static SNAPSHOT_TEXT_MAX], const struct snapshot *snapshot)
{
        FILE *file = fmemopen(text, SNAPSHOT_TEXT_MAX, "w");

        if (!file)
                return;

        fprintf(file, "TUNECHO_INTERFACE=%s\nTUNECHO_VERSION=%s\nTUNECHO_PID=%" PRIu64 "\nTUNECHO_STATE=%s\n",
                snapshot->interface, snapshot->version, snapshot->pid, snapshot->state);
        for (size_t i = 0; i < SNAPSHOT_MAX_PEERS && snapshot->peers[i][0] != '\0'; i++)
                fprintf(file, "TUNECHO_PING=%s\n", snapshot->peers[i]);
        fprintf(file, "TUNECHO_MTU=%" PRIu64 "\nTUNECHO_ENGINE=%s\nTUNECHO_UPTIME_USEC=%" PRIu64 "\n",
                snapshot->mtu, snapshot->engine, snapshot->uptime_usec);
        fprintf(file, "TUNECHO_SESSIONS=%" PRIu64 "\nTUNECHO_PACKETS=%" PRIu64 "\n", snapshot->sessions,
                snapshot->packets);
        fprintf(file, "TUNECHO_REPLIES=%" PRIu64 "\nTUNECHO_DROPPED=%" PRIu64 "\n", snapshot->replies,
                snapshot->dropped);
        fprintf(file, "TUNECHO_UNSENT=%" PRIu64 "\n", snapshot->counters.unsent);
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                fprintf(file, "%s=%" PRIu64 "\n", verdict_field(v), snapshot->counters.verdicts[v]);
        fclose(file);
}
