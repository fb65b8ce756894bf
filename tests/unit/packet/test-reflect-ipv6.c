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
                cmocka_unit_test(test_every_option),
                cmocka_unit_test(test_random_headers),
                cmocka_unit_test(test_first_fragment_keeps_every_error),
                cmocka_unit_test(test_fragmented),
        };

        return cmocka_run_group_tests(tests, policies_set_up, NULL);
}
