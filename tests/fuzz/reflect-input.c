/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the bytes of an input of fuzz-reflect stand for. */

#include "reflect-input.h"

#include <stdlib.h>
#include <string.h>

#include "model.h"

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

static void repair_lengths(uint8_t *packet, size_t size)
{
        if (size >= 20 && packet[0] >> 4 == 4)
                put16(packet + 2, (uint16_t) size);
        if (size >= 40 && packet[0] >> 4 == 6)
                put16(packet + 4, (uint16_t) (size - 40));
}

static struct policy make_policy(const uint8_t control[static REFLECT_CONTROL_SIZE])
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

/**
 * reflect_input_parse() - split an input into a policy and a packet
 * @data: the input
 * @size: its size in bytes
 * @ret_policy: set to the policy
 * @ret_size: set to the size of the packet in bytes
 *
 * Return: the packet, to be freed; NULL if the input is too short or there is no memory.
 */
uint8_t *reflect_input_parse(const uint8_t *data, size_t size, struct policy *ret_policy, size_t *ret_size)
{
        uint8_t *packet;

        if (size < REFLECT_CONTROL_SIZE)
                return NULL;

        *ret_policy = make_policy(data);
        *ret_size = size - REFLECT_CONTROL_SIZE;
        packet = malloc(*ret_size + 1);
        if (!packet)
                return NULL;

        memcpy(packet, data + REFLECT_CONTROL_SIZE, *ret_size);
        if (data[0] & REPAIR_LENGTHS)
                repair_lengths(packet, *ret_size);
        if (data[0] & REPAIR_CHECKSUMS)
                repair(packet, *ret_size);
        return packet;
}
