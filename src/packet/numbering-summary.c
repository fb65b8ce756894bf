/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a stream of sequence numbers says so far: how many are missing, or why that is unknown. */

#include "packet/numbering.h"

#include <stddef.h>

/* Why it is unknown how many are missing, of a stream whose advances are all accounted. */
static enum session_unknown find_unknown(const struct numbering *numbering, uint64_t requests)
{
        uint64_t advances = numbering->regular + numbering->irregular;
        uint64_t span = (uint64_t) (numbering->last - numbering->first);
        bool slipped = numbering->irregular > 1 && numbering->irregular * 8 > advances;

        if (span == 0)
                return requests > 2 ? SESSION_NO_COUNT : SESSION_KNOWN;

        if (numbering->pattern.step == 0 || slipped) {
                if (span > advances * 1024 || numbering->reordered > requests / 4)
                        return SESSION_NO_COUNT;
                return advances < 4 ? SESSION_TOO_FEW : SESSION_ELSEWHERE;
        }

        if (numbering->pattern.step > 1 && numbering->missing <= numbering->filled)
                return advances > 1 ? SESSION_EVERY_NTH : SESSION_TOO_FEW;

        return numbering->jumped ? SESSION_ELSEWHERE : SESSION_KNOWN;
}

/**
 * numbering_summarize() - read what the numbers say
 * @numbering: the stream
 * @requests: how many there were
 */
struct numbering_summary numbering_summarize(const struct numbering *numbering, uint64_t requests)
{
        struct numbering copy = *numbering;
        struct numbering_summary summary;

        copy.seen = NULL;
        if (copy.n_advances > 0)
                numbering_learn(&copy);

        summary = (struct numbering_summary) {
                .first = (uint16_t) copy.first,
                .last = (uint16_t) copy.last,
                .host_order = copy.host_order,
                .step = copy.pattern.step,
                .unknown = find_unknown(&copy, requests),
                .duplicates = copy.duplicates,
                .reordered = copy.reordered,
        };
        if (summary.unknown == SESSION_KNOWN && copy.missing > copy.filled)
                summary.missing = copy.missing - copy.filled;
        if (summary.unknown == SESSION_NO_COUNT)
                summary.duplicates = summary.reordered = 0;

        return summary;
}
