/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Addresses and prefixes: parse, format, compare, and which are valid for a host. */

#include "common/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "unit.h"

static struct address address_of(const char *text)
{
        struct address address;

        assert_int_equal(address_parse(&address, text), 0);
        return address;
}

static struct prefix prefix_of(const char *text)
{
        struct prefix prefix;
        bool has_length;

        assert_int_equal(prefix_parse(&prefix, &has_length, text), 0);
        return prefix;
}

static void test_sizes(void **state)
{
        (void) state;

        assert_int_equal(address_size(AF_INET), 4);
        assert_int_equal(address_size(AF_INET6), 16);
        assert_int_equal(address_bits(AF_INET), 32);
        assert_int_equal(address_bits(AF_INET6), 128);
}

/* Text, and the same address formatted; NULL: not an address. */
static void test_address_parse(void **state)
{
        static const struct {
                const char *text;
                int family;
                const char *written;
        } addresses[] = {
                { "0.0.0.0", AF_INET, "0.0.0.0" },
                { "198.18.0.1", AF_INET, "198.18.0.1" },
                { "255.255.255.255", AF_INET, "255.255.255.255" },
                { "::", AF_INET6, "::" },
                { "2001:2::1", AF_INET6, "2001:2::1" },
                { "2001:0002:0000:0000:0000:0000:0000:0001", AF_INET6, "2001:2::1" },
                { "FE80::ABCD", AF_INET6, "fe80::abcd" },
                { "::ffff:198.18.0.1", AF_INET6, "::ffff:198.18.0.1" },
                { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AF_INET6,
                  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
                { "", AF_UNSPEC, NULL },
                { " 198.18.0.1", AF_UNSPEC, NULL },
                { "198.18.0.1 ", AF_UNSPEC, NULL },
                { "198.18.1", AF_UNSPEC, NULL },
                { "198.18.0.0.1", AF_UNSPEC, NULL },
                { "198.18.0.300", AF_UNSPEC, NULL },
                { "198.18.0.1/32", AF_UNSPEC, NULL },
                { "0xc6120001", AF_UNSPEC, NULL },
                { ":", AF_UNSPEC, NULL },
                { ":::", AF_UNSPEC, NULL },
                { "1:2:3:4:5:6:7", AF_UNSPEC, NULL },
                { "1:2:3:4:5:6:7:8:9", AF_UNSPEC, NULL },
                { "1::2::3", AF_UNSPEC, NULL },
                { "fe80::1%lo", AF_UNSPEC, NULL },
                { "[::1]", AF_UNSPEC, NULL },
                { "localhost", AF_UNSPEC, NULL },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
                struct address address, untouched;
                char text[PREFIX_TEXT_SIZE];
                int r;

                memset(&address, 0xa5, sizeof(address));
                untouched = address;
                r = address_parse(&address, addresses[i].text);
                if (r != (addresses[i].written ? 0 : -EINVAL))
                        fail_msg("'%s'", addresses[i].text);
                if (!addresses[i].written) {
                        assert_memory_equal(&address, &untouched, sizeof(address));
                        continue;
                }

                assert_int_equal(address.family, addresses[i].family);
                assert_string_equal(address_text(text, &address), addresses[i].written);
        }
}

static void test_prefix_parse(void **state)
{
        static const struct {
                const char *text;
                bool has_length;
                const char *written;
        } prefixes[] = {
                { "198.18.0.1", false, "198.18.0.1/32" },
                { "198.18.0.1/0", true, "198.18.0.1/0" },
                { "198.18.0.1/1", true, "198.18.0.1/1" },
                { "198.18.0.1/24", true, "198.18.0.1/24" },
                { "198.18.0.1/32", true, "198.18.0.1/32" },
                { "2001:2::1", false, "2001:2::1/128" },
                { "2001:2::1/0", true, "2001:2::1/0" },
                { "2001:2::1/64", true, "2001:2::1/64" },
                { "2001:2::1/128", true, "2001:2::1/128" },
                { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", true,
                  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128" },
                { "", false, NULL },
                { "/", false, NULL },
                { "/24", false, NULL },
                { "198.18.0.1/", false, NULL },
                { "198.18.0.1/33", false, NULL },
                { "198.18.0.1/256", false, NULL },
                { "198.18.0.1/4294967296", false, NULL },
                { "198.18.0.1/-1", false, NULL },
                { "198.18.0.1/+1", false, NULL },
                { "198.18.0.1/ 1", false, NULL },
                { "198.18.0.1/1 ", false, NULL },
                { "198.18.0.1/0x18", false, NULL },
                { "198.18.0.1/24/24", false, NULL },
                { "198.18.0.1 /24", false, NULL },
                { "2001:2::1/129", false, NULL },
                { "0000000000000000000000000000000000000000000000000000000000000000:1/64", false, NULL },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
                struct prefix prefix, untouched;
                char text[PREFIX_TEXT_SIZE];
                bool has_length = true;
                int r;

                memset(&prefix, 0xa5, sizeof(prefix));
                untouched = prefix;
                r = prefix_parse(&prefix, &has_length, prefixes[i].text);
                if (r != (prefixes[i].written ? 0 : -EINVAL))
                        fail_msg("'%s'", prefixes[i].text);
                if (!prefixes[i].written) {
                        assert_memory_equal(&prefix, &untouched, sizeof(prefix));
                        assert_true(has_length);
                        continue;
                }

                assert_int_equal(has_length, prefixes[i].has_length);
                assert_string_equal(prefix_text(text, &prefix), prefixes[i].written);
        }
}

static void test_text_of_none(void **state)
{
        struct address none = { 0 };
        char text[PREFIX_TEXT_SIZE] = "x";

        (void) state;
        assert_string_equal(address_text(text, &none), "");
}

static void test_equal(void **state)
{
        struct address none = { 0 }, ipv4 = address_of("198.18.0.1"), ipv6 = address_of("2001:2::1"), other,
                       noise;

        (void) state;

        assert_true(address_equal(&ipv4, &ipv4));
        assert_true(address_equal(&ipv6, &ipv6));
        assert_false(address_equal(&ipv4, &ipv6));
        assert_false(address_equal(&none, &none));
        assert_false(address_equal(&none, &ipv4));

        for (size_t i = 0; i < 16; i++) {
                other = ipv6;
                other.bytes[i] ^= 0x80;
                assert_false(address_equal(&ipv6, &other));

                /* The bytes after the four of IPv4 are ignored. */
                other = ipv4;
                other.bytes[i] ^= 0x80;
                assert_int_equal(address_equal(&ipv4, &other), i >= 4);
        }

        noise = ipv4;
        noise.family = AF_INET6;
        assert_false(address_equal(&ipv4, &noise));
}

/* The first and the last of the special addresses of each family. */
static void test_unicast(void **state)
{
        static const struct {
                const char *text;
                bool unicast;
        } addresses[] = {
                { "0.0.0.0", false },
                { "0.255.255.255", false },
                { "1.0.0.0", true },
                { "10.0.0.255", true },
                { "126.255.255.255", true },
                { "127.0.0.0", false },
                { "127.255.255.255", false },
                { "128.0.0.0", true },
                { "169.254.0.1", true },
                { "198.18.0.1", true },
                { "223.255.255.255", true },
                { "224.0.0.0", false },
                { "239.255.255.255", false },
                { "240.0.0.0", false },
                { "255.255.255.255", false },
                { "::", false },
                { "::1", false },
                { "::2", true },
                { "::1:0", true },
                { "::198.18.0.1", true },
                { "::fffe:ffff:ffff", true },
                { "::ffff:0.0.0.0", false },
                { "::ffff:198.18.0.1", false },
                { "::ffff:255.255.255.255", false },
                { "::1:0:0:0", true },
                { "2001:2::1", true },
                { "fe80::1", true },
                { "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true },
                { "ff00::", false },
                { "ff02::1", false },
                { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
                struct address address = address_of(addresses[i].text);

                if (address_is_unicast(&address) != addresses[i].unicast)
                        fail_msg("'%s'", addresses[i].text);
        }
}

static void test_every_first_byte_of_ipv4(void **state)
{
        (void) state;

        for (unsigned first = 0; first <= 255; first++)
                for (unsigned rest = 0; rest < 2; rest++) {
                        struct in_addr address = { htonl(first << 24 | (rest ? 0xffffff : 0)) };

                        assert_int_equal(ipv4_is_unicast(address), first != 0 && first != 127 && first < 224);
                }
}

static void test_contains(void **state)
{
        static const struct {
                const char *prefix, *address;
                bool contains;
        } rules[] = {
                { "198.18.0.0/24", "198.18.0.0", true },
                { "198.18.0.0/24", "198.18.0.255", true },
                { "198.18.0.0/24", "198.18.1.0", false },
                { "198.18.0.0/24", "198.17.255.255", false },
                { "198.18.0.77/24", "198.18.0.1", true },
                { "198.18.0.2/31", "198.18.0.3", true },
                { "198.18.0.2/31", "198.18.0.4", false },
                { "198.18.0.2/32", "198.18.0.2", true },
                { "198.18.0.2/32", "198.18.0.3", false },
                { "0.0.0.0/0", "255.255.255.255", true },
                { "0.0.0.0/0", "::", false },
                { "::/0", "0.0.0.0", false },
                { "::/0", "ffff::", true },
                { "128.0.0.0/1", "127.255.255.255", false },
                { "2001:db8::/32", "2001:db8:ffff::1", true },
                { "2001:db8::/32", "2001:db9::1", false },
                { "2001:db8::/33", "2001:db8:8000::", false },
                { "2001:db8::1/128", "2001:db8::1", true },
                { "2001:db8::1/127", "2001:db8::", true },
                { "2001:db8::1/127", "2001:db8::2", false },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct prefix prefix = prefix_of(rules[i].prefix);
                struct address address = address_of(rules[i].address);

                if (prefix_contains(&prefix, address.family, address.bytes) != rules[i].contains)
                        fail_msg("%s in %s", rules[i].address, rules[i].prefix);
        }
}

/* Every length, with every bit changed: a bit is compared only if it is within the length. */
static void test_contains_every_bit(void **state)
{
        static const char *const bases[] = { "198.18.77.1", "2001:db8:1234:5678:9abc:def0:1234:5678" };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
                struct prefix prefix = { .address = address_of(bases[i]) };
                unsigned bits = address_bits(prefix.address.family);

                for (unsigned length = 0; length <= bits; length++)
                        for (unsigned bit = 0; bit < bits; bit++) {
                                uint8_t *bytes = exact_copy(prefix.address.bytes, bits / 8);

                                prefix.length = (uint8_t) length;
                                assert_true(prefix_contains(&prefix, prefix.address.family, bytes));
                                bytes[bit / 8] ^= (uint8_t) (0x80 >> bit % 8);
                                assert_int_equal(prefix_contains(&prefix, prefix.address.family, bytes),
                                                 bit >= length);
                                free(bytes);
                        }
        }
}

static void test_broadcast(void **state)
{
        static const struct {
                const char *prefix, *broadcast;
        } rules[] = {
                { "198.18.0.1/24", "198.18.0.255" },
                { "198.18.0.1/30", "198.18.0.3" },
                { "198.18.0.1/31", "0.0.0.0" },
                { "198.18.0.1/32", "0.0.0.0" },
                { "198.18.0.1", "0.0.0.0" },
                { "10.1.2.3/8", "10.255.255.255" },
                { "10.1.2.3/9", "10.127.255.255" },
                { "10.1.2.3/1", "127.255.255.255" },
                { "10.1.2.3/0", "255.255.255.255" },
                { "2001:db8::1/64", "0.0.0.0" },
                { "2001:db8::1/24", "0.0.0.0" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct prefix prefix = prefix_of(rules[i].prefix);
                char text[INET_ADDRSTRLEN];
                struct in_addr broadcast = prefix_broadcast(&prefix);

                assert_string_equal(inet_ntop(AF_INET, &broadcast, text, sizeof(text)), rules[i].broadcast);
        }
}

static void test_network(void **state)
{
        static const struct {
                const char *prefix;
                bool is_network;
        } rules[] = {
                { "10.99.0.0/24", true },
                { "10.99.0.1/24", false },
                { "10.99.1.0/23", false },
                { "10.99.0.0/23", true },
                { "10.99.0.4/30", true },
                { "10.99.0.4/31", false },
                { "10.99.0.4/32", false },
                { "10.99.0.4", false },
                { "128.0.0.0/1", true },
                { "128.0.0.1/1", false },
                { "0.0.0.0/0", true },
                { "2001:db8::/64", true },
                { "2001:db8::1:0:0:0/64", false },
                { "2001:db8:0:1::/63", false },
                { "2001:db8::1/64", false },
                { "2001:db8::4/126", true },
                { "2001:db8::4/127", false },
                { "2001:db8::4/128", false },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct prefix prefix = prefix_of(rules[i].prefix);

                if (prefix_is_network(&prefix) != rules[i].is_network)
                        print_error("# %s\n", rules[i].prefix);
                assert_int_equal(prefix_is_network(&prefix), rules[i].is_network);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_address_parse),
                cmocka_unit_test(test_prefix_parse),
                cmocka_unit_test(test_text_of_none),
                cmocka_unit_test(test_equal),
                cmocka_unit_test(test_unicast),
                cmocka_unit_test(test_every_first_byte_of_ipv4),
                cmocka_unit_test(test_contains),
                cmocka_unit_test(test_contains_every_bit),
                cmocka_unit_test(test_broadcast),
                cmocka_unit_test(test_network),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
