/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Tests of reflect() against two references: packets and their replies as bytes, and a model that computes
 * everything independently. This file has the tests of both families; those of one family are in
 * test-reflect-ipv4.c and test-reflect-ipv6.c. The verdict of each rule is that of a seed in tests/fuzz/seeds.py.
 */

#include "packet/policy.h"
#include "packet/reflect.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "packets.h"
#include "unit.h"

static bool is_ipv4(const struct packet *packet)
{
        return packet->bytes[0] >> 4 == 4;
}

/* Reflects a golden request, at some distance from where the allocator aligns it, with padding behind it. */
static void check_golden(const struct golden *golden, size_t alignment, size_t padding)
{
        size_t size = alignment + golden->request.size + padding;
        struct reflection reflection;
        uint8_t *packet, *expected;
        enum verdict verdict;

        packet = malloc(size);
        assert_non_null(packet);
        memset(packet, 0xa5, size);
        memcpy(packet + alignment, golden->request.bytes, golden->request.size);
        expected = exact_copy(packet, size);
        memcpy(expected + alignment + golden->offset, golden->reply.bytes, golden->reply.size);

        verdict = reflect(&policies[PLAIN], TIME_OF_DAY, packet + alignment, size - alignment, &reflection);
        if (!verdict_is_reply(verdict) || memcmp(packet, expected, size) != 0)
                fail_msg("%s: %s", golden->what, verdict_name(verdict));
        assert_int_equal(reflection.offset, golden->offset);
        assert_int_equal(reflection.length, golden->reply.size);

        free(packet);
        free(expected);
}

/* At every alignment, and with padding. */
static void test_golden(void **state)
{
        (void) state;

        for (size_t i = 0; i < N_GOLDENS; i++) {
                for (size_t alignment = 0; alignment < 16; alignment++)
                        check_golden(&goldens[i], alignment, 0);
                for (size_t padding = 1; padding <= 20; padding++)
                        check_golden(&goldens[i], 0, padding);
        }
}

/* The model must be correct for these, before it is a reference for others. */
static void test_golden_of_the_model(void **state)
{
        (void) state;

        for (size_t i = 0; i < N_GOLDENS; i++) {
                struct packet packet = goldens[i].request;
                struct reflection reflection;

                assert_true(verdict_is_reply(model_reflect(&policies[PLAIN], TIME_OF_DAY, packet.bytes,
                                                           packet.size, &reflection)));
                assert_int_equal(reflection.offset, goldens[i].offset);
                assert_int_equal(reflection.length, goldens[i].reply.size);
                assert_memory_equal(packet.bytes + reflection.offset, goldens[i].reply.bytes, reflection.length);
        }
}

static void test_truncated(void **state)
{
        (void) state;

        for (size_t i = 0; i < N_GOLDENS; i++) {
                for (size_t size = 0; size < goldens[i].request.size; size++)
                        assert_int_equal(check(&policies[PEERS], goldens[i].request.bytes, size),
                                         VERDICT_MALFORMED);
                for (size_t size = 0; size < goldens[i].reply.size; size++)
                        assert_int_equal(check(&policies[PEERS], goldens[i].reply.bytes, size),
                                         VERDICT_MALFORMED);
        }
}

/* As above, but with the length in the header to match, and right checksums. */
static void test_truncated_with_its_length(void **state)
{
        (void) state;

        for (size_t i = 0; i < N_GOLDENS; i++)
                for (size_t size = 0; size < goldens[i].request.size; size++) {
                        struct packet packet = goldens[i].request;
                        size_t fixed = is_ipv4(&packet) ? 20 : 40;
                        enum verdict verdict;

                        if (is_ipv4(&packet))
                                put16(packet.bytes + 2, (uint16_t) size);
                        else
                                put16(packet.bytes + 4, (uint16_t) (size < fixed ? 0 : size - fixed));
                        packet.size = size;

                        verdict = check_repaired(&policies[PEERS], packet);
                        if (size < fixed + 1)
                                assert_int_equal(verdict, VERDICT_MALFORMED);
                }
}

/* Without options or extension headers, 8 bytes of ICMP are enough, and 7 are not. */
static void test_shortest(void **state)
{
        (void) state;

        for (size_t data = 0; data < 16; data++) {
                struct packet ipv4 = plain_ipv4, ipv6 = plain_ipv6;

                ipv4.size = 20 + data;
                put16(ipv4.bytes + 2, (uint16_t) ipv4.size);
                ipv6.size = 40 + data;
                put16(ipv6.bytes + 4, (uint16_t) data);
                assert_int_equal(check_repaired(&policies[PEERS], ipv4),
                                 data < 8 ? VERDICT_MALFORMED : VERDICT_REPLY);
                assert_int_equal(check_repaired(&policies[PEERS], ipv6),
                                 data < 8 ? VERDICT_MALFORMED : VERDICT_REPLY);
        }
}

/* From whom, to whom, with which policy; and where it is answered, from whom. */
static void test_addresses(void **state)
{
        static const struct {
                int policy;
                const char *source, *destination;
                enum verdict verdict;
                const char *answer;
        } rules[] = {
                { PEERS, "198.18.0.1", "198.18.0.2", VERDICT_REPLY, "198.18.0.2" },
                { PEERS, "198.18.0.2", "198.18.0.1", VERDICT_REPLY, "198.18.0.1" },
                { PEERS, "10.1.2.3", "198.51.100.77", VERDICT_REPLY, "198.51.100.77" },
                { PEERS, "1.0.0.0", "223.255.255.255", VERDICT_REPLY, "223.255.255.255" },
                { PEERS, "126.255.255.255", "128.0.0.0", VERDICT_REPLY, "128.0.0.0" },
                { PEERS, "192.168.255.255", "192.168.0.0", VERDICT_REPLY, "192.168.0.0" },
                { PEERS, "169.254.1.1", "169.254.1.2", VERDICT_REPLY, "169.254.1.2" },
                { PEERS, "0.0.0.0", "198.18.0.2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "0.255.255.255", "198.18.0.2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "127.0.0.1", "198.18.0.2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "127.255.255.255", "198.18.0.2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "224.0.0.1", "198.18.0.2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "239.255.255.255", "198.18.0.2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "240.0.0.0", "198.18.0.2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "255.255.255.254", "198.18.0.2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "255.255.255.255", "198.18.0.2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "198.18.0.255", "198.18.0.2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "10.255.255.255", "198.18.0.2", VERDICT_BAD_SOURCE, NULL },
                { PLAIN, "198.18.0.255", "198.18.0.2", VERDICT_REPLY, "198.18.0.2" },
                { PEERS, "198.18.0.2", "198.18.0.2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "198.18.0.1", "0.0.0.0", VERDICT_BAD_DESTINATION, NULL },
                { PEERS, "198.18.0.1", "0.1.2.3", VERDICT_BAD_DESTINATION, NULL },
                { PEERS, "198.18.0.1", "127.0.0.1", VERDICT_BAD_DESTINATION, NULL },
                { PEERS, "198.18.0.1", "127.255.255.255", VERDICT_BAD_DESTINATION, NULL },
                { PEERS, "198.18.0.1", "240.0.0.0", VERDICT_BAD_DESTINATION, NULL },
                { PEERS, "198.18.0.1", "255.255.255.254", VERDICT_BAD_DESTINATION, NULL },
                { PEERS, "198.18.0.1", "255.255.255.255", VERDICT_GROUP_DESTINATION, NULL },
                { PEERS, "198.18.0.1", "198.18.0.255", VERDICT_GROUP_DESTINATION, NULL },
                { PEERS, "198.18.0.1", "10.255.255.255", VERDICT_GROUP_DESTINATION, NULL },
                { PEERS, "198.18.0.1", "224.0.0.1", VERDICT_GROUP_DESTINATION, NULL },
                { PEERS, "198.18.0.1", "239.255.255.255", VERDICT_GROUP_DESTINATION, NULL },
                { PLAIN, "198.18.0.1", "198.18.0.255", VERDICT_REPLY, "198.18.0.255" },

                { BROADCAST, "198.18.0.1", "198.18.0.7", VERDICT_REPLY, "198.18.0.7" },
                { BROADCAST, "198.18.0.1", "255.255.255.255", VERDICT_REPLY, "198.18.0.2" },
                { BROADCAST, "198.18.0.1", "198.18.0.255", VERDICT_REPLY, "198.18.0.2" },
                { BROADCAST, "198.18.0.1", "10.255.255.255", VERDICT_REPLY, "198.18.0.2" },
                { BROADCAST, "198.18.0.1", "224.0.0.1", VERDICT_REPLY, "198.18.0.2" },
                { BROADCAST, "198.18.0.1", "239.1.2.3", VERDICT_REPLY, "198.18.0.2" },
                { BROADCAST, "198.18.0.2", "198.18.0.255", VERDICT_BAD_SOURCE, NULL },
                { BROADCAST, "198.18.0.255", "198.18.0.255", VERDICT_BAD_SOURCE, NULL },
                { BROADCAST, "198.18.0.1", "240.0.0.1", VERDICT_BAD_DESTINATION, NULL },
                { BROADCAST_WITHOUT_PEER, "198.18.0.1", "255.255.255.255", VERDICT_GROUP_DESTINATION, NULL },
                { BROADCAST_WITHOUT_PEER, "198.18.0.1", "224.0.0.1", VERDICT_GROUP_DESTINATION, NULL },

                { DESTINATION_IPV4, "198.18.0.1", "198.18.0.2", VERDICT_REPLY, "198.18.0.2" },
                { DESTINATION_IPV4, "198.18.0.1", "198.18.0.3", VERDICT_NOT_OURS, NULL },
                { DESTINATION_IPV4, "198.18.0.1", "224.0.0.1", VERDICT_NOT_OURS, NULL },
                { DESTINATION_IPV4, "2001:2::1", "2001:2::2", VERDICT_NOT_OURS, NULL },
                { DESTINATION_IPV4, "2001:2::1", "ff02::1", VERDICT_NOT_OURS, NULL },
                { DESTINATION_IPV6, "198.18.0.1", "198.18.0.2", VERDICT_NOT_OURS, NULL },
                { DESTINATION_IPV6, "2001:2::1", "2001:2::7", VERDICT_REPLY, "2001:2::7" },
                { DESTINATION_IPV6, "2001:2::1", "2001:2::8", VERDICT_NOT_OURS, NULL },
                { DESTINATIONS, "198.18.0.1", "198.18.0.3", VERDICT_REPLY, "198.18.0.3" },
                { DESTINATIONS, "198.18.0.1", "198.18.0.4", VERDICT_NOT_OURS, NULL },
                { DESTINATIONS, "198.18.0.1", "198.18.1.2", VERDICT_NOT_OURS, NULL },
                { DESTINATIONS, "198.18.0.1", "224.0.0.1", VERDICT_REPLY, "198.18.0.2" },
                { DESTINATIONS, "2001:2::1", "2001:2::2", VERDICT_REPLY, "2001:2::2" },
                { DESTINATIONS, "2001:2::1", "2001:2::3", VERDICT_NOT_OURS, NULL },
                { DESTINATIONS, "2001:2::1", "ff02::1", VERDICT_REPLY, "2001:2::2" },

                { PEERS, "2001:2::1", "2001:2::2", VERDICT_REPLY, "2001:2::2" },
                { PEERS, "2001:2::1", "2001:db8::1234", VERDICT_REPLY, "2001:db8::1234" },
                { PEERS, "::2", "::3", VERDICT_REPLY, "::3" },
                { PEERS, "::1:0", "::100", VERDICT_REPLY, "::100" },
                { PEERS, "fe80::1", "fe80::2", VERDICT_REPLY, "fe80::2" },
                { PEERS, "fd00::1", "feff::", VERDICT_REPLY, "feff::" },
                { PEERS, "::fffe:1.2.3.4", "::1.2.3.4", VERDICT_REPLY, "::1.2.3.4" },
                { PEERS, "::", "2001:2::2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "::1", "2001:2::2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "::ffff:198.18.0.1", "2001:2::2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "ff02::1", "2001:2::2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "ff00::", "2001:2::2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:2::2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "2001:2::2", "2001:2::2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "2001:2::1", "::", VERDICT_BAD_DESTINATION, NULL },
                { PEERS, "2001:2::1", "::1", VERDICT_BAD_DESTINATION, NULL },
                { PEERS, "2001:2::1", "::ffff:198.18.0.2", VERDICT_BAD_DESTINATION, NULL },
                { PEERS, "2001:2::1", "ff02::1", VERDICT_REPLY, "2001:2::2" },
                { PEERS, "2001:2::1", "ff02::1:ff00:2", VERDICT_REPLY, "2001:2::2" },
                { PEERS, "fe80::1", "ff02::1", VERDICT_REPLY, "fe80::2" },
                { PEERS, "fe80::1", "ff02::1:ff00:2", VERDICT_REPLY, "fe80::2" },
                { PEERS, "febf:ffff::1", "ff02::1", VERDICT_REPLY, "fe80::2" },
                { PEERS, "fec0::1", "ff02::1", VERDICT_REPLY, "2001:2::2" },
                { PEERS, "2001:2::2", "ff02::1", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "fe80::2", "ff02::1", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "fe80::2", "ff02::1:ff00:2", VERDICT_BAD_SOURCE, NULL },
                { PEERS, "2001:2::1", "ff02::1:ff00:3", VERDICT_GROUP_DESTINATION, NULL },
                { PEERS, "2001:2::1", "ff02::1:ff01:2", VERDICT_GROUP_DESTINATION, NULL },
                { PEERS, "2001:2::1", "ff02::1:fe00:2", VERDICT_GROUP_DESTINATION, NULL },
                { PEERS, "2001:2::1", "ff02::", VERDICT_GROUP_DESTINATION, NULL },
                { PEERS, "2001:2::1", "ff02::2", VERDICT_GROUP_DESTINATION, NULL },
                { PEERS, "2001:2::1", "ff01::1", VERDICT_GROUP_DESTINATION, NULL },
                { PEERS, "2001:2::1", "ff05::1", VERDICT_GROUP_DESTINATION, NULL },
                { PEERS, "2001:2::1", "ff12::1", VERDICT_GROUP_DESTINATION, NULL },
                { PEERS, "2001:2::1", "ff05::1:ff00:2", VERDICT_GROUP_DESTINATION, NULL },
                { PLAIN, "2001:2::1", "ff02::1", VERDICT_GROUP_DESTINATION, NULL },
                { PLAIN, "2001:2::1", "ff02::1:ff00:0", VERDICT_GROUP_DESTINATION, NULL },
                { PLAIN, "fe80::1", "ff02::1", VERDICT_GROUP_DESTINATION, NULL },
                { NO_MULTICAST, "2001:2::1", "ff02::1", VERDICT_GROUP_DESTINATION, NULL },
                { NO_MULTICAST, "2001:2::1", "ff02::1:ff00:2", VERDICT_GROUP_DESTINATION, NULL },
                { NO_MULTICAST, "2001:2::1", "2001:2::2", VERDICT_REPLY, "2001:2::2" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                int family = strchr(rules[i].source, ':') ? AF_INET6 : AF_INET;
                size_t source = family == AF_INET ? 12 : 8, size = family == AF_INET ? 4 : 16;
                struct packet packet = family == AF_INET ? plain_ipv4 : plain_ipv6;
                struct reflection reflection;
                uint8_t addresses[32];
                enum verdict verdict;

                assert_int_equal(inet_pton(family, rules[i].source, packet.bytes + source), 1);
                assert_int_equal(inet_pton(family, rules[i].destination, packet.bytes + source + size), 1);
                repair(packet.bytes, packet.size);
                (void) check(&policies[rules[i].policy], packet.bytes, packet.size);

                verdict = reflect(&policies[rules[i].policy], TIME_OF_DAY, packet.bytes, packet.size,
                                  &reflection);
                if (verdict != rules[i].verdict)
                        fail_msg("%s to %s, policy %d: %s instead of %s", rules[i].source,
                                 rules[i].destination, rules[i].policy, verdict_name(verdict),
                                 verdict_name(rules[i].verdict));
                if (!rules[i].answer)
                        continue;

                assert_int_equal(inet_pton(family, rules[i].answer, addresses), 1);
                assert_int_equal(inet_pton(family, rules[i].source, addresses + size), 1);
                assert_memory_equal(packet.bytes + source, addresses, 2 * size);
        }
}

static void test_hop_limits(void **state)
{
        (void) state;

        for (unsigned hop_limit = 1; hop_limit <= 255; hop_limit++)
                for (unsigned arrived = 0; arrived <= 255; arrived++) {
                        struct policy policy = policies[PEERS];
                        struct packet ipv4 = plain_ipv4, ipv6 = plain_ipv6;

                        policy.hop_limit = (uint8_t) hop_limit;
                        ipv4.bytes[8] = ipv6.bytes[7] = (uint8_t) arrived;
                        repair(ipv4.bytes, ipv4.size);
                        assert_int_equal(check(&policy, ipv4.bytes, ipv4.size), VERDICT_REPLY);
                        assert_int_equal(check(&policy, ipv6.bytes, ipv6.size), VERDICT_REPLY);
                }
}

/* Each byte of each request is set to each other value: as it is, and with the checksums right again. */
static void check_every_byte(const struct policy *policy)
{
        for (size_t i = 0; i < N_GOLDENS; i++)
                for (size_t offset = 0; offset < goldens[i].request.size; offset++)
                        for (unsigned change = 1; change <= UINT8_MAX; change++) {
                                struct packet packet = goldens[i].request;

                                packet.bytes[offset] ^= (uint8_t) change;
                                (void) check(policy, packet.bytes, packet.size);
                                (void) check_repaired(policy, packet);
                        }
}

static void test_every_byte(void **state)
{
        (void) state;

        check_every_byte(&policies[PEERS]);
        check_every_byte(&policies[BROADCAST]);
        check_every_byte(&policies[DESTINATIONS]);
}

/* Several changes at once, to get where one does not lead. */
static void test_random_changes(void **state)
{
        static const uint8_t values[] = { 0x00, 0x01, 0x02, 0x04, 0x07, 0x08, 0x2c,
                                          0x3a, 0x44, 0x7f, 0x80, 0xe0, 0xfe, 0xff };
        uint32_t n_verdicts[_VERDICT_MAX] = { 0 };
        uint64_t random = 1;

        (void) state;

        for (unsigned round = 0; round < 500000; round++) {
                const struct policy *policy = &policies[random_word(&random) % ARRAY_SIZE(policies)];
                struct packet packet = goldens[random_word(&random) % N_GOLDENS].request;
                size_t limit = random_word(&random) % 2 == 0 ? packet.size : 40;

                for (uint32_t n = random_word(&random) % 5; n > 0; n--) {
                        uint32_t word = random_word(&random);
                        uint8_t *byte = &packet.bytes[random_word(&random) %
                                                      (limit < packet.size ? limit : packet.size)];

                        *byte = word % 2 == 0 ? (uint8_t) (word >> 8)
                                              : values[(word >> 8) % ARRAY_SIZE(values)];
                }
                if (random_word(&random) % 8 == 0)
                        packet.size = random_word(&random) % PACKET_ROOM;

                if (random_word(&random) % 4 == 0)
                        n_verdicts[check(policy, packet.bytes, packet.size)]++;
                else
                        n_verdicts[check_repaired(policy, packet)]++;
        }

        /* Else the changes do not lead anywhere. */
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                if (n_verdicts[v] < 20)
                        fail_msg("only %u packets are %s", n_verdicts[v], verdict_name(v));
}

/* A request whose identifier takes every value has every checksum that there is, and so has its reply. */
static void check_every_checksum(int policy, struct packet packet, size_t header, uint16_t n_ones_expected)
{
        static bool requests[UINT16_MAX + 1], replies[UINT16_MAX + 1];
        uint32_t n_requests = 0, n_replies = 0;

        memset(requests, 0, sizeof(requests));
        memset(replies, 0, sizeof(replies));

        for (uint32_t word = 0; word <= UINT16_MAX; word++) {
                struct reflection reflection;
                uint8_t *buffer;

                memset(packet.bytes + header + 4, 0, packet.size - header - 4);
                put16(packet.bytes + header + 4, (uint16_t) word);
                repair(packet.bytes, packet.size);
                requests[get16(packet.bytes + header + 2)] = true;
                assert_int_equal(check(&policies[policy], packet.bytes, packet.size), VERDICT_REPLY);

                buffer = exact_copy(packet.bytes, packet.size);
                assert_int_equal(reflect(&policies[policy], TIME_OF_DAY, buffer, packet.size, &reflection),
                                 VERDICT_REPLY);
                assert_int_equal(icmp_sum(buffer, buffer + header, packet.size - header), 0xffff);
                replies[get16(buffer + header + 2)] = true;
                free(buffer);
        }

        for (uint32_t checksum = 0; checksum <= UINT16_MAX; checksum++) {
                n_requests += requests[checksum];
                n_replies += replies[checksum];
        }

        /* All but 0xffff, which only the reply that is all zero has. */
        assert_int_equal(n_requests, UINT16_MAX);
        assert_false(requests[0xffff]);
        assert_int_equal(n_replies, UINT16_MAX + n_ones_expected);
        assert_int_equal(replies[0xffff], n_ones_expected);
}

static void test_every_checksum_ipv4(void **state)
{
        (void) state;
        check_every_checksum(PEERS, plain_ipv4, 20, 1);
}

static void test_every_checksum_ipv6(void **state)
{
        (void) state;
        check_every_checksum(PEERS, plain_ipv6, 40, 0);
}

/* Answered from another address than the one that was pinged: the sum really changes. */
static void test_every_checksum_ipv6_multicast(void **state)
{
        struct packet packet = plain_ipv6;

        (void) state;

        assert_int_equal(inet_pton(AF_INET6, "ff02::1:ff00:2", packet.bytes + 24), 1);
        check_every_checksum(PEERS, packet, 40, 0);
        assert_int_equal(inet_pton(AF_INET6, "fe80::1", packet.bytes + 8), 1);
        check_every_checksum(PEERS, packet, 40, 0);
}

/* A header whose ID takes every value has every checksum; the reply's differs by the TTL, and by the peer's
 * address. */
static void check_every_header_checksum(int policy, const char *destination)
{
        struct packet packet = plain_ipv4;
        static bool seen[UINT16_MAX + 1];
        uint32_t n_seen = 0;

        memset(seen, 0, sizeof(seen));
        assert_int_equal(inet_pton(AF_INET, destination, packet.bytes + 16), 1);

        for (uint32_t id = 0; id <= UINT16_MAX; id++) {
                put16(packet.bytes + 4, (uint16_t) id);
                repair(packet.bytes, packet.size);
                seen[get16(packet.bytes + 10)] = true;
                assert_int_equal(check(&policies[policy], packet.bytes, packet.size), VERDICT_REPLY);
        }

        for (uint32_t checksum = 0; checksum <= UINT16_MAX; checksum++)
                n_seen += seen[checksum];
        assert_int_equal(n_seen, UINT16_MAX);
}

static void test_every_header_checksum(void **state)
{
        (void) state;

        check_every_header_checksum(PEERS, "198.18.0.2");
        check_every_header_checksum(BROADCAST, "198.18.0.255");
        check_every_header_checksum(BROADCAST, "255.255.255.255");
}

/* The one right checksum is answered, and every other one is dropped, not corrected. */
static void check_every_wrong_checksum(struct packet packet, size_t offset, enum verdict dropped)
{
        uint16_t right = get16(packet.bytes + offset);

        for (uint32_t checksum = 0; checksum <= UINT16_MAX; checksum++) {
                bool same = checksum % UINT16_MAX == right % UINT16_MAX;
                enum verdict verdict;

                put16(packet.bytes + offset, (uint16_t) checksum);
                verdict = check(&policies[PEERS], packet.bytes, packet.size);
                assert_int_equal(same, verdict_is_reply(verdict));
                if (!same)
                        assert_int_equal(verdict, dropped);
        }
}

static void test_every_wrong_checksum(void **state)
{
        (void) state;

        for (size_t i = 0; i < N_GOLDENS; i++) {
                const struct packet *request = &goldens[i].request;

                if (is_ipv4(request))
                        check_every_wrong_checksum(*request, 10, VERDICT_BAD_IP_CHECKSUM);
                if (is_ipv4(request) && request->bytes[0] == 0x45 &&
                    (get16(request->bytes + 6) & 0x3fff) == 0)
                        check_every_wrong_checksum(*request, 22, VERDICT_BAD_ICMP_CHECKSUM);
                if (!is_ipv4(request) && request->bytes[6] == IPPROTO_ICMPV6)
                        check_every_wrong_checksum(*request, 42, VERDICT_BAD_ICMP_CHECKSUM);
        }
}

/* A request with the checksum 0xffff where 0x0000 is correct is valid; the reply has the correct one. */
static void test_other_zero(void **state)
{
        struct packet ipv4 = plain_ipv4, ipv6 = plain_ipv6;

        (void) state;

        /* The word that was left becomes what the sum lacks. */
        put16(ipv4.bytes + 4, 0);
        repair(ipv4.bytes, ipv4.size);
        put16(ipv4.bytes + 4, get16(ipv4.bytes + 10));
        put16(ipv4.bytes + 24, 0);
        repair(ipv4.bytes, ipv4.size);
        put16(ipv4.bytes + 24, get16(ipv4.bytes + 22));
        repair(ipv4.bytes, ipv4.size);
        assert_int_equal(get16(ipv4.bytes + 10), 0);
        assert_int_equal(get16(ipv4.bytes + 22), 0);
        put16(ipv4.bytes + 10, 0xffff);
        put16(ipv4.bytes + 22, 0xffff);
        assert_int_equal(check(&policies[PEERS], ipv4.bytes, ipv4.size), VERDICT_REPLY);

        put16(ipv6.bytes + 44, 0);
        repair(ipv6.bytes, ipv6.size);
        put16(ipv6.bytes + 44, get16(ipv6.bytes + 42));
        repair(ipv6.bytes, ipv6.size);
        assert_int_equal(get16(ipv6.bytes + 42), 0);
        put16(ipv6.bytes + 42, 0xffff);
        assert_int_equal(check(&policies[PEERS], ipv6.bytes, ipv6.size), VERDICT_REPLY);
}

/* A sum of 0xffff is not that of all-zero data, wherever it comes from: the reply has the other zero then. */
static void test_zero_and_ones_differ(void **state)
{
        static const struct {
                size_t offset;
                uint8_t bytes[2];
                uint16_t checksum;
        } rules[] = {
                { 24, { 0x00, 0x00 }, 0xffff },
                { 24, { 0xff, 0xff }, 0x0000 },
                { 26, { 0xff, 0xff }, 0x0000 },
                { 28, { 0xff, 0xff }, 0x0000 },
                { 30, { 0xff, 0xff }, 0x0000 },
                { 42, { 0xff, 0xff }, 0x0000 },
                { 42, { 0x00, 0x01 }, 0xfffe },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct packet packet = plain_ipv4;
                struct reflection reflection;

                memset(packet.bytes + 22, 0, packet.size - 22);
                memcpy(packet.bytes + rules[i].offset, rules[i].bytes, sizeof(rules[i].bytes));
                repair(packet.bytes, packet.size);
                assert_int_equal(check(&policies[PEERS], packet.bytes, packet.size), VERDICT_REPLY);
                (void) reflect(&policies[PEERS], TIME_OF_DAY, packet.bytes, packet.size, &reflection);
                assert_int_equal(get16(packet.bytes + 22), rules[i].checksum);
        }
}

/* Every size that a packet can have, at its ends and in the middle, with data of three kinds. */
static void test_sizes(void **state)
{
        static const size_t sizes[] = {
                1000, 1452, 1472, 1473, 8191, 8972, 65506, 65507, 65508, 65526, 65527
        };
        static uint8_t packet[65575];
        uint64_t random = 1;

        (void) state;

        for (size_t i = 0; i < 300 + ARRAY_SIZE(sizes); i++)
                for (size_t family = 0; family < 2; family++)
                        for (unsigned kind = 0; kind < 3; kind++) {
                                size_t header = family == 0 ? 20 : 40, data = i < 300 ? i : sizes[i - 300];
                                size_t size = header + 8 + data;

                                if (family == 0 && size > UINT16_MAX)
                                        continue;

                                memcpy(packet, family == 0 ? plain_ipv4.bytes : plain_ipv6.bytes, header + 8);
                                put16(packet + (family == 0 ? 2 : 4),
                                      (uint16_t) (family == 0 ? size : size - header));
                                memset(packet + header + 8, kind == 0 ? 0x00 : 0xff, data);
                                if (kind == 2)
                                        random_bytes(&random, packet + header + 8, data);
                                repair(packet, size);
                                assert_int_equal(check(&policies[PEERS], packet, size), VERDICT_REPLY);
                        }
}

/* The parsed header fields of a packet; those that were not parsed are 0. */
static void test_packet_info(void **state)
{
        /* clang-format off */
        static const struct {
                const char *what;
                const struct packet *packet;
                size_t size;
                size_t offset;
                uint8_t value;
                enum verdict verdict;
                bool has_addresses;
                uint8_t protocol, hop_limit;
                bool is_fragment, has_icmp;
                uint8_t type, code;
                bool is_echo;
                uint16_t identifier, sequence;
        } rules[] = {
                { "IPv4 request", &plain_ipv4, 44, 8, 63, VERDICT_REPLY, true, 1, 63, false, true, 8, 0, true,
                  0x1234, 1 },
                { "IPv4 code", &plain_ipv4, 44, 21, 5, VERDICT_REPLY, true, 1, 63, false, true, 8, 5, true,
                  0x1234, 1 },
                { "IPv4 reply", &plain_ipv4, 44, 20, 0, VERDICT_NOT_ECHO, true, 1, 63, false, true, 0, 0,
                  true, 0x1234, 1 },
                { "IPv4 error", &plain_ipv4, 44, 20, 3, VERDICT_ICMP_ERROR, true, 1, 63, false, true, 3, 0,
                  false, 0, 0 },
                { "UDP", &plain_ipv4, 44, 9, 17, VERDICT_NOT_ICMP, true, 17, 63, false, false, 0, 0, false, 0,
                  0 },
                { "IPv4 later", &plain_ipv4, 44, 7, 1, VERDICT_REPLY_FRAGMENT, true, 1, 63, true, false, 0, 0,
                  false, 0, 0 },
                { "IPv4 first", &plain_ipv4, 44, 6, 0x20, VERDICT_REPLY, true, 1, 63, true, true, 8, 0, true,
                  0x1234, 1 },
                { "IPv4 short", &plain_ipv4, 43, 8, 63, VERDICT_MALFORMED, false, 0, 0, false, false, 0, 0,
                  false, 0, 0 },
                { "nothing", &plain_ipv4, 0, 8, 63, VERDICT_MALFORMED, false, 0, 0, false, false, 0, 0, false,
                  0, 0 },
                { "IPv6 request", &plain_ipv6, 64, 7, 9, VERDICT_REPLY, true, 58, 9, false, true, 128, 0,
                  true, 0x1234, 1 },
                { "IPv6 reply", &plain_ipv6, 64, 40, 129, VERDICT_NOT_ECHO, true, 58, 63, false, true, 129, 0,
                  true, 0x1234, 1 },
                { "IPv6 error", &plain_ipv6, 64, 40, 4, VERDICT_ICMP_ERROR, true, 58, 63, false, true, 4, 0,
                  false, 0, 0 },
                { "IPv6 other", &plain_ipv6, 64, 40, 135, VERDICT_HOUSEKEEPING, true, 58, 63, false, true,
                  135, 0, false, 0, 0 },
                { "no next", &plain_ipv6, 64, 6, 59, VERDICT_NOT_ICMP, true, 59, 63, false, false, 0, 0,
                  false, 0, 0 },
                { "IPv6 short", &plain_ipv6, 63, 7, 63, VERDICT_MALFORMED, false, 0, 0, false, false, 0, 0,
                  false, 0, 0 },
        };
        /* clang-format on */

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct packet packet = *rules[i].packet;
                struct reflection reflection;
                const struct packet_info *info = &reflection.packet;
                struct address source = { 0 }, destination = { 0 };
                enum verdict verdict;

                packet.bytes[rules[i].offset] = rules[i].value;
                repair(packet.bytes, packet.size);
                if (rules[i].has_addresses) {
                        assert_int_equal(
                                address_parse(&source, is_ipv4(&packet) ? "198.18.0.1" : "2001:2::1"), 0);
                        assert_int_equal(
                                address_parse(&destination, is_ipv4(&packet) ? "198.18.0.2" : "2001:2::2"),
                                0);
                }

                verdict = reflect(&policies[PEERS], TIME_OF_DAY, packet.bytes, rules[i].size, &reflection);
                if (verdict != rules[i].verdict || info->protocol != rules[i].protocol ||
                    info->hop_limit != rules[i].hop_limit || info->is_fragment != rules[i].is_fragment ||
                    info->has_icmp != rules[i].has_icmp || info->type != rules[i].type ||
                    info->code != rules[i].code || info->is_echo != rules[i].is_echo ||
                    info->identifier != rules[i].identifier || info->sequence != rules[i].sequence)
                        fail_msg("%s", rules[i].what);

                assert_int_equal(address_equal(&info->source, &source), rules[i].has_addresses);
                assert_int_equal(address_equal(&info->destination, &destination), rules[i].has_addresses);
                assert_int_equal(info->source.family, source.family);
                assert_int_equal(info->destination.family, destination.family);
        }
}

/* Only IPv4 with options can have a Timestamp. */
static void test_needs_time(void **state)
{
        (void) state;

        assert_false(reflect_needs_time("\x46", 0));
        for (unsigned first = 0; first <= UINT8_MAX; first++) {
                uint8_t *packet = exact_copy(&(uint8_t) { (uint8_t) first }, 1);

                assert_int_equal(reflect_needs_time(packet, 1), first >= 0x46 && first <= 0x4f);
                free(packet);
        }
}

/* Which packet a fragment is of, and where in it. */
static void test_packet_info_of_fragments(void **state)
{
        static const uint8_t header[8] = { 58, 0, 0x05, 0xa8 | 1, 0xde, 0xad, 0xbe, 0xef };
        struct packet packet = plain_ipv4;
        struct reflection reflection;
        uint8_t bytes[72];

        (void) state;

        packet.bytes[4] = 0xab;
        packet.bytes[5] = 0xcd;
        for (unsigned offset = 0; offset <= 0x1f00; offset += 0x1f00) {
                struct packet fragment = packet;
                uint16_t id;

                fragment.bytes[6] = (uint8_t) (0x20 | offset >> 8);
                repair(fragment.bytes, fragment.size);
                (void) reflect(&policies[PEERS], TIME_OF_DAY, fragment.bytes, fragment.size, &reflection);
                memcpy(&id, packet.bytes + 4, sizeof(id));
                assert_int_equal(reflection.packet.fragment_id, id);
                assert_int_equal(reflection.packet.fragment_offset, offset * 8);
        }

        memcpy(bytes, plain_ipv6.bytes, 40);
        memcpy(bytes + 40, header, sizeof(header));
        memcpy(bytes + 48, plain_ipv6.bytes + 40, 24);
        bytes[5] = 32;
        bytes[6] = 44;
        assert_int_equal(reflect(&policies[PEERS], TIME_OF_DAY, bytes, sizeof(bytes), &reflection),
                         VERDICT_REPLY_FRAGMENT);
        assert_memory_equal(&reflection.packet.fragment_id, header + 4, 4);
        assert_int_equal(reflection.packet.fragment_offset, 0x05a8);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_golden_of_the_model),
                cmocka_unit_test(test_golden),
                cmocka_unit_test(test_truncated),
                cmocka_unit_test(test_truncated_with_its_length),
                cmocka_unit_test(test_shortest),
                cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_hop_limits),
                cmocka_unit_test(test_every_byte),
                cmocka_unit_test(test_random_changes),
                cmocka_unit_test(test_every_checksum_ipv4),
                cmocka_unit_test(test_every_checksum_ipv6),
                cmocka_unit_test(test_every_checksum_ipv6_multicast),
                cmocka_unit_test(test_every_header_checksum),
                cmocka_unit_test(test_every_wrong_checksum),
                cmocka_unit_test(test_other_zero),
                cmocka_unit_test(test_zero_and_ones_differ),
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_packet_info),
                cmocka_unit_test(test_needs_time),
                cmocka_unit_test(test_packet_info_of_fragments),
        };

        return cmocka_run_group_tests(tests, policies_set_up, NULL);
}
