/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fuzzes reflect(). An input is a policy and a packet; see reflect-input.c. The model of the unit tests is the oracle
 * of every verdict, every byte of the reply and every header field.
 */

#include "common/util.h"
#include "fuzz.h"
#include "model.h"
#include "reflect-input.h"

/* Bytes in front of a packet, at most: they decide about its alignment. */
#define MARGIN_MAX 7

#define TIME_OF_DAY UINT32_C(0x01234567)

static enum verdict compare(const struct policy *policy, const uint8_t *packet, size_t size, size_t margin)
{
        enum verdict verdict;
        const char *difference = model_compare(policy, TIME_OF_DAY, packet, size, margin, &verdict);

        must(difference == NULL, difference);
        return verdict;
}

const char *fuzz_outcome(const uint8_t *data, size_t size)
{
        _cleanup_(freep) uint8_t *packet = NULL;
        struct policy policy;
        enum verdict verdict;
        size_t length;

        if (size < REFLECT_CONTROL_SIZE)
                return "too-short";

        packet = reflect_input_parse(data, size, &policy, &length);
        must(packet != NULL, "there is memory");
        verdict = compare(&policy, packet, length, data[3] % (MARGIN_MAX + 1));
        must(verdict < _VERDICT_MAX, "the verdict is one");
        must(compare(&policy, packet, length, MARGIN_MAX) == verdict, "the alignment has no influence");
        if (verdict_is_reply(verdict)) {
                size_t end = packet[0] >> 4 == 4 ? get16(packet + 2) : 40U + get16(packet + 4);

                must(compare(&policy, packet, end, 0) == verdict, "padding has no influence");
        }

        return verdict_name(verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        (void) fuzz_outcome(data, size);
        return 0;
}
