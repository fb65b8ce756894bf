/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Sums and text of the packet counters. */

#include "tunecho/counters.h"

#include <inttypes.h>
#include <stdio.h>

/**
 * counters_packets() - sum up the packets read
 * @counters: the counters
 */
uint64_t counters_packets(const struct counters *counters)
{
        uint64_t packets = 0;

        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                packets += counters->verdicts[v];

        return packets;
}

/**
 * counters_replies() - sum up the packets that have a reply
 * @counters: the counters
 */
uint64_t counters_replies(const struct counters *counters)
{
        uint64_t replies = 0;

        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                if (verdict_is_reply(v))
                        replies += counters->verdicts[v];

        return replies;
}

/**
 * counters_drops_text() - format the counters of dropped packets
 * @text: buffer for the text
 * @counters: the counters
 * @separator: text between two verdicts, one or two characters
 *
 * Return: @text, such as "2 not-echo, 1 malformed"; empty if no packet was dropped.
 */
const char *counters_drops_text(char text[static COUNTERS_TEXT_SIZE], const struct counters *counters,
                                const char *separator)
{
        int size = 0;

        text[0] = '\0';
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                if (!verdict_is_reply(v) && counters->verdicts[v] > 0)
                        size += snprintf(text + size, COUNTERS_TEXT_SIZE - (size_t) size, "%s%" PRIu64 " %s",
                                         size > 0 ? separator : "", counters->verdicts[v], verdict_name(v));

        return text;
}

/**
 * counters_text() - format the totals
 * @text: buffer for the text
 * @counters: the counters
 *
 * Return: @text, such as "12 packets, 10 replies, 2 dropped (2 not-echo)".
 */
const char *counters_text(char text[static COUNTERS_TEXT_SIZE], const struct counters *counters)
{
        uint64_t packets = counters_packets(counters), replies = counters_replies(counters);
        char drops[COUNTERS_TEXT_SIZE];
        int size;

        size = snprintf(text, COUNTERS_TEXT_SIZE, "%" PRIu64 " packets, %" PRIu64 " replies", packets,
                        replies);
        if (counters->unsent > 0)
                size += snprintf(text + size, COUNTERS_TEXT_SIZE - (size_t) size,
                                 " (%" PRIu64 " refused by the device)", counters->unsent);

        size += snprintf(text + size, COUNTERS_TEXT_SIZE - (size_t) size, ", %" PRIu64 " dropped",
                         packets - replies);
        if (packets > replies)
                (void) snprintf(text + size, COUNTERS_TEXT_SIZE - (size_t) size, " (%s)",
                                counters_drops_text(drops, counters, ", "));

        return text;
}
