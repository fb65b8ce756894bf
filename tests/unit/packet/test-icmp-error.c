/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * ICMP errors about echo replies: each type and code, each truncation, errors of Linux. Those with a changed byte, with
 * options and with extension headers are seeds of fuzz-icmp-error.
 */

#include "packet/icmp-error.h"

#include <errno.h>
#include <string.h>

#include "model.h"
#include "packets.h"
#include "unit.h"

#define ICMP_SIZE 8

/* The source of every error. */
static const uint8_t reporter_ipv4[4] = { 203, 0, 113, 9 };
static const uint8_t reporter_ipv6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 9 };

/* The reply of tunecho to a request. */
static struct packet reply_to(const struct packet *request)
{
        struct packet reply = *request;
        struct reflection reflection;

        assert_int_equal(reflect(&policies[PEERS], TIME_OF_DAY, reply.bytes, reply.size, &reflection),
                         VERDICT_REPLY);
        memmove(reply.bytes, reply.bytes + reflection.offset, reflection.length);
        reply.size = reflection.length;
        return reply;
}

/* An ICMP error that quotes a packet; @rest is what its header has behind the checksum. */
static struct packet error_about(const struct packet *quoted, uint8_t type, uint8_t code, uint32_t rest)
{
        bool ipv4 = quoted->bytes[0] >> 4 == 4;
        size_t header = ipv4 ? 20 : 40, address = ipv4 ? 4 : 16;
        struct packet error = { .size = header + ICMP_SIZE + quoted->size };
        uint8_t *icmp = error.bytes + header;

        assert_in_range(error.size, 1, sizeof(error.bytes));
        memcpy(error.bytes, ipv4 ? plain_ipv4.bytes : plain_ipv6.bytes, header);
        memcpy(error.bytes + (ipv4 ? 12 : 8), ipv4 ? reporter_ipv4 : reporter_ipv6, address);
        memcpy(error.bytes + (ipv4 ? 16 : 24), quoted->bytes + (ipv4 ? 12 : 8), address);
        put16(error.bytes + (ipv4 ? 2 : 4), (uint16_t) (ipv4 ? error.size : error.size - header));
        icmp[0] = type;
        icmp[1] = code;
        put16(icmp + 4, (uint16_t) (rest >> 16));
        put16(icmp + 6, (uint16_t) rest);
        memcpy(icmp + ICMP_SIZE, quoted->bytes, quoted->size);
        repair(error.bytes, error.size);
        return error;
}

/* Parses a copy of exactly this size, which is not modified; on failure, neither is the result. */
static int parse(const uint8_t *packet, size_t size, struct icmp_error *ret_error)
{
        uint8_t *copy = exact_copy(packet, size);
        struct icmp_error before;
        int r;

        memset(ret_error, 0xa5, sizeof(*ret_error));
        before = *ret_error;
        r = icmp_error_parse(copy, size, ret_error);
        if (r < 0)
                assert_memory_equal(ret_error, &before, sizeof(before));
        assert_memory_equal(copy, packet, size);
        free(copy);
        return r;
}

static void assert_parses(const char *what, const struct packet *packet, int expected)
{
        struct icmp_error error;
        int r = parse(packet->bytes, packet->size, &error);

        if (r != expected)
                fail_msg("%s: %d instead of %d", what, r, expected);
}

static struct packet plain_reply(int family)
{
        return reply_to(family == AF_INET ? &plain_ipv4 : &plain_ipv6);
}

static const int families[] = { AF_INET, AF_INET6 };

/* Sets the length field of an IP header, so that the packet has @size bytes. */
static void set_length(uint8_t *ip, size_t size)
{
        if (ip[0] >> 4 == 4)
                put16(ip + 2, (uint16_t) size);
        else
                put16(ip + 4, (uint16_t) (size - 40));
}

static void check_fields(const struct icmp_error *error, int family)
{
        struct address source, destination;

        assert_int_equal(address_parse(&source, family == AF_INET ? "198.18.0.2" : "2001:2::2"), 0);
        assert_int_equal(address_parse(&destination, family == AF_INET ? "198.18.0.1" : "2001:2::1"), 0);
        assert_int_equal(error->reporter.family, family);
        assert_memory_equal(error->reporter.bytes, family == AF_INET ? reporter_ipv4 : reporter_ipv6,
                            address_size(family));
        assert_true(address_equal(&error->source, &source));
        assert_true(address_equal(&error->destination, &destination));
        assert_int_equal(error->identifier, 0x1234);
        assert_int_equal(error->sequence, 1);
}

/* The reason of every type and code of an error, straight from the RFCs. */
static enum icmp_error_reason reason_of(int family, unsigned type, unsigned code)
{
        static const enum icmp_error_reason unreachable_ipv4[16] = {
                ICMP_ERROR_NO_ROUTE, ICMP_ERROR_HOST_UNREACHABLE, ICMP_ERROR_PROTOCOL_UNREACHABLE,
                ICMP_ERROR_PORT_UNREACHABLE, ICMP_ERROR_TOO_BIG, ICMP_ERROR_SOURCE_ROUTE_FAILED,
                ICMP_ERROR_NO_ROUTE, ICMP_ERROR_HOST_UNREACHABLE, ICMP_ERROR_HOST_UNREACHABLE,
                ICMP_ERROR_PROHIBITED, ICMP_ERROR_PROHIBITED, ICMP_ERROR_NO_ROUTE,
                ICMP_ERROR_HOST_UNREACHABLE, ICMP_ERROR_PROHIBITED, ICMP_ERROR_PROHIBITED,
                ICMP_ERROR_PROHIBITED
        };
        static const enum icmp_error_reason unreachable_ipv6[9] = {
                ICMP_ERROR_NO_ROUTE, ICMP_ERROR_PROHIBITED, ICMP_ERROR_BEYOND_SCOPE,
                ICMP_ERROR_ADDRESS_UNREACHABLE, ICMP_ERROR_PORT_UNREACHABLE, ICMP_ERROR_SOURCE_POLICY,
                ICMP_ERROR_REJECT_ROUTE, ICMP_ERROR_SOURCE_ROUTE_FAILED, ICMP_ERROR_HEADERS_TOO_LONG
        };
        bool ipv4 = family == AF_INET;

        if (type == (ipv4 ? 11U : 3U))
                return code == 0 ? ICMP_ERROR_HOP_LIMIT : code == 1 ? ICMP_ERROR_REASSEMBLY
                                                                    : ICMP_ERROR_UNKNOWN;
        if (ipv4 && type == 3)
                return code < 16 ? unreachable_ipv4[code] : ICMP_ERROR_UNKNOWN;
        if (ipv4)
                return type == 5 ? ICMP_ERROR_REDIRECT : ICMP_ERROR_PARAMETER_PROBLEM;
        if (type == 1)
                return code < 9 ? unreachable_ipv6[code] : ICMP_ERROR_UNKNOWN;
        if (type == 2)
                return ICMP_ERROR_TOO_BIG;

        return code == 1 ? ICMP_ERROR_PROTOCOL_UNREACHABLE : ICMP_ERROR_PARAMETER_PROBLEM;
}

static bool is_error(int family, unsigned type)
{
        if (family == AF_INET)
                return type == 3 || type == 5 || type == 11 || type == 12;

        return type >= 1 && type <= 4;
}

/* Every type and code, which reflect() classifies in the same way. */
static void test_every_type_and_code(void **state)
{
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
                struct packet reply = plain_reply(families[i]);

                for (unsigned type = 0; type <= UINT8_MAX; type++)
                        for (unsigned code = 0; code <= UINT8_MAX; code++) {
                                struct reflection reflection;
                                struct icmp_error error;
                                struct packet packet;
                                enum verdict verdict;
                                uint32_t mtu = 0;

                                packet = error_about(&reply, (uint8_t) type, (uint8_t) code, 0x00010578);
                                verdict = reflect(&policies[PEERS], TIME_OF_DAY, packet.bytes, packet.size,
                                                  &reflection);
                                assert_int_equal(verdict == VERDICT_ICMP_ERROR, is_error(families[i], type));
                                if (verdict != VERDICT_ICMP_ERROR) {
                                        assert_parses("not an error", &packet, -ENOMSG);
                                        continue;
                                }

                                assert_int_equal(parse(packet.bytes, packet.size, &error), 0);
                                check_fields(&error, families[i]);
                                assert_int_equal(error.type, type);
                                assert_int_equal(error.code, code);
                                assert_int_equal(icmp_error_reason(&error),
                                                 reason_of(families[i], type, code));
                                if (icmp_error_reason(&error) == ICMP_ERROR_TOO_BIG)
                                        mtu = families[i] == AF_INET ? 0x0578 : 0x00010578;
                                assert_int_equal(error.mtu, mtu);
                        }
        }
}

/* IPv4 has 16 bits for the MTU, and 0 there where the router does not state one; IPv6 has 32 bits. */
static void test_mtu(void **state)
{
        static const uint32_t words[] = { 0, 68, 1280, 0xffff, 0x00010000, 0x12345678, 0xffffffff };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                struct packet reply = plain_reply(AF_INET), packet = error_about(&reply, 3, 4, words[i]);
                struct icmp_error error;

                assert_int_equal(parse(packet.bytes, packet.size, &error), 0);
                assert_int_equal(error.mtu, words[i] & 0xffff);

                reply = plain_reply(AF_INET6);
                packet = error_about(&reply, 2, 0, words[i]);
                assert_int_equal(parse(packet.bytes, packet.size, &error), 0);
                assert_int_equal(error.mtu, words[i]);
        }
}

/* The quote ends anywhere, with or without a length in the outer header that says so. */
static void test_truncated(void **state)
{
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
                struct packet reply = plain_reply(families[i]), packet = error_about(&reply, 3, 1, 0);
                size_t header = families[i] == AF_INET ? 20 : 40, needed = 2 * (header + ICMP_SIZE);

                for (size_t size = 0; size <= packet.size; size++) {
                        struct packet cut = packet;
                        struct icmp_error error;
                        bool enough = size >= needed;

                        assert_int_equal(parse(packet.bytes, size, &error), enough ? 0 : -EBADMSG);
                        if (enough)
                                check_fields(&error, families[i]);
                        if (size < header)
                                continue;

                        set_length(cut.bytes, size);
                        assert_int_equal(parse(cut.bytes, packet.size, &error), enough ? 0 : -EBADMSG);
                        if (enough)
                                check_fields(&error, families[i]);
                }

                /* The same of the quoted packet's own length. */
                for (size_t size = 0; size <= reply.size; size++) {
                        struct packet cut = packet;

                        if (families[i] == AF_INET6 && size < header)
                                continue;

                        set_length(cut.bytes + header + ICMP_SIZE, size);
                        assert_parses("length of the quoted packet", &cut,
                                      size >= header + ICMP_SIZE ? 0 : -EBADMSG);
                }
        }
}

static bool errors_equal(const struct icmp_error *a, const struct icmp_error *b)
{
        return address_equal(&a->reporter, &b->reporter) && address_equal(&a->source, &b->source) &&
               address_equal(&a->destination, &b->destination) && a->type == b->type && a->code == b->code &&
               a->mtu == b->mtu && a->identifier == b->identifier && a->sequence == b->sequence;
}

/* Random changes: no crash, and the same result for the same bytes at another alignment. */
static void test_random_changes(void **state)
{
        uint64_t random = 1;
        uint32_t n_parsed = 0, n_rounds = 200000;

        (void) state;

        for (uint32_t i = 0; i < n_rounds; i++) {
                struct packet reply = plain_reply(families[i % 2]), packet = error_about(&reply, 3, 1, 0);
                struct icmp_error error, again;
                uint8_t *copy;
                size_t size;
                int r;

                for (unsigned n = random_word(&random) % 4; n > 0; n--)
                        packet.bytes[random_word(&random) % packet.size] = (uint8_t) random_word(&random);
                size = packet.size - random_word(&random) % 8;
                r = parse(packet.bytes, size, &error);
                n_parsed += r == 0;

                copy = malloc(size + 1);
                assert_non_null(copy);
                memcpy(copy + 1, packet.bytes, size);
                assert_int_equal(icmp_error_parse(copy + 1, size, &again), r);
                if (r == 0)
                        assert_true(errors_equal(&again, &error));
                free(copy);
        }

        assert_in_range(n_parsed, n_rounds / 10, n_rounds - n_rounds / 10);
}

/* Errors that Linux 6.18 sent into a device, about replies with the identifier 0xbeef and the number 7. */
static void test_linux(void **state)
{
        /* clang-format off */
        static const struct {
                const char *what;
                uint8_t type, code;
                uint32_t mtu;
                enum icmp_error_reason reason;
                const char *packet;
        } rules[] = {
                { "IPv4, no route", 3, 0, 0, ICMP_ERROR_NO_ROUTE,
                  "45c000485b35000040019298c6120001c61200020300fcff000000004500002c1234000040019079"
                  "c61200020a080808000008c9beef0007000102030405060708090a0b0c0d0e0f" },
                { "IPv4, prohibit route", 3, 13, 0, ICMP_ERROR_PROHIBITED,
                  "45c000485b36000040019297c6120001c6120002030dfcf2000000004500002c1234000040018f77"
                  "c61200020a090909000008c9beef0007000102030405060708090a0b0c0d0e0f" },
                { "IPv4, DF, and an MTU of 1280", 3, 4, 1280, ICMP_ERROR_TOO_BIG,
                  "45c002405b3900004001909cc6120001c61200020304f7fb00000500450005941234400040015317"
                  "c61200020a01000900004109beef0007000000000000000000000000000000000000000000000000"
                  "000000000000000000000000000000000000000000000000" },
                { "IPv6, no route", 1, 0, 0, ICMP_ERROR_NO_ROUTE,
                  "600cadcc00483a402001000200000000000000000000000120010002000000000000000000000002"
                  "0100246e000000006000000000183a402001000200000000000000000000000220010db800080000"
                  "0000000000000008810039a8beef00070001020304050607" },
                { "IPv6, hop limit 1", 3, 0, 0, ICMP_ERROR_HOP_LIMIT,
                  "600a6b5d00483a402001000200000000000000000000000120010002000000000000000000000002"
                  "030022ad000000006000000000183a012001000200000000000000000000000220010db800010000"
                  "0000000000000009810039aebeef00070001020304050607" },
                { "IPv6, an MTU of 1280", 2, 0, 1280, ICMP_ERROR_TOO_BIG,
                  "60067b0204d83a402001000200000000000000000000000120010002000000000000000000000002"
                  "020019de000005006000000005803a402001000200000000000000000000000220010db800010000"
                  "000000000000000981006c86beef00070000000000000000" },
        };
        /* clang-format on */

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                size_t size = strlen(rules[i].packet) / 2;
                struct icmp_error error;
                uint8_t packet[160];

                assert_in_range(size, 1, sizeof(packet));
                for (size_t byte = 0; byte < size; byte++)
                        assert_int_equal(sscanf(rules[i].packet + 2 * byte, "%2hhx", &packet[byte]), 1);

                if (parse(packet, size, &error) != 0 || error.type != rules[i].type ||
                    error.code != rules[i].code || error.mtu != rules[i].mtu ||
                    icmp_error_reason(&error) != rules[i].reason || error.identifier != 0xbeef ||
                    error.sequence != 7)
                        fail_msg("%s", rules[i].what);
        }
}

static void test_texts(void **state)
{
        (void) state;

        for (int reason = 0; reason < _ICMP_ERROR_REASON_MAX; reason++) {
                const char *text = icmp_error_reason_text((enum icmp_error_reason) reason);

                assert_non_null(text);
                assert_in_range(strlen(text), 5, 50);
                for (int other = 0; other < reason; other++)
                        assert_string_not_equal(text, icmp_error_reason_text((enum icmp_error_reason) other));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_type_and_code),
                cmocka_unit_test(test_mtu),
                cmocka_unit_test(test_truncated),
                cmocka_unit_test(test_random_changes),
                cmocka_unit_test(test_linux),
                cmocka_unit_test(test_texts),
        };

        return cmocka_run_group_tests(tests, policies_set_up, NULL);
}
