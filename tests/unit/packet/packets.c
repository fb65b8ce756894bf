/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "packets.h"

#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "unit.h"

/*
 * The subject, the request, its reply, and the offset of the reply in the buffer of the request. From 198.18.0.1 to
 * 198.18.0.2, and from 2001:2::1 to 2001:2::2; the addresses are words of their own.
 */
/* clang-format off */
static const struct {
        const char *what, *request, *reply;
        size_t offset;
} golden_texts[] = {
        { "IPv4 without data",
          "4500001c000040004001aeb9 c6120001c6120002 0800e5ca12340001",
          "4500001c000040004001aeb9 c6120002c6120001 0000edca12340001", 0 },
        { "IPv4 with data, an ID, and another TTL",
          "4500002cbeef40003f01f0b9 c6120001c6120002 08002d0a12340001 "
          "101112131415161718191a1b1c1d1e1f",
          "4500002cbeef40004001efb9 c6120002c6120001 0000350a12340001 "
          "101112131415161718191a1b1c1d1e1f", 0 },
        { "IPv4 of an odd length, TOS 0xb9, no DF, TTL 1, code 3",
          "45b9001f0007000001012cf7 c6120001c6120002 080378fbffffffff ff0080",
          "45b9001f000700004001edf6 c6120002c6120001 000380fbffffffff ff0080", 0 },
        { "IPv4 with the reserved flag, and TTL 0",
          "450200240000c00000016eaf c6120001c6120002 0800306712340000 74756e6563686f21",
          "45020024000040004001aeaf c6120002c6120001 0000386712340000 74756e6563686f21", 0 },
        { "IPv4, all zero but for the type: the checksum becomes 0xffff",
          "45000021000040004001aeb4 c6120001c6120002 0800f7ff00000000 0000000000",
          "45000021000040004001aeb4 c6120002c6120001 0000ffff00000000 0000000000", 0 },
        { "IPv4 with No-Operation and End, which are removed",
          "47000028000040004001aaac c6120001c6120002 0101010000000000 08000d0812340001 64617461",
          "45000020000040004001aeb5 c6120002c6120001 0000150812340001 64617461", 8 },
        { "IPv4 with Router Alert and an unknown option, which are removed",
          "4800002b000040004001b49d c6120001c6120002 940400005e05010203010100 0800126612340001 "
          "6f6464",
          "4500001f000040004001aeb6 c6120002c6120001 00001a6612340001 6f6464", 12 },
        { "IPv4 with Record Route, behind a No-Operation",
          "490000300000400040019a9a c6120001c6120002 01070f04000000000000000000000000 "
          "080002f012340001 74756e65",
          "4900003000004000400186d0 c6120002c6120001 070f08c6120002000000000000000000 "
          "00000af012340001 74756e65", 0 },
        { "IPv4 with a full Record Route, which is kept",
          "470000240000400040019ca0 c6120001c6120002 0707080a00000100 0800e5ca12340001",
          "470000240000400040019ca0 c6120002c6120001 0707080a00000100 0000edca12340001", 0 },
        { "IPv4 with a Timestamp of times",
          "4800002800004000400162a1 c6120001c6120002 440c05000000000000000000 0800e5ca12340001",
          "480000280000400040011817 c6120002c6120001 440c09000123456700000000 0000edca12340001", 0 },
        { "IPv4 with a Timestamp of addresses and times, and Record Route, in the other order",
          "4a000034000040004001558d c6120001c6120002 440c050100000000000000000707040000000000 "
          "080002f012340001 74756e65",
          "4a000034000040004001d976 c6120002c6120001 070708c6120002440c0d01c61200020123456700 "
          "00000af012340001 74756e65", 0 },
        { "IPv4 with a Timestamp that is full, whose overflow is counted",
          "470000240000400040015ec8 c6120001c6120002 440809e000000001 0800e5ca12340001",
          "470000240000400040015eb8 c6120002c6120001 440809f000000001 0000edca12340001", 0 },
        { "IPv4, first fragment",
          "4500002c000020004001cea9 c6120001c6120002 0800613a12340001 "
          "000102030405060708090a0b0c0d0e0f",
          "4500002c000020004001cea9 c6120002c6120001 0000693a12340001 "
          "000102030405060708090a0b0c0d0e0f", 0 },
        { "IPv4, last fragment, of an odd size, with a No-Operation and the reserved flag",
          "46000021000080030101aaaf c6120001c6120002 01010101 08000000ffffffff 80",
          "4500001d000000034001eeb5 c6120002c6120001 08000000ffffffff 80", 4 },
        { "IPv6 without data",
          "6000000000083a40 20010002000000000000000000000001 20010002000000000000000000000002 "
          "80002d7f12340001",
          "6000000000083a40 20010002000000000000000000000002 20010002000000000000000000000001 "
          "81002c7f12340001", 0 },
        { "IPv6 with data, a flow label, and another hop limit",
          "600abcde00183a3f 20010002000000000000000000000001 20010002000000000000000000000002 "
          "800074ae12340001101112131415161718191a1b1c1d1e1f",
          "6000000000183a40 20010002000000000000000000000002 20010002000000000000000000000001 "
          "810073ae12340001101112131415161718191a1b1c1d1e1f", 0 },
        { "IPv6 of an odd length, traffic class 0xb9, every bit of the flow label, hop limit 1, code 3",
          "6b9fffff000b3a01 20010002000000000000000000000001 20010002000000000000000000000002 "
          "8003c0acffffffffff0080",
          "6b900000000b3a40 20010002000000000000000000000002 20010002000000000000000000000001 "
          "8103bfacffffffffff0080", 0 },
        { "IPv6, all zero but for the type, traffic class 0x0f, hop limit 0",
          "60f00000000d3a00 20010002000000000000000000000001 20010002000000000000000000000002 "
          "80003faf000000000000000000",
          "60f00000000d3a40 20010002000000000000000000000002 20010002000000000000000000000001 "
          "81003eaf000000000000000000", 0 },
        { "IPv6 with Hop-by-Hop options: Router Alert, padding",
          "600123450014003f 20010002000000000000000000000001 20010002000000000000000000000002 "
          "3a0005020000010080004aa01234000174756e65",
          "60000000000c3a40 20010002000000000000000000000002 20010002000000000000000000000001 "
          "810049a01234000174756e65", 8 },
        { "IPv6 with Destination options, Routing, and an atomic fragment",
          "6001234500233c3f 20010002000000000000000000000001 20010002000000000000000000000002 "
          "2b000104000000002c000000000000003a000000deadbeef80005a17123400016f6464",
          "60000000000b3a40 20010002000000000000000000000002 20010002000000000000000000000001 "
          "81005917123400016f6464", 24 },
        { "IPv6, first fragment, with reserved bits",
          "6001234500202c3f 20010002000000000000000000000001 20010002000000000000000000000002 "
          "3aff0007deadbeef8000a8d612340001000102030405060708090a0b0c0d0e0f",
          "6000000000202c40 20010002000000000000000000000002 20010002000000000000000000000001 "
          "3a000001deadbeef8100a7d612340001000102030405060708090a0b0c0d0e0f", 0 },
        { "IPv6, last fragment, behind Hop-by-Hop options",
          "600123450019003f 20010002000000000000000000000001 20010002000000000000000000000002 "
          "2c000104000000003a000018deadbeef101112131415161780",
          "6000000000112c40 20010002000000000000000000000002 20010002000000000000000000000001 "
          "3a000018deadbeef101112131415161780", 8 },
};
/* clang-format on */

_Static_assert(ARRAY_SIZE(golden_texts) == N_GOLDENS, "every golden packet needs its text");

struct golden goldens[N_GOLDENS];

/* clang-format off */
const struct packet plain_ipv4 = {
        44, { 0x45, 0x00, 0x00, 0x2c, 0xbe, 0xef, 0x40, 0x00, 0x3f, 0x01, 0xf0, 0xb9,
              0xc6, 0x12, 0x00, 0x01, 0xc6, 0x12, 0x00, 0x02,
              0x08, 0x00, 0x2d, 0x0a, 0x12, 0x34, 0x00, 0x01,
              0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f }
};
/* clang-format on */

/* clang-format off */
const struct packet plain_ipv6 = {
        64, { 0x60, 0x0a, 0xbc, 0xde, 0x00, 0x18, 0x3a, 0x3f,
              0x20, 0x01, 0x00, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01,
              0x20, 0x01, 0x00, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02,
              0x80, 0x00, 0x74, 0xae, 0x12, 0x34, 0x00, 0x01,
              0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f }
};
/* clang-format on */

static const struct {
        const char *peer_ipv4, *peer_ipv6, *peer_link_local;
        const char *broadcasts[3], *destinations[5]; /* up to NULL */
        uint8_t hop_limit;
        bool answer_broadcast, answer_multicast;
} descriptions[] = {
        [PLAIN] = { .hop_limit = 64, .answer_multicast = true },
        [PEERS] = {
                .peer_ipv4 = "198.18.0.2",
                .peer_ipv6 = "2001:2::2",
                .peer_link_local = "fe80::2",
                .broadcasts = { "198.18.0.255", "10.255.255.255" },
                .hop_limit = 64,
                .answer_multicast = true,
        },
        [BROADCAST] = {
                .peer_ipv4 = "198.18.0.2",
                .peer_ipv6 = "2001:2::2",
                .peer_link_local = "fe80::2",
                .broadcasts = { "198.18.0.255", "10.255.255.255" },
                .hop_limit = 255,
                .answer_broadcast = true,
                .answer_multicast = true,
        },
        [BROADCAST_WITHOUT_PEER] = { .hop_limit = 1, .answer_broadcast = true, .answer_multicast = true },
        [NO_MULTICAST] = { .peer_ipv6 = "2001:2::2", .peer_link_local = "fe80::2", .hop_limit = 64 },
        [DESTINATION_IPV4] = {
                .peer_ipv4 = "198.18.0.2",
                .peer_ipv6 = "2001:2::2",
                .peer_link_local = "fe80::2",
                .destinations = { "198.18.0.2" },
                .hop_limit = 64,
                .answer_broadcast = true,
                .answer_multicast = true,
        },
        [DESTINATION_IPV6] = {
                .peer_ipv4 = "198.18.0.2",
                .destinations = { "2001:2::2/125" },
                .hop_limit = 64,
        },
        [DESTINATIONS] = {
                .peer_ipv4 = "198.18.0.2",
                .peer_ipv6 = "2001:2::2",
                .peer_link_local = "fe80::2",
                .destinations = { "198.18.0.2/31", "224.0.0.0/4", "2001:2::2", "ff02::/16" },
                .hop_limit = 64,
                .answer_broadcast = true,
                .answer_multicast = true,
        },
};

_Static_assert(ARRAY_SIZE(descriptions) == _POLICY_MAX, "every policy needs its description");

struct policy policies[_POLICY_MAX];

static struct address address_of(const char *text)
{
        struct address address = { 0 };

        if (text)
                assert_int_equal(address_parse(&address, text), 0);

        return address;
}

static struct policy policy_of(int which)
{
        struct policy policy = {
                .peer_ipv4 = address_of(descriptions[which].peer_ipv4).ipv4,
                .peer_ipv6 = address_of(descriptions[which].peer_ipv6).ipv6,
                .peer_link_local = address_of(descriptions[which].peer_link_local).ipv6,
                .hop_limit = descriptions[which].hop_limit,
                .answer_broadcast = descriptions[which].answer_broadcast,
                .answer_multicast = descriptions[which].answer_multicast,
        };
        bool has_length;

        for (const char *const *text = descriptions[which].broadcasts; *text; text++)
                policy.broadcasts[policy.n_broadcasts++] = address_of(*text).ipv4;

        for (const char *const *text = descriptions[which].destinations; *text; text++) {
                struct prefix *prefix = &policy.destinations[policy.n_destinations++];

                assert_int_equal(prefix_parse(prefix, &has_length, *text), 0);
        }

        return policy;
}

/* Digits in pairs, with spaces between some of them. */
static struct packet packet_of(const char *text)
{
        struct packet packet = { 0 };
        int length;

        for (; sscanf(text, " %2hhx%n", &packet.bytes[packet.size], &length) == 1; text += length)
                assert_in_range(++packet.size, 1, PACKET_ROOM - 1);
        return packet;
}

/**
 * policies_set_up() - fill policies[] and goldens[]
 * @state: not used
 *
 * Return: 0; a setup of cmocka's for a group of tests.
 */
int policies_set_up(void **state)
{
        (void) state;

        for (int i = 0; i < _POLICY_MAX; i++)
                policies[i] = policy_of(i);
        for (size_t i = 0; i < N_GOLDENS; i++)
                goldens[i] = (struct golden) { golden_texts[i].what, packet_of(golden_texts[i].request),
                                               packet_of(golden_texts[i].reply), golden_texts[i].offset };

        return 0;
}

/**
 * check() - reflect a packet, and compare all that happens with the model
 * @policy: which requests are answered, and how
 * @packet: the packet, which is not modified
 * @size: its size in bytes
 *
 * Return: the verdict.
 */
enum verdict check(const struct policy *policy, const uint8_t *packet, size_t size)
{
        enum verdict verdict;
        const char *difference = model_compare(policy, TIME_OF_DAY, packet, size, 0, &verdict);

        if (difference) {
                print_error("# packet:");
                for (size_t i = 0; i < size && i < PACKET_ROOM; i++)
                        print_error(" %02x", packet[i]);
                print_error("\n");
                fail_msg("%s", difference);
        }

        return verdict;
}

/**
 * check_repaired() - check a packet once its checksums are right
 * @policy: as of check()
 * @packet: the packet
 *
 * Return: the verdict.
 */
enum verdict check_repaired(const struct policy *policy, struct packet packet)
{
        repair(packet.bytes, packet.size);
        return check(policy, packet.bytes, packet.size);
}
