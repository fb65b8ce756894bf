/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What reflect() does to IPv6 alone: extension headers and fragments. */

#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "packets.h"
#include "unit.h"

#define REQUEST_SIZE 24 /* bytes of ICMPv6 behind the headers */

/* The echo request of plain_ipv6, behind extension headers. */
static struct packet with_headers(uint8_t type, const uint8_t *headers, size_t size)
{
        struct packet packet = plain_ipv6;

        packet.bytes[6] = type;
        memcpy(packet.bytes + 40, headers, size);
        memcpy(packet.bytes + 40 + size, plain_ipv6.bytes + 40, REQUEST_SIZE);
        packet.size = 40 + size + REQUEST_SIZE;
        put16(packet.bytes + 4, (uint16_t) (packet.size - 40));
        return packet;
}

/* A header of options that are padding, in front of one of this type. */
#define PADDING(next) (next), 0, 1, 4, 0, 0, 0, 0

#define THREE_HEADERS PADDING(60), PADDING(60), PADDING(60)
#define SEVEN_HEADERS THREE_HEADERS, PADDING(60), THREE_HEADERS

/* Options that are not known, and without data. */
#define EIGHT_OPTIONS 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0

/* The type of the first header, the headers, and the verdict; a reply has none of them. */
static void test_headers(void **state)
{
        /* clang-format off */
        static const struct {
                const char *what;
                uint8_t type;
                size_t size;
                uint8_t headers[96];
                enum verdict verdict;
        } rules[] = {
                { "none", 58, 0, { 0 }, VERDICT_REPLY },
                { "Hop-by-Hop, PadN", 0, 8, { 58, 0, 1, 4, 0, 0, 0, 0 }, VERDICT_REPLY },
                { "Hop-by-Hop, six Pad1", 0, 8, { 58, 0, 0, 0, 0, 0, 0, 0 }, VERDICT_REPLY },
                { "Hop-by-Hop, Router Alert", 0, 8, { 58, 0, 5, 2, 0, 0, 1, 0 }, VERDICT_REPLY },
                { "Hop-by-Hop, Router Alert of another length", 0, 8, { 58, 0, 5, 4, 0, 0, 0, 0 },
                  VERDICT_BAD_OPTION },
                { "Hop-by-Hop, unknown, action 00", 0, 8, { 58, 0, 0x3e, 4, 1, 2, 3, 4 }, VERDICT_REPLY },
                { "Hop-by-Hop, unknown, action 00, that may change", 0, 8, { 58, 0, 0x3f, 4, 1, 2, 3, 4 },
                  VERDICT_REPLY },
                { "Hop-by-Hop, unknown, without data", 0, 8, { 58, 0, 0x1e, 0, 0x1e, 0, 0x1e, 0 },
                  VERDICT_REPLY },
                { "Hop-by-Hop, unknown, action 01", 0, 8, { 58, 0, 0x5e, 4, 1, 2, 3, 4 },
                  VERDICT_BAD_OPTION },
                { "Hop-by-Hop, unknown, action 10", 0, 8, { 58, 0, 0x9e, 4, 1, 2, 3, 4 },
                  VERDICT_BAD_OPTION },
                { "Hop-by-Hop, unknown, action 11", 0, 8, { 58, 0, 0xde, 4, 1, 2, 3, 4 },
                  VERDICT_BAD_OPTION },
                { "Hop-by-Hop, jumbo payload", 0, 8, { 58, 0, 0xc2, 4, 0, 1, 0, 0 }, VERDICT_BAD_OPTION },
                { "Hop-by-Hop, option without a length", 0, 8, { 58, 0, 1, 3, 0, 0, 0, 0x1e },
                  VERDICT_BAD_OPTION },
                { "Hop-by-Hop, option beyond the header", 0, 8, { 58, 0, 0x1e, 5, 0, 0, 0, 0 },
                  VERDICT_BAD_OPTION },
                { "Hop-by-Hop, padding beyond the header", 0, 8, { 58, 0, 1, 5, 0, 0, 0, 0 },
                  VERDICT_BAD_OPTION },
                { "Hop-by-Hop, padding that is not zero", 0, 8, { 58, 0, 1, 4, 0, 0, 0, 1 },
                  VERDICT_BAD_OPTION },
                { "7 bytes of padding, PadN", 0, 16, { 58, 1, 1, 5, 0, 0, 0, 0, 0, 0x1e, 3, 1, 2, 3, 0, 0 },
                  VERDICT_REPLY },
                { "8 bytes of padding, PadN", 0, 16, { 58, 1, 1, 6, 0, 0, 0, 0, 0, 0, 0x1e, 2, 1, 2, 0, 0 },
                  VERDICT_BAD_OPTION },
                { "7 bytes of padding, Pad1 and PadN", 0, 16,
                  { 58, 1, 0, 0, 0, 1, 2, 0, 0, 0x1e, 3, 1, 2, 3, 0, 0 },
                  VERDICT_REPLY },
                { "8 bytes of padding, Pad1 and PadN", 0, 16,
                  { 58, 1, 1, 2, 0, 0, 1, 1, 0, 0, 0x1e, 2, 1, 2, 0, 0 },
                  VERDICT_BAD_OPTION },
                { "8 bytes of padding, Pad1", 0, 16, { 58, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x1e, 2, 1, 2, 0, 0 },
                  VERDICT_BAD_OPTION },
                { "much padding, but not in a row", 60, 24,
                  { 58, 2, 1, 4, 0, 0, 0, 0, 0x1e, 0, 1, 4, 0, 0, 0, 0, 0x1e, 0, 1, 4, 0, 0, 0, 0 },
                  VERDICT_REPLY },
                { "8 options", 60, 24, { 58, 2, EIGHT_OPTIONS, 1, 4, 0, 0, 0, 0 }, VERDICT_REPLY },
                { "9 options", 60, 24, { 58, 2, EIGHT_OPTIONS, 0x1e, 0, 1, 2, 0, 0 }, VERDICT_BAD_OPTION },
                { "8 options in each of two headers", 60, 48,
                  { 60, 2, EIGHT_OPTIONS, 1, 4, 0, 0, 0, 0, 58, 2, EIGHT_OPTIONS, 1, 4, 0, 0, 0, 0 },
                  VERDICT_REPLY },
                { "Hop-by-Hop beyond the packet", 0, 8, { 58, 4, 1, 4, 0, 0, 0, 0 }, VERDICT_MALFORMED },
                { "Hop-by-Hop up to the end of the packet", 0, 8, { 59, 3, 0x1e, 28 }, VERDICT_NOT_ICMP },

                { "Destination options", 60, 8, { 58, 0, 1, 4, 0, 0, 0, 0 }, VERDICT_REPLY },
                { "Destination options, unknown, action 00", 60, 8, { 58, 0, 0x1e, 4, 1, 2, 3, 4 },
                  VERDICT_REPLY },
                { "Destination options, unknown, action 01", 60, 8, { 58, 0, 0x5e, 4, 1, 2, 3, 4 },
                  VERDICT_BAD_OPTION },
                { "Destination options, home address", 60, 8, { 58, 0, 0xc9, 4, 1, 2, 3, 4 },
                  VERDICT_BAD_OPTION },
                { "Destination options, Router Alert is unknown there", 60, 8, { 58, 0, 5, 4, 1, 2, 3, 4 },
                  VERDICT_REPLY },
                { "Destination options, twice", 60, 16,
                  { 60, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4, 0, 0, 0, 0 }, VERDICT_REPLY },

                { "Routing, none left", 43, 8, { 58, 0, 0, 0, 0, 0, 0, 0 }, VERDICT_REPLY },
                { "Routing, none left, with addresses", 43, 24, { 58, 2, 0, 0, [8] = 0x20, 0x01 },
                  VERDICT_REPLY },
                { "Routing, one left", 43, 24, { 58, 2, 0, 1, [8] = 0x20, 0x01 }, VERDICT_SOURCE_ROUTE },
                { "Routing, 255 left, of an unknown type", 43, 8, { 58, 0, 253, 255, 0, 0, 0, 0 },
                  VERDICT_SOURCE_ROUTE },
                { "Routing beyond the packet", 43, 8, { 58, 5, 0, 0, 0, 0, 0, 0 }, VERDICT_MALFORMED },

                { "Hop-by-Hop behind others", 60, 16, { PADDING(0), PADDING(58) }, VERDICT_MALFORMED },
                { "Hop-by-Hop, twice", 0, 16, { PADDING(0), PADDING(58) }, VERDICT_MALFORMED },
                { "all of them, in the order that is recommended", 0, 40,
                  { PADDING(60), PADDING(43), 44, 0, 0, 0, 0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 1, PADDING(58) },
                  VERDICT_REPLY },
                { "all of them, in another order", 43, 32,
                  { 60, 0, 0, 0, 0, 0, 0, 0, PADDING(43), 60, 0, 0, 0, 0, 0, 0, 0, PADDING(58) },
                  VERDICT_REPLY },
                { "8 headers", 60, 64, { SEVEN_HEADERS, PADDING(58) }, VERDICT_REPLY },
                { "9 headers", 60, 72, { SEVEN_HEADERS, PADDING(60), PADDING(58) }, VERDICT_UNSUPPORTED },
                { "8 headers, and then TCP", 60, 64, { SEVEN_HEADERS, PADDING(6) }, VERDICT_NOT_ICMP },

                { "TCP behind Destination options", 60, 8, { 6, 0, 1, 4, 0, 0, 0, 0 }, VERDICT_NOT_ICMP },
                { "no next header behind Hop-by-Hop", 0, 8, { 59, 0, 1, 4, 0, 0, 0, 0 }, VERDICT_NOT_ICMP },
                { "Authentication", 51, 8, { 58, 4, 0, 0, 0, 0, 0, 0 }, VERDICT_NOT_ICMP },
                { "Mobility", 135, 8, { 58, 0, 0, 0, 0, 0, 0, 0 }, VERDICT_NOT_ICMP },
                { "Shim6", 140, 8, { 58, 0, 0, 0, 0, 0, 0, 0 }, VERDICT_NOT_ICMP },

                { "atomic fragment", 44, 8, { 58, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef }, VERDICT_REPLY },
                { "atomic fragment, reserved bits", 44, 8, { 58, 0xff, 0, 6, 0xde, 0xad, 0xbe, 0xef },
                  VERDICT_REPLY },
                { "atomic fragment of TCP", 44, 8, { 6, 0, 0, 0, 0, 0, 0, 0 }, VERDICT_NOT_ICMP },
                { "atomic fragment, headers within", 44, 16,
                  { 60, 0, 0, 0, 0, 0, 0, 1, 58, 0, 1, 4, 0, 0, 0, 0 }, VERDICT_REPLY },
                { "atomic fragment in an atomic fragment", 44, 16,
                  { 44, 0, 0, 0, 0, 0, 0, 1, 58, 0, 0, 0, 0, 0, 0, 2 }, VERDICT_MALFORMED },
                { "fragment in an atomic fragment", 44, 16,
                  { 44, 0, 0, 0, 0, 0, 0, 1, 58, 0, 0, 1, 0, 0, 0, 2 }, VERDICT_MALFORMED },
                { "Hop-by-Hop in an atomic fragment", 44, 16,
                  { 0, 0, 0, 0, 0, 0, 0, 1, 58, 0, 1, 4, 0, 0, 0, 0 }, VERDICT_MALFORMED },
                { "first fragment with headers within", 44, 16,
                  { 60, 0, 0, 1, 0, 0, 0, 1, 58, 0, 1, 4, 0, 0, 0, 0 }, VERDICT_UNSUPPORTED },
                { "later fragment with headers within", 44, 16,
                  { 60, 0, 0, 8, 0, 0, 0, 1, 58, 0, 1, 4, 0, 0, 0, 0 }, VERDICT_UNSUPPORTED },
        };
        /* clang-format on */

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct packet packet = with_headers(rules[i].type, rules[i].headers, rules[i].size);
                struct reflection reflection;
                enum verdict verdict;

                repair(packet.bytes, packet.size);
                (void) check(&policies[PEERS], packet.bytes, packet.size);
                verdict = reflect(&policies[PEERS], TIME_OF_DAY, packet.bytes, packet.size, &reflection);
                if (verdict != rules[i].verdict)
                        fail_msg("%s: %s", rules[i].what, verdict_name(verdict));
                if (verdict != VERDICT_REPLY)
                        continue;

                assert_int_equal(reflection.offset, rules[i].size);
                assert_int_equal(reflection.length, 40 + REQUEST_SIZE);
                assert_int_equal(packet.bytes[reflection.offset + 6], 58);
                assert_int_equal(get16(packet.bytes + reflection.offset + 4), REQUEST_SIZE);
        }
}

/* Headers that end where the packet does, or beyond it, one byte after the other. */
static void test_headers_truncated(void **state)
{
        static const uint8_t types[] = { 0, 43, 44, 60 };
        static const uint8_t header[8] = { 58, 0, 1, 4, 0, 0, 0, 0 }, routing[8] = { 58 };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                for (size_t size = 40; size < 48; size++) {
                        bool has_options = types[i] == 0 || types[i] == 60;
                        struct packet packet =
                                with_headers(types[i], has_options ? header : routing, sizeof(header));

                        packet.size = size;
                        put16(packet.bytes + 4, (uint16_t) (size - 40));
                        assert_int_equal(check(&policies[PEERS], packet.bytes, packet.size),
                                         VERDICT_MALFORMED);
                }
}

/* It covers the message alone, and not the headers in front of it. */
static void test_headers_with_bad_checksum(void **state)
{
        static const uint8_t header[8] = { 58, 0, 1, 4, 0, 0, 0, 0 };
        struct packet packet = with_headers(60, header, sizeof(header));

        (void) state;

        repair(packet.bytes, packet.size);
        packet.bytes[50] ^= 1;
        assert_int_equal(check(&policies[PEERS], packet.bytes, packet.size), VERDICT_BAD_ICMP_CHECKSUM);
}

static void test_every_option(void **state)
{
        (void) state;

        for (unsigned type = 0; type <= UINT8_MAX; type++)
                for (unsigned length = 0; length <= UINT8_MAX; length++)
                        for (size_t place = 2; place < 16; place++)
                                for (unsigned family = 0; family < 2; family++) {
                                        uint8_t header[16] = { 58, 1, 0x1e, 12 };
                                        struct packet packet;

                                        if (length > 20 && length < 250)
                                                continue;

                                        if (place > 3)
                                                header[3] = (uint8_t) (place - 4);
                                        header[place] = (uint8_t) type;
                                        if (place < 15)
                                                header[place + 1] = (uint8_t) length;
                                        packet = with_headers(family == 0 ? 0 : 60, header, sizeof(header));
                                        repair(packet.bytes, packet.size);
                                        (void) check(&policies[PEERS], packet.bytes, packet.size);
                                }
}

/* Chains of headers, most of them good, with options, most of them good. */
static void test_random_headers(void **state)
{
        static const uint8_t types[] = { 0, 43, 44, 60, 60, 60, 58, 58, 58, 58, 6, 59 };
        uint32_t n_verdicts[_VERDICT_MAX] = { 0 };
        uint64_t random = 1;

        (void) state;

        for (unsigned round = 0; round < 500000; round++) {
                uint8_t headers[96] = { 0 }, first = types[random_word(&random) % ARRAY_SIZE(types)],
                        type = first;
                struct packet packet;
                size_t size = 0;

                while (type != 58 && size + 16 <= sizeof(headers)) {
                        uint8_t *header = headers + size;

                        header[0] = types[random_word(&random) % ARRAY_SIZE(types)];
                        size += 8;
                        if (type == 0 || type == 60) {
                                header[1] = random_word(&random) % 2;
                                size += header[1] * 8U;
                                header[2] = (uint8_t) (random_word(&random) % 32);
                                header[3] = (uint8_t) (header[2] == 0 ? 0 : random_word(&random) % 7);
                                if (random_word(&random) % 4 == 0)
                                        header[4] = (uint8_t) random_word(&random);
                        } else if (random_word(&random) % 4 == 0) {
                                header[2] = (uint8_t) random_word(&random);
                                header[3] = (uint8_t) random_word(&random);
                        }
                        type = header[0];
                }
                if (random_word(&random) % 8 == 0)
                        headers[random_word(&random) % sizeof(headers)] = (uint8_t) random_word(&random);

                packet = with_headers(first, headers, size);
                n_verdicts[check_repaired(&policies[PEERS], packet)]++;
        }

        /* Else the headers do not lead anywhere. */
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                if (n_verdicts[v] < 50 && v != VERDICT_BAD_IP_CHECKSUM && v != VERDICT_NOT_ECHO &&
                    v != VERDICT_ICMP_ERROR && v != VERDICT_HOUSEKEEPING &&
                    v != VERDICT_BAD_ICMP_CHECKSUM && v != VERDICT_BAD_SOURCE &&
                    v != VERDICT_BAD_DESTINATION && v != VERDICT_NOT_OURS && v != VERDICT_GROUP_DESTINATION)
                        fail_msg("only %u packets are %s", n_verdicts[v], verdict_name(v));
}

/* Offset in units of 8 bytes, whether more follow, and how much of the message is there. */
static void test_fragments(void **state)
{
        static const struct {
                const char *what;
                uint16_t offset;
                bool more;
                size_t size;
                uint8_t type;
                enum verdict verdict;
        } rules[] = {
                { "first", 0, true, 24, 128, VERDICT_REPLY },
                { "first, the shortest", 0, true, 8, 128, VERDICT_REPLY },
                { "first of a reply", 0, true, 24, 129, VERDICT_NOT_ECHO },
                { "first of an error", 0, true, 24, 1, VERDICT_ICMP_ERROR },
                { "first, without data", 0, true, 0, 128, VERDICT_MALFORMED },
                { "first, no multiple of 8", 0, true, 23, 128, VERDICT_MALFORMED },
                { "middle", 1, true, 24, 128, VERDICT_REPLY_FRAGMENT },
                { "middle, that looks like a reply", 1, true, 24, 129, VERDICT_REPLY_FRAGMENT },
                { "middle, no multiple of 8", 1, true, 12, 128, VERDICT_MALFORMED },
                { "middle, without data", 1, true, 0, 128, VERDICT_MALFORMED },
                { "last", 3, false, 24, 128, VERDICT_REPLY_FRAGMENT },
                { "last, of one byte", 3, false, 1, 128, VERDICT_REPLY_FRAGMENT },
                { "last, without data", 3, false, 0, 128, VERDICT_MALFORMED },
                { "last, up to the end", 8190, false, 15, 128, VERDICT_REPLY_FRAGMENT },
                { "last, beyond the end by one", 8190, false, 16, 128, VERDICT_MALFORMED },
                { "last, beyond the end", 8191, false, 24, 128, VERDICT_MALFORMED },
                { "middle, beyond the end", 8190, true, 16, 128, VERDICT_MALFORMED },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                for (uint16_t reserved = 0; reserved < 4; reserved++) {
                        static const uint8_t header[8] = { 58, 0, 0, 0, 1, 2, 3, 4 };
                        struct packet packet = with_headers(44, header, sizeof(header));
                        uint16_t place = (uint16_t) (rules[i].offset << 3 | rules[i].more);
                        struct reflection reflection;
                        enum verdict verdict;

                        packet.bytes[41] = (uint8_t) (reserved * 0x55);
                        put16(packet.bytes + 42, (uint16_t) (place | reserved << 1));
                        packet.bytes[48] = rules[i].type;
                        packet.size = 48 + rules[i].size;
                        put16(packet.bytes + 4, (uint16_t) (8 + rules[i].size));
                        verdict = check_repaired(&policies[PEERS], packet);
                        if (verdict != rules[i].verdict)
                                fail_msg("%s: %s", rules[i].what, verdict_name(verdict));

                        /* The reply's Fragment header is the same, but for the reserved bits. */
                        (void) reflect(&policies[PEERS], TIME_OF_DAY, packet.bytes, packet.size, &reflection);
                        if (verdict_is_reply(verdict)) {
                                assert_int_equal(get16(packet.bytes + 42), place);
                                put16(packet.bytes + 42, 0);
                                assert_memory_equal(packet.bytes + 40, header, sizeof(header));
                        }

                        /* Of TCP, unless it is malformed in itself. */
                        packet.bytes[40] = 6;
                        verdict = check(&policies[PEERS], packet.bytes, packet.size);
                        assert_true(verdict == VERDICT_NOT_ICMP || verdict == VERDICT_MALFORMED);
                        assert_true(verdict == VERDICT_NOT_ICMP || rules[i].verdict == VERDICT_MALFORMED);
                }
}

/* Headers in front of the Fragment header count as part of the packet, and are not in the reply. */
static void test_fragments_behind_headers(void **state)
{
        static const struct {
                uint16_t offset;
                size_t size;
                enum verdict verdict;
        } rules[] = {
                { 3, 24, VERDICT_REPLY_FRAGMENT },
                { 8189, 15, VERDICT_REPLY_FRAGMENT },
                { 8189, 16, VERDICT_MALFORMED },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                const uint8_t headers[] = {
                        44,
                        0,
                        1,
                        4,
                        0,
                        0,
                        0,
                        0,
                        58,
                        0,
                        (uint8_t) (rules[i].offset >> 5),
                        (uint8_t) (rules[i].offset << 3),
                        1,
                        2,
                        3,
                        4,
                };
                struct packet packet = with_headers(60, headers, sizeof(headers));
                struct reflection reflection;

                packet.size = 56 + rules[i].size;
                put16(packet.bytes + 4, (uint16_t) (16 + rules[i].size));
                assert_int_equal(check(&policies[PEERS], packet.bytes, packet.size), rules[i].verdict);
                if (rules[i].verdict == VERDICT_MALFORMED)
                        continue;

                (void) reflect(&policies[PEERS], TIME_OF_DAY, packet.bytes, packet.size, &reflection);
                assert_int_equal(reflection.offset, 8);
                assert_int_equal(reflection.length, 48 + rules[i].size);
                assert_int_equal(packet.bytes[8 + 6], 44);
                assert_int_equal(get16(packet.bytes + 8 + 4), 8 + rules[i].size);
        }
}

/* The addresses of a fragment are checked like those of a whole packet. */
static void test_fragments_of_nobody(void **state)
{
        static const uint8_t header[8] = { 58, 0, 0, 3 << 3, 1, 2, 3, 4 };
        struct packet packet = with_headers(44, header, sizeof(header));
        struct reflection reflection;

        (void) state;

        packet.bytes[8] = 0xff;
        assert_int_equal(check(&policies[PEERS], packet.bytes, packet.size), VERDICT_BAD_SOURCE);
        packet.bytes[8] = 0x20;
        memset(packet.bytes + 24, 0, 16);
        assert_int_equal(check(&policies[PEERS], packet.bytes, packet.size), VERDICT_BAD_DESTINATION);
        packet.bytes[24] = 0xfd;
        assert_int_equal(check(&policies[DESTINATIONS], packet.bytes, packet.size), VERDICT_NOT_OURS);
        packet.bytes[24] = 0xff;
        assert_int_equal(check(&policies[PEERS], packet.bytes, packet.size), VERDICT_GROUP_DESTINATION);

        /* ff02::1 answers with all of its pieces from the peer. */
        packet.bytes[25] = 0x02;
        packet.bytes[39] = 0x01;
        assert_int_equal(check(&policies[PEERS], packet.bytes, packet.size), VERDICT_REPLY_FRAGMENT);
        (void) reflect(&policies[PEERS], TIME_OF_DAY, packet.bytes, packet.size, &reflection);
        assert_memory_equal(packet.bytes + 8, &policies[PEERS].peer_ipv6, 16);
}

/* The checksum of a first fragment cannot be verified; an error in it is the same error in the reply. */
static void test_first_fragment_keeps_every_error(void **state)
{
        static const uint8_t header[8] = { 58, 0, 0, 1, 1, 2, 3, 4 };

        (void) state;

        for (uint32_t checksum = 0; checksum <= UINT16_MAX; checksum++) {
                struct packet packet = with_headers(44, header, sizeof(header));
                struct reflection reflection;
                uint16_t sum;

                put16(packet.bytes + 50, (uint16_t) checksum);
                assert_int_equal(check(&policies[PEERS], packet.bytes, packet.size), VERDICT_REPLY);

                sum = icmp_sum(packet.bytes, packet.bytes + 48, REQUEST_SIZE);
                assert_int_equal(
                        reflect(&policies[PEERS], TIME_OF_DAY, packet.bytes, packet.size, &reflection),
                        VERDICT_REPLY);
                assert_int_equal(icmp_sum(packet.bytes, packet.bytes + 48, REQUEST_SIZE) % 0xffff,
                                 sum % 0xffff);
                assert_int_not_equal(get16(packet.bytes + 50), 0xffff);
        }
}

/* Cuts a message into fragments of @step bytes, reflects each, and puts the replies together. */
static void check_fragmented(const uint8_t *destination, const uint8_t *icmp, size_t size, size_t step)
{
        uint8_t *replies = malloc(size), *buffer = malloc(48 + step), addresses[40] = { 0x60 };
        struct reflection reflection;

        assert_non_null(replies);
        assert_non_null(buffer);

        for (size_t offset = 0; offset < size; offset += step) {
                size_t part = size - offset < step ? size - offset : step;
                bool more = offset + part < size;

                memcpy(buffer, plain_ipv6.bytes, 24);
                memcpy(buffer + 24, destination, 16);
                memset(buffer + 40, 0, 8);
                memcpy(buffer + 48, icmp + offset, part);
                put16(buffer + 4, (uint16_t) (8 + part));
                buffer[6] = 44;
                buffer[40] = 58;
                put16(buffer + 42, (uint16_t) (offset | more));

                assert_true(verdict_is_reply(check(&policies[PEERS], buffer, 48 + part)));
                (void) reflect(&policies[PEERS], TIME_OF_DAY, buffer, 48 + part, &reflection);
                if (offset > 0 || more) {
                        assert_int_equal(reflection.length, 48 + part);
                        assert_int_equal(get16(buffer + 42), offset | more);
                }
                memcpy(addresses + 8, buffer + reflection.offset + 8, 32);
                memcpy(replies + offset, buffer + 48, part);
        }

        assert_int_equal(icmp_sum(addresses, replies, size), 0xffff);
        assert_memory_equal(addresses + 8, &policies[PEERS].peer_ipv6, 16);
        assert_int_equal(replies[0], 129);
        assert_memory_equal(replies + 4, icmp + 4, size - 4);
        free(replies);
        free(buffer);
}

static void test_fragmented(void **state)
{
        static const size_t sizes[] = { 9, 16, 1000, 1453, 1480, 8980, 65527 },
                            steps[] = { 8, 48, 1232, 1448, 8952 };
        static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 0x01 };
        uint64_t random = 1;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
                for (size_t j = 0; j < ARRAY_SIZE(steps); j++)
                        for (unsigned kind = 0; kind < 6; kind++) {
                                const uint8_t *destination = kind < 3 ? plain_ipv6.bytes + 24 : all_nodes;
                                uint8_t *icmp = malloc(8 + sizes[i]), addresses[40] = { 0x60 };

                                assert_non_null(icmp);
                                memcpy(addresses + 8, plain_ipv6.bytes + 8, 16);
                                memcpy(addresses + 24, destination, 16);
                                random_bytes(&random, icmp, 8 + sizes[i]);
                                if (kind % 3 < 2)
                                        memset(icmp, kind % 3 == 0 ? 0x00 : 0xff, 8 + sizes[i]);
                                icmp[0] = 128;
                                put16(icmp + 2, 0);
                                put16(icmp + 2, (uint16_t) ~icmp_sum(addresses, icmp, 8 + sizes[i]));
                                check_fragmented(destination, icmp, 8 + sizes[i], steps[j]);
                                free(icmp);
                        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_headers),
                cmocka_unit_test(test_headers_truncated),
                cmocka_unit_test(test_headers_with_bad_checksum),
                cmocka_unit_test(test_every_option),
                cmocka_unit_test(test_random_headers),
                cmocka_unit_test(test_fragments),
                cmocka_unit_test(test_fragments_behind_headers),
                cmocka_unit_test(test_fragments_of_nobody),
                cmocka_unit_test(test_first_fragment_keeps_every_error),
                cmocka_unit_test(test_fragmented),
        };

        return cmocka_run_group_tests(tests, policies_set_up, NULL);
}
