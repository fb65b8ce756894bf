/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What reflect() does to IPv4 alone: options and fragments. */

#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "packets.h"
#include "unit.h"

#define REQUEST_SIZE 24 /* bytes of ICMP behind the header */

/* The echo request of plain_ipv4, behind other options. */
static struct packet with_options(const uint8_t *options, size_t size)
{
        struct packet packet = plain_ipv4;

        assert_int_equal(size % 4, 0);
        packet.bytes[0] = (uint8_t) (0x45 + size / 4);
        memcpy(packet.bytes + 20, options, size);
        memcpy(packet.bytes + 20 + size, plain_ipv4.bytes + 20, REQUEST_SIZE);
        packet.size = 20 + size + REQUEST_SIZE;
        put16(packet.bytes + 2, (uint16_t) packet.size);
        repair(packet.bytes, packet.size);
        return packet;
}

/* Checks the header alone, without the message. */
static void check_without_message(const struct packet *packet)
{
        struct packet header = *packet;

        header.size = (packet->bytes[0] & 0x0fU) * 4;
        put16(header.bytes + 2, (uint16_t) header.size);
        assert_false(verdict_is_reply(check_repaired(&policies[PEERS], header)));
}

/* The bytes of options, those of the reply's, and the verdict; 198.18.0.2 is c6 12 00 02. */
static void test_options(void **state)
{
        /* clang-format off */
        static const struct {
                const char *what;
                size_t size;
                uint8_t options[40];
                enum verdict verdict;
                size_t reply_size;
                uint8_t reply[40];
        } rules[] = {
                { "none", 0, { 0 }, VERDICT_REPLY, 0, { 0 } },
                { "End", 4, { 0 }, VERDICT_REPLY, 0, { 0 } },
                { "No-Operation", 4, { 1, 1, 1, 1 }, VERDICT_REPLY, 0, { 0 } },
                { "as many as there can be", 40,
                  { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0 }, VERDICT_REPLY, 0, { 0 } },
                { "anything behind End", 8, { 0, 7, 0, 0, 131, 0, 68, 1 }, VERDICT_REPLY, 0, { 0 } },
                { "Router Alert", 4, { 148, 4, 0, 0 }, VERDICT_REPLY, 0, { 0 } },
                { "Router Alert with another value", 4, { 148, 4, 1, 1 }, VERDICT_REPLY, 0, { 0 } },
                { "Router Alert without a value", 4, { 148, 2, 0, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },
                { "Security", 12, { 130, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, VERDICT_REPLY, 0, { 0 } },
                { "Stream ID", 4, { 136, 4, 0, 1 }, VERDICT_REPLY, 0, { 0 } },
                { "unknown", 8, { 94, 7, 1, 2, 3, 4, 5, 0 }, VERDICT_REPLY, 0, { 0 } },
                { "unknown, of two bytes", 4, { 1, 94, 2, 0 }, VERDICT_REPLY, 0, { 0 } },
                { "unknown, twice", 4, { 94, 2, 94, 2 }, VERDICT_REPLY, 0, { 0 } },

                { "length 0", 4, { 94, 0, 0, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },
                { "length 1", 4, { 94, 1, 0, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },
                { "no length, at the end", 4, { 1, 1, 1, 94 }, VERDICT_BAD_OPTION, 0, { 0 } },
                { "beyond the header", 4, { 94, 5, 0, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },
                { "beyond the header by one", 4, { 1, 94, 4, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },
                { "beyond the packet", 4, { 94, 255, 0, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },

                { "Loose Source Route", 8, { 131, 7, 4, 10, 0, 0, 1, 0 }, VERDICT_SOURCE_ROUTE, 0, { 0 } },
                { "Loose Source Route, used up", 8, { 131, 7, 8, 10, 0, 0, 1, 0 }, VERDICT_SOURCE_ROUTE, 0,
                  { 0 } },
                { "Strict Source Route", 8, { 137, 7, 4, 10, 0, 0, 1, 0 }, VERDICT_SOURCE_ROUTE, 0, { 0 } },
                { "Strict Source Route, behind others", 8, { 1, 94, 2, 137, 3, 8, 0, 0 },
                  VERDICT_SOURCE_ROUTE, 0, { 0 } },
                { "Loose Source Route of length 0", 4, { 131, 0, 4, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },

                { "Record Route", 8, { 7, 7, 4, 0, 0, 0, 0, 0 }, VERDICT_REPLY,
                  8, { 7, 7, 8, 0xc6, 0x12, 0x00, 0x02, 0 } },
                { "Record Route with one entry", 12, { 7, 11, 8, 10, 0, 0, 1, 0, 0, 0, 0, 1 }, VERDICT_REPLY,
                  12, { 7, 11, 12, 10, 0, 0, 1, 0xc6, 0x12, 0x00, 0x02, 0 } },
                { "Record Route, the longest", 40, { 7, 39, 36 }, VERDICT_REPLY,
                  40, { 7, 39, 40, [35] = 0xc6, 0x12, 0x00, 0x02 } },
                { "Record Route, full", 8, { 7, 7, 8, 10, 0, 0, 1, 0 }, VERDICT_REPLY,
                  8, { 7, 7, 8, 10, 0, 0, 1, 0 } },
                { "Record Route, far beyond full", 8, { 7, 7, 255, 10, 0, 0, 1, 0 }, VERDICT_REPLY,
                  8, { 7, 7, 255, 10, 0, 0, 1, 0 } },
                { "Record Route without space for an entry", 4, { 7, 3, 4, 0 }, VERDICT_REPLY,
                  4, { 7, 3, 4, 0 } },
                { "Record Route moves to the front", 12, { 1, 1, 1, 94, 2, 7, 7, 4, 0, 0, 0, 0 },
                  VERDICT_REPLY,
                  8, { 7, 7, 8, 0xc6, 0x12, 0x00, 0x02, 0 } },
                { "Record Route, pointer 3", 8, { 7, 7, 3, 0, 0, 0, 0, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },
                { "Record Route, pointer 0", 8, { 7, 7, 0, 0, 0, 0, 0, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },
                { "Record Route without a pointer", 4, { 7, 2, 0, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },
                { "Record Route, space for half an entry", 8, { 7, 6, 4, 0, 0, 0, 0, 0 }, VERDICT_BAD_OPTION,
                  0, { 0 } },
                { "Record Route, pointer in between", 8, { 7, 7, 5, 0, 0, 0, 0, 0 }, VERDICT_BAD_OPTION, 0,
                  { 0 } },
                { "Record Route, half an entry left behind ours", 12, { 7, 9, 4 }, VERDICT_BAD_OPTION, 0,
                  { 0 } },
                { "Record Route, twice", 8, { 7, 3, 4, 7, 3, 4, 0, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },

                { "Timestamp, times", 8, { 68, 8, 5, 0x00, 0, 0, 0, 0 }, VERDICT_REPLY,
                  8, { 68, 8, 9, 0x00, 0x01, 0x23, 0x45, 0x67 } },
                { "Timestamp, times, a second one", 12, { 68, 12, 9, 0x00, 1, 1, 1, 1, 0, 0, 0, 0 },
                  VERDICT_REPLY,
                  12, { 68, 12, 13, 0x00, 1, 1, 1, 1, 0x01, 0x23, 0x45, 0x67 } },
                { "Timestamp, times, with an overflow but space left", 8, { 68, 8, 5, 0xf0, 0, 0, 0, 0 },
                  VERDICT_REPLY,
                  8, { 68, 8, 9, 0xf0, 0x01, 0x23, 0x45, 0x67 } },
                { "Timestamp, times, full", 8, { 68, 8, 9, 0x00, 1, 1, 1, 1 }, VERDICT_REPLY,
                  8, { 68, 8, 9, 0x10, 1, 1, 1, 1 } },
                { "Timestamp, times, full, overflow 14", 8, { 68, 8, 9, 0xe0, 1, 1, 1, 1 }, VERDICT_REPLY,
                  8, { 68, 8, 9, 0xf0, 1, 1, 1, 1 } },
                { "Timestamp, times, full, overflow 15", 8, { 68, 8, 9, 0xf0, 1, 1, 1, 1 },
                  VERDICT_BAD_OPTION,
                  0, { 0 } },
                { "Timestamp without space for an entry", 4, { 68, 4, 5, 0x00 }, VERDICT_REPLY,
                  4, { 68, 4, 5, 0x10 } },
                { "Timestamp, addresses", 12, { 68, 12, 5, 0x01 }, VERDICT_REPLY,
                  12, { 68, 12, 13, 0x01, 0xc6, 0x12, 0x00, 0x02, 0x01, 0x23, 0x45, 0x67 } },
                { "Timestamp, addresses, full", 12, { 68, 12, 13, 0x21, 1, 2, 3, 4, 5, 6, 7, 8 },
                  VERDICT_REPLY,
                  12, { 68, 12, 13, 0x31, 1, 2, 3, 4, 5, 6, 7, 8 } },
                { "Timestamp, addresses, space for two", 20, { 68, 20, 5, 0x01 }, VERDICT_REPLY,
                  20, { 68, 20, 13, 0x01, 0xc6, 0x12, 0x00, 0x02, 0x01, 0x23, 0x45, 0x67 } },
                { "Timestamp, own address", 12, { 68, 12, 5, 0x03, 0xc6, 0x12, 0x00, 0x02 }, VERDICT_REPLY,
                  12, { 68, 12, 13, 0x03, 0xc6, 0x12, 0x00, 0x02, 0x01, 0x23, 0x45, 0x67 } },
                { "Timestamp, own address, after another", 20,
                  { 68, 20, 13, 0x03, 10, 0, 0, 1, 1, 1, 1, 1, 0xc6, 0x12, 0x00, 0x02 }, VERDICT_REPLY,
                  20,
                  { 68, 20, 21, 3, 10, 0, 0, 1, 1, 1, 1, 1, 0xc6, 0x12, 0, 2, 0x01, 0x23, 0x45, 0x67 } },
                { "Timestamp, own address, and space for a time alone", 16,
                  { 68, 16, 5, 0x03, 0xc6, 0x12, 0x00, 0x02 }, VERDICT_REPLY,
                  16, { 68, 16, 13, 0x03, 0xc6, 0x12, 0x00, 0x02, 0x01, 0x23, 0x45, 0x67 } },
                { "Timestamp, own address, and space for less", 16,
                  { 68, 15, 5, 0x03, 0xc6, 0x12, 0x00, 0x02 }, VERDICT_BAD_OPTION, 0, { 0 } },
                { "Timestamp, another address", 12, { 68, 12, 5, 0x03, 10, 0, 0, 1, 0, 0, 0, 0 },
                  VERDICT_REPLY,
                  12, { 68, 12, 5, 0x03, 10, 0, 0, 1, 0, 0, 0, 0 } },
                { "Timestamp, another address, full, overflow 15", 12,
                  { 68, 12, 13, 0xf3, 10, 0, 0, 1, 1, 1, 1, 1 },
                  VERDICT_REPLY,
                  12, { 68, 12, 13, 0xf3, 10, 0, 0, 1, 1, 1, 1, 1 } },
                { "Timestamp of an unknown kind", 8, { 68, 8, 5, 0x02, 1, 2, 3, 4 }, VERDICT_REPLY,
                  8, { 68, 8, 5, 0x02, 1, 2, 3, 4 } },
                { "Timestamp, pointer 4", 8, { 68, 8, 4, 0, 0, 0, 0, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },
                { "Timestamp without flags", 4, { 68, 3, 5, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },
                { "Timestamp, space for half a time", 8, { 68, 6, 5, 0, 0, 0, 0, 0 }, VERDICT_BAD_OPTION, 0,
                  { 0 } },
                { "Timestamp, addresses, space for one alone", 8, { 68, 8, 5, 1, 0, 0, 0, 0 },
                  VERDICT_BAD_OPTION, 0, { 0 } },
                { "Timestamp, space for less after the new entry", 12, { 68, 10, 5, 0 },
                  VERDICT_BAD_OPTION, 0,
                  { 0 } },
                { "Timestamp, twice", 8, { 68, 4, 5, 0, 68, 4, 5, 0 }, VERDICT_BAD_OPTION, 0, { 0 } },

                { "both, in the other order", 16, { 68, 8, 5, 0, 0, 0, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0 },
                  VERDICT_REPLY,
                  16, { 7, 7, 8, 0xc6, 0x12, 0x00, 0x02, 68, 8, 9, 0, 0x01, 0x23, 0x45, 0x67, 0 } },
                { "both, and a source route", 20,
                  { 68, 8, 5, 0, 0, 0, 0, 0, 7, 7, 4, 0, 0, 0, 0, 131, 3, 4, 0, 0 },
                  VERDICT_SOURCE_ROUTE, 0, { 0 } },
        };
        /* clang-format on */

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct packet packet = with_options(rules[i].options, rules[i].size);
                struct reflection reflection;
                enum verdict verdict;
                const uint8_t *reply;

                (void) check(&policies[PEERS], packet.bytes, packet.size);
                check_without_message(&packet);
                verdict = reflect(&policies[PEERS], TIME_OF_DAY, packet.bytes, packet.size, &reflection);
                if (verdict != rules[i].verdict)
                        fail_msg("%s: %s", rules[i].what, verdict_name(verdict));
                if (verdict != VERDICT_REPLY)
                        continue;

                /* The message stays where it is, and the header ends in front of it. */
                reply = packet.bytes + reflection.offset;
                if (reflection.length != 20 + rules[i].reply_size + REQUEST_SIZE ||
                    memcmp(reply + 20, rules[i].reply, rules[i].reply_size) != 0)
                        fail_msg("%s: another reply", rules[i].what);
                assert_int_equal(reflection.offset + reflection.length, packet.size);
                assert_int_equal(reply[0], 0x45 + rules[i].reply_size / 4);
                assert_int_equal(get16(reply + 2), reflection.length);
                assert_int_equal(slow_sum(0, reply, 20 + rules[i].reply_size), 0xffff);
        }
}

/* The address that was pinged is entered, and where a group was, the peer's. */
static void test_options_of_group(void **state)
{
        static const uint8_t route[] = { 7, 7, 4, 0, 0, 0, 0, 0 };
        struct packet packet = with_options(route, sizeof(route));
        struct reflection reflection;

        (void) state;

        memset(packet.bytes + 16, 0xff, 4);
        assert_int_equal(check_repaired(&policies[BROADCAST], packet), VERDICT_REPLY);
        repair(packet.bytes, packet.size);
        assert_int_equal(reflect(&policies[BROADCAST], TIME_OF_DAY, packet.bytes, packet.size, &reflection),
                         VERDICT_REPLY);
        assert_memory_equal(packet.bytes + 23, &policies[BROADCAST].peer_ipv4, 4);
}

static void test_times_of_day(void **state)
{
        static const uint8_t timestamp[] = { 68, 8, 5, 0, 0, 0, 0, 0 };
        static const uint32_t times[] = { 0, 1, 0xff, 0x100, 0xffff, 0x10000, 86399999 };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
                struct packet packet = with_options(timestamp, sizeof(timestamp));
                struct reflection reflection;

                assert_int_equal(reflect(&policies[PEERS], times[i], packet.bytes, packet.size, &reflection),
                                 VERDICT_REPLY);
                assert_int_equal(get16(packet.bytes + 24), times[i] >> 16);
                assert_int_equal(get16(packet.bytes + 26), times[i] & 0xffff);
                assert_int_equal(slow_sum(0, packet.bytes, 28), 0xffff);
        }
}

/* Whatever the options are: each kind with each length, pointer, and flags, at each place. */
static void test_every_option(void **state)
{
        static const uint8_t kinds[] = { 0, 1, 7, 68, 94, 130, 131, 136, 137, 148 };

        (void) state;

        for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++)
                for (unsigned length = 0; length <= 44; length++)
                        for (unsigned pointer = 0; pointer <= 44; pointer++)
                                for (unsigned flags = 0; flags < 5; flags++)
                                        for (size_t place = 0; place < 12; place += 3) {
                                                uint8_t options[40] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

                                                options[place] = kinds[kind];
                                                options[place + 1] = (uint8_t) length;
                                                options[place + 2] = (uint8_t) pointer;
                                                options[place + 3] = (uint8_t) (flags == 4 ? 0xf0 : flags);
                                                for (size_t size = 8; size <= 40; size += 32) {
                                                        struct packet packet = with_options(options, size);

                                                        (void) check(&policies[PEERS], packet.bytes,
                                                                     packet.size);
                                                }
                                        }
}

static void test_random_options(void **state)
{
        static const uint8_t kinds[] = { 1, 1, 1, 0, 7, 7, 68, 68, 94, 131, 148 };
        uint32_t n_replies = 0;
        uint64_t random = 1;

        (void) state;

        for (unsigned round = 0; round < 300000; round++) {
                size_t size = 4 * (1 + random_word(&random) % 10), position = 0;
                uint8_t options[40] = { 0 };
                struct packet packet;

                while (position + 4 <= size && random_word(&random) % 8 > 0) {
                        options[position] = kinds[random_word(&random) % ARRAY_SIZE(kinds)];
                        if (options[position++] <= 1)
                                continue;
                        options[position] = (uint8_t) (3 + random_word(&random) % 14);
                        options[position + 1] = (uint8_t) (4 + random_word(&random) % 12);
                        options[position + 2] = (uint8_t) (random_word(&random) % 4);
                        position += options[position] - 1U;
                }
                if (random_word(&random) % 4 == 0)
                        options[random_word(&random) % size] = (uint8_t) random_word(&random);

                packet = with_options(options, size);
                n_replies += check(&policies[PEERS], packet.bytes, packet.size) == VERDICT_REPLY;
        }

        /* Else the options do not lead anywhere. */
        assert_in_range(n_replies, 10000, 290000);
}

/* The checksum of a first fragment cannot be verified; an error in it is the same error in the reply. */
static void check_every_error(struct packet packet)
{
        packet.bytes[6] = 0x20;
        repair(packet.bytes, packet.size);

        for (uint32_t checksum = 0; checksum <= UINT16_MAX; checksum++) {
                struct packet request = packet;
                struct reflection reflection;
                uint16_t sum;

                put16(request.bytes + 22, (uint16_t) checksum);
                assert_int_equal(check(&policies[PEERS], request.bytes, request.size), VERDICT_REPLY);

                sum = slow_sum(0, request.bytes + 20, REQUEST_SIZE);
                (void) reflect(&policies[PEERS], TIME_OF_DAY, request.bytes, request.size, &reflection);
                assert_int_equal(slow_sum(0, request.bytes + 20, REQUEST_SIZE) % 0xffff, sum % 0xffff);
        }
}

static void test_first_fragment_keeps_every_error(void **state)
{
        static const size_t places[] = { 21, 25, 27, 28, 43 };
        struct packet zeros = plain_ipv4;

        (void) state;

        check_every_error(plain_ipv4);
        memset(zeros.bytes + 21, 0, REQUEST_SIZE - 1);
        check_every_error(zeros);

        /* All zero but for one byte: of the code, the identifier, the sequence number, the data */
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                struct packet packet = zeros;

                packet.bytes[places[i]] = 1;
                check_every_error(packet);
        }
}

/* Cuts a message into fragments of @step bytes, reflects each, and puts the replies together. */
static void check_fragmented(const uint8_t *icmp, size_t size, size_t step, size_t n_options)
{
        uint8_t *replies = malloc(size), *buffer = malloc(20 + n_options + step);
        struct reflection reflection;

        assert_non_null(replies);
        assert_non_null(buffer);

        for (size_t offset = 0; offset < size; offset += step) {
                size_t part = size - offset < step ? size - offset : step, header = 20 + n_options;
                uint16_t place = (uint16_t) (offset / 8);

                if (offset + part < size)
                        place |= 0x2000;

                memcpy(buffer, plain_ipv4.bytes, 20);
                memset(buffer + 20, 1, n_options);
                memcpy(buffer + header, icmp + offset, part);
                buffer[0] = (uint8_t) (0x40 + header / 4);
                put16(buffer + 2, (uint16_t) (header + part));
                put16(buffer + 6, place);
                put16(buffer + 10, 0);
                put16(buffer + 10, (uint16_t) ~slow_sum(0, buffer, header));

                assert_true(verdict_is_reply(check(&policies[PEERS], buffer, header + part)));
                (void) reflect(&policies[PEERS], TIME_OF_DAY, buffer, header + part, &reflection);
                assert_int_equal(reflection.length, 20 + part);
                assert_int_equal(get16(buffer + reflection.offset + 6), place);
                memcpy(replies + offset, buffer + reflection.offset + 20, part);
        }

        assert_int_equal(slow_sum(0, replies, size), 0xffff);
        assert_int_equal(replies[0], 0);
        assert_memory_equal(replies + 1, icmp + 1, 1);
        assert_memory_equal(replies + 4, icmp + 4, size - 4);
        free(replies);
        free(buffer);
}

static void test_fragmented(void **state)
{
        static const size_t sizes[] = { 9, 16, 1000, 1473, 1480, 8980, 65507 },
                            steps[] = { 8, 48, 1256, 1480, 8976 };
        uint64_t random = 1;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
                for (size_t j = 0; j < ARRAY_SIZE(steps); j++)
                        for (unsigned kind = 0; kind < 3; kind++) {
                                size_t size = 8 + sizes[i];
                                uint8_t *icmp = malloc(size);

                                assert_non_null(icmp);
                                random_bytes(&random, icmp, size);
                                if (kind < 2)
                                        memset(icmp, kind == 0 ? 0x00 : 0xff, size);
                                icmp[0] = 8;
                                icmp[1] = 0;
                                put16(icmp + 2, 0);
                                put16(icmp + 2, (uint16_t) ~slow_sum(0, icmp, size));
                                check_fragmented(icmp, size, steps[j], 0);
                                if (size <= UINT16_MAX - 60)
                                        check_fragmented(icmp, size, steps[j], 40);
                                free(icmp);
                        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_options_of_group),
                cmocka_unit_test(test_times_of_day),
                cmocka_unit_test(test_every_option),
                cmocka_unit_test(test_random_options),
                cmocka_unit_test(test_first_fragment_keeps_every_error),
                cmocka_unit_test(test_fragmented),
        };

        return cmocka_run_group_tests(tests, policies_set_up, NULL);
}
