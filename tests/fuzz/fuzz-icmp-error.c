/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fuzzes icmp_error_parse(). An input is a packet.
 *
 * A second parser, which shares no code with the first one, says what the result of every packet has to be.
 */

#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "packet/icmp-error.h"
#include "packet/policy.h"
#include "packet/reflect.h"

/* The result of the second parser; offsets count from the start of the packet. */
struct expected {
        int result;
        size_t address_size, addresses; /* source address of the error; the destination follows */
        size_t error, quoted, reply;    /* ICMP error, quoted packet, ICMP echo reply */
};

static unsigned get16(const uint8_t *bytes)
{
        return (unsigned) bytes[0] << 8 | bytes[1];
}

static bool is_extension_header(uint8_t type)
{
        return type == 0 || type == 43 || type == 44 || type == 60;
}

/* Sets the end of the packet at @ip and the offset of the first byte of its ICMP message. */
static int walk_ipv4(const uint8_t *packet, size_t ip, size_t *end, size_t *ret_message, bool *ret_fragment)
{
        size_t size = *end - ip;

        if (size < 20 || packet[ip] >> 4 != 4)
                return -EBADMSG;
        if (get16(packet + ip + 2) < size)
                *end = ip + get16(packet + ip + 2);

        *ret_message = ip + (packet[ip] & 15U) * 4U;
        *ret_fragment = packet[ip + 6] & 0x20;
        if (*ret_message < ip + 20 || *ret_message > *end)
                return -EBADMSG;

        return packet[ip + 9] != 1 || (get16(packet + ip + 6) & 0x1fff) != 0 ? -ENOMSG : 0;
}

static int walk_ipv6(const uint8_t *packet, size_t ip, size_t *end, size_t *ret_message, bool *ret_fragment)
{
        size_t size = *end - ip, position = ip + 40, n = 0;
        uint8_t type;

        if (size < 40 || packet[ip] >> 4 != 6)
                return -EBADMSG;
        if (40 + get16(packet + ip + 4) < size)
                *end = position + get16(packet + ip + 4);

        *ret_fragment = false;
        for (type = packet[ip + 6]; is_extension_header(type); type = packet[position], position += size) {
                if (++n > 8)
                        return -ENOMSG;
                if (*end - position < 8)
                        return -EBADMSG;

                size = type == 44 ? 8 : (packet[position + 1] + 1U) * 8U;
                if (type == 44 && get16(packet + position + 2) > 7)
                        return -ENOMSG;
                if (type == 44 && (packet[position + 3] & 1) != 0)
                        *ret_fragment = true;
                if (*end - position < size)
                        return -EBADMSG;
        }

        *ret_message = position;
        return type == 58 ? 0 : -ENOMSG;
}

static struct expected expect(const uint8_t *packet, size_t size)
{
        bool ipv4 = size > 0 && packet[0] >> 4 == 4, fragment;
        int (*walk)(const uint8_t *, size_t, size_t *, size_t *, bool *) = ipv4 ? walk_ipv4 : walk_ipv6;
        struct expected expected = { .address_size = ipv4 ? 4 : 16, .addresses = ipv4 ? 12 : 8 };
        size_t end = size;
        uint8_t type;

        expected.result = walk(packet, 0, &end, &expected.error, &fragment);
        if (expected.result < 0)
                return expected;

        expected.result = -EBADMSG;
        if (end - expected.error < 8)
                return expected;

        type = packet[expected.error];
        expected.quoted = expected.error + 8;
        if (!memchr(ipv4 ? "\3\5\13\14" : "\1\2\3\4", type, 4))
                expected.result = -ENOMSG;
        if (expected.result == -ENOMSG || fragment)
                return expected;

        expected.result = walk(packet, expected.quoted, &end, &expected.reply, &fragment);
        if (expected.result < 0)
                return expected;
        if (end - expected.reply < 8)
                expected.result = -EBADMSG;
        else if (packet[expected.reply] != (ipv4 ? 0 : 129))
                expected.result = -ENOMSG;

        return expected;
}

static void check_address(const struct address *address, const uint8_t *bytes, size_t size)
{
        must(address->family == (size == 4 ? AF_INET : AF_INET6), "an address has the family of the packet");
        must(memcmp(address->bytes, bytes, size) == 0, "an address is that of the packet");
}

static void check_error(const struct icmp_error *error, const uint8_t *packet,
                        const struct expected *expected)
{
        const uint8_t *icmp = packet + expected->error, *quoted = packet + expected->quoted;
        const uint8_t *reply = packet + expected->reply;
        size_t size = expected->address_size, addresses = expected->addresses;
        enum icmp_error_reason reason = icmp_error_reason(error);
        uint32_t mtu = 0;

        check_address(&error->reporter, packet + addresses, size);
        check_address(&error->source, quoted + addresses, size);
        check_address(&error->destination, quoted + addresses + size, size);
        must(error->type == icmp[0] && error->code == icmp[1], "type and code are those of the error");
        must(error->identifier == get16(reply + 4), "the identifier is that of the reply");
        must(error->sequence == get16(reply + 6), "the sequence number is that of the reply");

        if (size == 4 && icmp[0] == 3 && icmp[1] == 4)
                mtu = get16(icmp + 6);
        if (size == 16 && icmp[0] == 2)
                mtu = (uint32_t) get16(icmp + 4) << 16 | get16(icmp + 6);
        must(error->mtu == mtu, "the MTU is that of the error");
        must(reason >= 0 && reason < _ICMP_ERROR_REASON_MAX, "the reason is one of the table");
        must(icmp_error_reason_text(reason) != NULL, "the reason has a text");
}

/* What reflect() says of a packet that was parsed; it changes nothing of what it drops. */
static void check_reflect(const struct icmp_error *error, const uint8_t *packet, size_t size)
{
        const struct policy policy = { .hop_limit = 64 };
        struct reflection reflection;
        enum verdict verdict;
        uint8_t *copy = malloc(size);

        must(copy != NULL, "there is memory");
        memcpy(copy, packet, size);
        verdict = reflect(&policy, 0, copy, size, &reflection);
        must(!verdict_is_reply(verdict) && memcmp(copy, packet, size) == 0, "an error is dropped");
        if (verdict == VERDICT_ICMP_ERROR)
                must(address_equal(&reflection.packet.source, &error->reporter) &&
                             reflection.packet.type == error->type && reflection.packet.code == error->code,
                     "both read the same header");
        free(copy);
}

const char *fuzz_outcome(const uint8_t *data, size_t size)
{
        struct expected expected = expect(data, size);
        uint8_t *packet = malloc(size);
        struct icmp_error error;
        int r;

        must(packet != NULL || size == 0, "there is memory");
        if (size > 0)
                memcpy(packet, data, size);

        r = icmp_error_parse(packet, size, &error);
        must(r == expected.result, "both parsers agree");
        must(size == 0 || memcmp(packet, data, size) == 0, "the packet is not changed");
        if (r == 0) {
                check_error(&error, packet, &expected);
                check_reflect(&error, packet, size);
        }

        free(packet);
        return r == 0 ? "echo-reply" : r == -ENOMSG ? "other"
                                                    : "malformed";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        (void) fuzz_outcome(data, size);
        return 0;
}
