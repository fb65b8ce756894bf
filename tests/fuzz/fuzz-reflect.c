/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fuzzes reflect(). An input is CONTROL_SIZE bytes that choose a policy, and then a packet. The model of the unit
 * tests is the oracle of every verdict, every byte of the reply and every header field.
 */

#include <string.h>

#include "fuzz.h"
#include "common/util.h"
#include "model.h"
#include "packet/policy.h"
#include "packet/reflect.h"

/* Flags in the first byte of an input. */
enum {
        REPAIR_CHECKSUMS = 1 << 0, /* of the packet: hardly a mutation would get past them */
        REPAIR_LENGTHS = 1 << 1,
        ANSWER_BROADCAST = 1 << 2,
        ANSWER_MULTICAST = 1 << 3,
        PEER_IPV4 = 1 << 4,
        PEER_IPV6 = 1 << 5,
        DESTINATIONS = 1 << 6,
        SUBNETS = 1 << 7,
};

/* Flags; hop limit; length of the Destination= prefixes; zero words of the IPv6 peer, and alignment. */
#define CONTROL_SIZE 4

/* Bytes in front of a packet, at most: they decide about its alignment. */
#define MARGIN_MAX 7

#define TIME_OF_DAY UINT32_C(0x01234567)

static void repair_lengths(uint8_t *packet, size_t size)
{
        if (size >= 20 && packet[0] >> 4 == 4)
                put16(packet + 2, (uint16_t) size);
        if (size >= 40 && packet[0] >> 4 == 6)
                put16(packet + 4, (uint16_t) (size - 40));
}

static struct policy make_policy(const uint8_t control[static CONTROL_SIZE])
{
        struct policy policy = {
                .peer_link_local.s6_addr = { 0xfe, 0x80, [15] = 2 },
                .hop_limit = control[1] ? control[1] : 64,
                .answer_broadcast = control[0] & ANSWER_BROADCAST,
                .answer_multicast = control[0] & ANSWER_MULTICAST,
        };

        if (control[0] & PEER_IPV4)
                policy.peer_ipv4.s_addr = htonl(0xc6120002); /* 198.18.0.2 */
        if (control[0] & PEER_IPV6) {
                size_t zeros = (control[3] >> 4) % 4;

                policy.peer_ipv6 = (struct in6_addr) { .s6_addr = { 0x20, 0x01, 0x00, 0x02, [15] = 2 } };
                memset(&policy.peer_ipv6, 0, zeros * sizeof(uint32_t));
                if (zeros > 0)
                        policy.peer_ipv6.s6_addr[zeros * sizeof(uint32_t)] = 1;
        }
        if (control[0] & SUBNETS) {
                policy.broadcasts[policy.n_broadcasts++].s_addr = htonl(0xc61200ff); /* 198.18.0.255 */
                policy.broadcasts[policy.n_broadcasts++].s_addr = htonl(0xc613ffff); /* 198.19.255.255 */
        }
        if (control[0] & DESTINATIONS) {
                policy.destinations[policy.n_destinations++] =
                        (struct prefix) { { AF_INET, .bytes = { 198, 18, 0, 2 } },
                                          (uint8_t) (control[2] % 33) };
                policy.destinations[policy.n_destinations++] =
                        (struct prefix) { { AF_INET6, .bytes = { 0x20, 0x01, 0x00, 0x02, [15] = 2 } },
                                          (uint8_t) (control[2] % 129) };
        }

        return policy;
}

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

        if (size < CONTROL_SIZE)
                return "too-short";

        policy = make_policy(data);
        size -= CONTROL_SIZE;
        packet = malloc(size + 1);
        must(packet != NULL, "there is memory");
        memcpy(packet, data + CONTROL_SIZE, size);
        if (data[0] & REPAIR_LENGTHS)
                repair_lengths(packet, size);
        if (data[0] & REPAIR_CHECKSUMS)
                repair(packet, size);

        verdict = compare(&policy, packet, size, data[3] % (MARGIN_MAX + 1));
        must(verdict < _VERDICT_MAX, "the verdict is one");
        must(compare(&policy, packet, size, MARGIN_MAX) == verdict, "the alignment has no influence");

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
