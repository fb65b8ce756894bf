/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * A reference implementation of reflect(): directly from the rules, byte by byte, with checksums that are
 * computed over the whole data. It shares neither code nor method with the code under test. The unit tests and
 * the fuzz target compare reflect() with it through model_compare().
 */

#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define ICMP   1
#define ICMPV6 58

/**
 * slow_sum() - the one's complement sum as RFC 1071 defines it
 * @sum: the sum so far, 0 at the start
 * @data: the data; an odd byte at the end is the upper half of a word
 * @size: its size in bytes
 *
 * Byte by byte, in network byte order, and with every carry put back at once.
 *
 * Return: the sum; it is 0 only where everything is.
 */
uint16_t slow_sum(uint16_t sum, const uint8_t *data, size_t size)
{
        uint32_t total = sum;

        for (size_t i = 0; i < size; i++) {
                total += i % 2 == 0 ? (uint32_t) data[i] << 8 : data[i];
                if (total > UINT16_MAX)
                        total -= UINT16_MAX;
        }

        return (uint16_t) total;
}

/**
 * get16() - read a word in network byte order
 * @bytes: where it lies
 */
uint16_t get16(const uint8_t *bytes)
{
        return (uint16_t) (bytes[0] << 8 | bytes[1]);
}

/**
 * put16() - write a word in network byte order
 * @bytes: where to
 * @value: the word
 */
void put16(uint8_t *bytes, uint16_t value)
{
        bytes[0] = (uint8_t) (value >> 8);
        bytes[1] = (uint8_t) value;
}

/**
 * icmp_sum() - the sum that the checksum of an ICMP message covers
 * @packet: the packet, for its version and the addresses of the pseudo-header
 * @icmp: the message
 * @size: its size in bytes
 *
 * Return: the sum, 0xffff where the checksum is part of it and right.
 */
uint16_t icmp_sum(const uint8_t *packet, const uint8_t *icmp, size_t size)
{
        uint8_t tail[8] = { 0, 0, 0, 0, 0, 0, 0, ICMPV6 };
        uint16_t sum = 0;

        if (packet[0] >> 4 == 6) {
                put16(tail, (uint16_t) (size >> 16));
                put16(tail + 2, (uint16_t) size);
                sum = slow_sum(0, packet + 8, 32);
                sum = slow_sum(sum, tail, sizeof(tail));
        }

        return slow_sum(sum, icmp, size);
}

static bool is_extension_header(uint8_t type)
{
        return type == 0 || type == 43 || type == 44 || type == 60;
}

static size_t extension_header_size(const uint8_t *header, uint8_t type)
{
        return type == 44 ? 8 : 8 + header[1] * 8U;
}

/* Where an ICMPv6 message seems to begin; @size if nowhere. */
static size_t find_icmpv6(const uint8_t *packet, size_t size)
{
        uint8_t type = packet[6];
        size_t position = 40;

        while (is_extension_header(type) && position + 8 <= size) {
                size_t header = extension_header_size(packet + position, type);

                if (type == 44 && (packet[position + 2] > 0 || packet[position + 3] >> 3 > 0))
                        return size;
                type = packet[position];
                position += header;
        }

        return type == ICMPV6 && position < size ? position : size;
}

/**
 * repair() - make the checksums of a packet right, as far as it has any
 * @packet: the packet, which may be damaged in any way
 * @size: its size in bytes
 *
 * So that a change elsewhere comes through to the rules behind the checksums. That of a first fragment
 * becomes right for what is visible of it, and a later fragment has none.
 */
void repair(uint8_t *packet, size_t size)
{
        size_t icmp, end;

        if (size >= 20 && packet[0] >> 4 == 4) {
                icmp = (packet[0] & 0x0fU) * 4;
                end = get16(packet + 2) < size ? get16(packet + 2) : size;
                if (icmp < 20 || icmp > size)
                        return;

                put16(packet + 10, 0);
                put16(packet + 10, (uint16_t) ~slow_sum(0, packet, icmp));
                if ((get16(packet + 6) & 0x1fff) != 0)
                        return;
        } else if (size >= 40 && packet[0] >> 4 == 6) {
                end = 40U + get16(packet + 4) < size ? 40U + get16(packet + 4) : size;
                icmp = find_icmpv6(packet, end);
        } else
                return;

        if (icmp + 4 > end)
                return;

        put16(packet + icmp + 2, 0);
        put16(packet + icmp + 2, (uint16_t) ~icmp_sum(packet, packet + icmp, end - icmp));
}

static bool has_prefix(const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
        for (unsigned bit = 0; bit < bits; bit++)
                if ((address[bit / 8] >> (7 - bit % 8) & 1) != (prefix[bit / 8] >> (7 - bit % 8) & 1))
                        return false;

        return true;
}

static bool is_ours(const struct policy *policy, int family, const uint8_t *address)
{
        for (size_t i = 0; i < policy->n_destinations; i++)
                if (policy->destinations[i].address.family == family &&
                    has_prefix(address, policy->destinations[i].address.bytes,
                               policy->destinations[i].length))
                        return true;

        return policy->n_destinations == 0;
}

static bool is_broadcast(const struct policy *policy, const uint8_t *address)
{
        for (size_t i = 0; i < policy->n_broadcasts; i++)
                if (memcmp(address, &policy->broadcasts[i], 4) == 0)
                        return true;

        return get16(address) == 0xffff && get16(address + 2) == 0xffff;
}

static enum verdict addresses_ipv4(const struct policy *policy, const uint8_t *source,
                                   const uint8_t *destination, uint8_t *answer)
{
        bool group = (destination[0] >= 224 && destination[0] <= 239) || is_broadcast(policy, destination);

        memcpy(answer, destination, 4);
        if (source[0] == 0 || source[0] == 127 || source[0] >= 224 || is_broadcast(policy, source) ||
            memcmp(source, destination, 4) == 0)
                return VERDICT_BAD_SOURCE;
        if (destination[0] == 0 || destination[0] == 127 || (destination[0] >= 240 && !group))
                return VERDICT_BAD_DESTINATION;
        if (!is_ours(policy, AF_INET, destination))
                return VERDICT_NOT_OURS;
        if (group && (!policy->answer_broadcast || policy->peer_ipv4.s_addr == 0))
                return VERDICT_GROUP_DESTINATION;

        if (group)
                memcpy(answer, &policy->peer_ipv4, 4);
        return memcmp(source, answer, 4) == 0 ? VERDICT_BAD_SOURCE : VERDICT_REPLY;
}

/* Of a host: not ::, ::1, IPv4-mapped, multicast. */
static bool is_host_ipv6(const uint8_t *address)
{
        static const uint8_t zero[16], mapped[12] = { [10] = 0xff, [11] = 0xff };

        if (memcmp(address, zero, 15) == 0 && address[15] <= 1)
                return false;

        return memcmp(address, mapped, sizeof(mapped)) != 0 && address[0] != 0xff;
}

static enum verdict addresses_ipv6(const struct policy *policy, const uint8_t *source,
                                   const uint8_t *destination, uint8_t *answer)
{
        static const uint8_t zero[16], all_nodes[16] = { 0xff, 0x02, [15] = 0x01 };
        uint8_t solicited_node[16] = { 0xff, 0x02, [11] = 0x01, [12] = 0xff };
        bool group = destination[0] == 0xff;

        memcpy(solicited_node + 13, policy->peer_ipv6.s6_addr + 13, 3);
        memcpy(answer, destination, 16);

        if (!is_host_ipv6(source) || memcmp(source, destination, 16) == 0)
                return VERDICT_BAD_SOURCE;
        if (!group && !is_host_ipv6(destination))
                return VERDICT_BAD_DESTINATION;
        if (!is_ours(policy, AF_INET6, destination))
                return VERDICT_NOT_OURS;
        if (!group)
                return VERDICT_REPLY;

        if (!policy->answer_multicast || memcmp(&policy->peer_ipv6, zero, 16) == 0)
                return VERDICT_GROUP_DESTINATION;
        if (memcmp(destination, all_nodes, 16) != 0 && memcmp(destination, solicited_node, 16) != 0)
                return VERDICT_GROUP_DESTINATION;

        /* fe80::/10 */
        if (source[0] == 0xfe && (source[1] & 0xc0) == 0x80)
                memcpy(answer, &policy->peer_link_local, 16);
        else
                memcpy(answer, &policy->peer_ipv6, 16);
        return memcmp(source, answer, 16) == 0 ? VERDICT_BAD_SOURCE : VERDICT_REPLY;
}

/* Of a Record Route or a Timestamp, from its pointer to its end. */
static unsigned bytes_left(const uint8_t *option)
{
        return option[2] > option[1] ? 0 : option[1] - option[2] + 1U;
}

/* False: there is something wrong with the option. */
static bool enter_route(uint8_t *option, const uint8_t *answer)
{
        if (bytes_left(option) == 0)
                return true;
        if (bytes_left(option) < 4)
                return false;

        memcpy(option + option[2] - 1, answer, 4);
        option[2] = (uint8_t) (option[2] + 4);
        return bytes_left(option) == 0 || bytes_left(option) >= 4;
}

static bool enter_time(uint8_t *option, const uint8_t *answer, uint32_t time_of_day)
{
        static const unsigned entry_sizes[16] = { [0] = 4, [1] = 8, [3] = 8 };
        unsigned flag = option[3] % 16, overflow = option[3] / 16, size = entry_sizes[flag];
        uint8_t *entry = option + option[2] - 1;

        if (bytes_left(option) == 0 && flag != 3) {
                option[3] = (uint8_t) ((overflow + 1) * 16 + flag);
                return overflow < 15;
        }
        if (bytes_left(option) == 0)
                return true;
        if (bytes_left(option) < 4 || bytes_left(option) < size)
                return false;
        if (size == 0)
                return true;

        if (flag == 1)
                memcpy(entry, answer, 4);
        if (flag == 3 && memcmp(entry, answer, 4) != 0)
                return true;
        put16(entry + size - 4, (uint16_t) (time_of_day >> 16));
        put16(entry + size - 2, (uint16_t) time_of_day);
        option[2] = (uint8_t) (option[2] + size);
        return bytes_left(option) == 0 || bytes_left(option) >= (flag == 3 ? 4 : size);
}

/* Makes the options of the reply, at most 40 bytes. */
static enum verdict options_ipv4(const uint8_t *options, size_t size, const uint8_t *answer,
                                 uint32_t time_of_day, uint8_t *reply, size_t *ret_size)
{
        uint8_t route[40] = { 0 }, timestamp[40] = { 0 };
        size_t position = 0, n = 0;

        while (position < size && options[position] != 0) {
                size_t length = 1, least = 2, least_pointer = 0;

                if (options[position] != 1) {
                        if (position + 1 == size || options[position + 1] < 2 ||
                            options[position + 1] > size - position)
                                return VERDICT_BAD_OPTION;
                        length = options[position + 1];
                }

                switch (options[position]) {
                case 131:
                case 137:
                        return VERDICT_SOURCE_ROUTE;
                case 7:
                        least = 3;
                        least_pointer = 4;
                        if (route[0] != 0)
                                return VERDICT_BAD_OPTION;
                        memcpy(route, options + position, length);
                        break;
                case 68:
                        least = 4;
                        least_pointer = 5;
                        if (timestamp[0] != 0)
                                return VERDICT_BAD_OPTION;
                        memcpy(timestamp, options + position, length);
                        break;
                case 148:
                        least = 4;
                        break;
                case 1:
                        least = 1;
                        break;
                }
                if (length < least || (least_pointer > 0 && options[position + 2] < least_pointer))
                        return VERDICT_BAD_OPTION;

                position += length;
        }

        if (route[0] != 0) {
                if (!enter_route(route, answer))
                        return VERDICT_BAD_OPTION;
                memcpy(reply, route, route[1]);
                n = route[1];
        }
        if (timestamp[0] != 0) {
                if (!enter_time(timestamp, answer, time_of_day))
                        return VERDICT_BAD_OPTION;
                memcpy(reply + n, timestamp, timestamp[1]);
                n += timestamp[1];
        }
        while (n % 4 != 0)
                reply[n++] = 0;

        *ret_size = n;
        return VERDICT_REPLY;
}

static enum verdict model_drop_ipv4(uint8_t type)
{
        switch (type) {
        case 3:
        case 5:
        case 11:
        case 12:
                return VERDICT_ICMP_ERROR;
        default:
                return VERDICT_NOT_ECHO;
        }
}

static enum verdict model_drop_ipv6(uint8_t type)
{
        switch (type) {
        case 1 ... 4:
                return VERDICT_ICMP_ERROR;
        case 130 ... 132:
        case 133 ... 137:
        case 143:
                return VERDICT_HOUSEKEEPING;
        default:
                return VERDICT_NOT_ECHO;
        }
}

/* The verdict on an ICMP message, or on a fragment of one. */
static enum verdict check_icmp(const uint8_t *packet, const uint8_t *icmp, size_t size, size_t offset,
                               bool more, uint8_t request, struct packet_info *info)
{
        if (offset > 0)
                return VERDICT_REPLY_FRAGMENT;
        if (size < 8)
                return VERDICT_MALFORMED;

        info->has_icmp = true;
        info->type = icmp[0];
        info->code = icmp[1];
        info->is_echo = icmp[0] == request || icmp[0] == (request == 8 ? 0 : 129);
        info->identifier = info->is_echo ? get16(icmp + 4) : 0;
        info->sequence = info->is_echo ? get16(icmp + 6) : 0;
        if (!more && icmp_sum(packet, icmp, size) != 0xffff)
                return VERDICT_BAD_ICMP_CHECKSUM;

        if (icmp[0] == request)
                return VERDICT_REPLY;

        return request == 8 ? model_drop_ipv4(icmp[0]) : model_drop_ipv6(icmp[0]);
}

/*
 * Writes the checksum with which the reply has the same sum as the request: 0xffff if the checksum was
 * correct. All-zero data has a sum of zero, and the checksum 0xffff; other data never has that checksum.
 */
static void write_checksum(const uint8_t *packet, uint8_t *icmp, size_t size, uint16_t sum_before)
{
        uint32_t sum;

        put16(icmp + 2, 0);
        sum = icmp_sum(packet, icmp, size);
        put16(icmp + 2, sum == 0 ? 0xffff : 0x0000);
        if (sum_before % 0xffff != sum % 0xffff)
                put16(icmp + 2, (uint16_t) ((sum_before + 0xffff - sum) % 0xffff));
}

/* What is known of every packet whose length is right. */
static void read_header(struct packet_info *info, const uint8_t *packet, int family)
{
        size_t size = family == AF_INET ? 4 : 16, source = family == AF_INET ? 12 : 8;

        info->source.family = info->destination.family = (sa_family_t) family;
        memcpy(info->source.bytes, packet + source, size);
        memcpy(info->destination.bytes, packet + source + size, size);
        info->protocol = packet[family == AF_INET ? 9 : 6];
        info->hop_limit = packet[family == AF_INET ? 8 : 7];
}

static void read_fragment(struct packet_info *info, size_t offset, bool more, const uint8_t *id, size_t size)
{
        info->is_fragment = offset > 0 || more;
        if (!info->is_fragment)
                return;

        info->fragment_offset = (uint16_t) offset;
        memcpy(&info->fragment_id, id, size);
}

static enum verdict model_ipv4(const struct policy *policy, uint32_t time_of_day, uint8_t *packet,
                               size_t size, struct reflection *ret)
{
        uint8_t header[60] = { 0 }, answer[4], *icmp;
        size_t before, total, data, offset, n_options;
        enum verdict addresses, verdict;
        uint16_t sum;
        bool more;

        if (size < 20)
                return VERDICT_MALFORMED;

        before = (packet[0] & 0x0fU) * 4;
        total = get16(packet + 2);
        if (before < 20 || before > total || total > size)
                return VERDICT_MALFORMED;

        offset = (get16(packet + 6) & 0x1fffU) * 8;
        more = packet[6] & 0x20;
        read_header(&ret->packet, packet, AF_INET);
        read_fragment(&ret->packet, offset, more, packet + 4, 2);
        if (slow_sum(0, packet, before) != 0xffff)
                return VERDICT_BAD_IP_CHECKSUM;
        if (packet[9] != ICMP)
                return VERDICT_NOT_ICMP;

        icmp = packet + before;
        data = total - before;
        if ((more && data % 8 != 0) || (offset > 0 && data == 0) || before + offset + data > 65535)
                return VERDICT_MALFORMED;

        addresses = addresses_ipv4(policy, packet + 12, packet + 16, answer);
        verdict = options_ipv4(packet + 20, before - 20, answer, time_of_day, header + 20, &n_options);
        if (verdict != VERDICT_REPLY)
                return verdict;

        verdict = check_icmp(packet, icmp, data, offset, more, 8, &ret->packet);
        if (verdict != VERDICT_REPLY && verdict != VERDICT_REPLY_FRAGMENT)
                return verdict;
        if (addresses != VERDICT_REPLY)
                return addresses;

        if (verdict == VERDICT_REPLY) {
                sum = icmp_sum(packet, icmp, data);
                icmp[0] = 0;
                write_checksum(packet, icmp, data, sum);
        }

        memcpy(header, packet, 20);
        header[0] = (uint8_t) (0x45 + n_options / 4);
        put16(header + 2, (uint16_t) (20 + n_options + data));
        header[6] &= 0x7f;
        header[8] = policy->hop_limit;
        put16(header + 10, 0);
        memcpy(header + 12, answer, 4);
        memcpy(header + 16, packet + 12, 4);
        put16(header + 10, (uint16_t) ~slow_sum(0, header, 20 + n_options));
        memcpy(icmp - 20 - n_options, header, 20 + n_options);

        ret->offset = before - 20 - n_options;
        ret->length = 20 + n_options + data;
        return verdict;
}

/* Of a Hop-by-Hop or Destination options header. */
static bool options_ipv6_are_good(const uint8_t *header, size_t size, bool hop_by_hop)
{
        size_t position = 2, run = 0, n = 0;

        while (position < size) {
                uint8_t type = header[position];
                size_t length = 1;

                if (type != 0) {
                        if (position + 1 == size || header[position + 1] + 2U > size - position)
                                return false;
                        length = header[position + 1] + 2U;
                }

                run = type <= 1 ? run + length : 0;
                if (run > 7)
                        return false;
                for (size_t i = 2; type == 1 && i < length; i++)
                        if (header[position + i] != 0)
                                return false;
                if (type > 1 && (type >= 0x40 || ++n > 8))
                        return false;
                if (type == 5 && hop_by_hop && length != 4)
                        return false;

                position += length;
        }

        return true;
}

static enum verdict model_ipv6(const struct policy *policy, uint8_t *packet, size_t size, struct reflection *ret)
{
        size_t position = 40, end, length, fragment = 0, offset = 0, start;
        uint8_t answer[16], header[40], type;
        enum verdict verdict, addresses;
        bool more = false;
        uint16_t sum;

        if (size < 40)
                return VERDICT_MALFORMED;

        end = 40U + get16(packet + 4);
        if (end > size)
                return VERDICT_MALFORMED;

        read_header(&ret->packet, packet, AF_INET6);
        type = packet[6];
        for (unsigned n = 0; is_extension_header(type); n++) {
                const uint8_t *extension = packet + position;

                if (offset > 0 || more || n == 8)
                        return VERDICT_UNSUPPORTED;
                if (end - position < 8 || end - position < extension_header_size(extension, type))
                        return VERDICT_MALFORMED;

                length = extension_header_size(extension, type);
                if (type == 0 && n > 0)
                        return VERDICT_MALFORMED;
                if (type == 43 && extension[3] > 0)
                        return VERDICT_SOURCE_ROUTE;
                if ((type == 0 || type == 60) && !options_ipv6_are_good(extension, length, type == 0))
                        return VERDICT_BAD_OPTION;
                if (type == 44) {
                        size_t data = end - position - 8;

                        if (fragment > 0)
                                return VERDICT_MALFORMED;
                        fragment = position;
                        offset = (get16(extension + 2) >> 3) * 8U;
                        more = extension[3] & 1;
                        read_fragment(&ret->packet, offset, more, extension + 4, 4);
                        if ((more && data % 8 != 0) || (offset > 0 && data == 0) ||
                            position - 40 + offset + data > 65535)
                                return VERDICT_MALFORMED;
                }

                ret->packet.protocol = type = extension[0];
                position += length;
        }
        if (type != ICMPV6)
                return VERDICT_NOT_ICMP;

        verdict = check_icmp(packet, packet + position, end - position, offset, more, 128, &ret->packet);
        if (verdict != VERDICT_REPLY && verdict != VERDICT_REPLY_FRAGMENT)
                return verdict;
        addresses = addresses_ipv6(policy, packet + 8, packet + 24, answer);
        if (addresses != VERDICT_REPLY)
                return addresses;

        /* A message in one piece comes back without a Fragment header. */
        start = offset > 0 || more ? fragment : position;
        sum = icmp_sum(packet, packet + position, end - position);
        memcpy(header, packet, 40);
        header[1] &= 0xf0;
        header[2] = header[3] = 0;
        put16(header + 4, (uint16_t) (end - start));
        header[6] = offset > 0 || more ? 44 : ICMPV6;
        header[7] = policy->hop_limit;
        memcpy(header + 8, answer, 16);
        memcpy(header + 24, packet + 8, 16);
        if (verdict == VERDICT_REPLY) {
                packet[position] = 129;
                write_checksum(header, packet + position, end - position, sum);
        }
        if (offset > 0 || more) {
                packet[fragment + 1] = 0;
                packet[fragment + 3] &= 0xf9;
        }
        memcpy(packet + start - 40, header, 40);

        ret->offset = start - 40;
        ret->length = end - start + 40;
        return verdict;
}

/**
 * model_reflect() - what reflect() has to do
 * @policy: as of reflect()
 * @time_of_day: as of reflect()
 * @packet: as of reflect()
 * @size: as of reflect()
 * @ret_reflection: as of reflect()
 *
 * Return: the verdict.
 */
enum verdict model_reflect(const struct policy *policy, uint32_t time_of_day, uint8_t *packet, size_t size,
                           struct reflection *ret_reflection)
{
        *ret_reflection = (struct reflection) { 0 };

        if (size > 0 && packet[0] >> 4 == 4)
                return model_ipv4(policy, time_of_day, packet, size, ret_reflection);
        if (size > 0 && packet[0] >> 4 == 6)
                return model_ipv6(policy, packet, size, ret_reflection);

        return VERDICT_MALFORMED;
}

static void freep(uint8_t **bytes)
{
        free(*bytes);
}

/* A buffer that ends with the packet, so that a sanitizer sees the first byte beyond it that is used. */
static uint8_t *copy_behind(size_t margin, const uint8_t *packet, size_t size)
{
        uint8_t *buffer = malloc(margin + size + (margin + size == 0));

        if (!buffer)
                abort();
        memset(buffer, 0xa5, margin);
        if (size > 0)
                memcpy(buffer + margin, packet, size);
        return buffer;
}

static bool same_info(const struct packet_info *a, const struct packet_info *b)
{
        return a->source.family == b->source.family && a->destination.family == b->destination.family &&
               (a->source.family == AF_UNSPEC || (address_equal(&a->source, &b->source) &&
                                                  address_equal(&a->destination, &b->destination))) &&
               a->protocol == b->protocol && a->hop_limit == b->hop_limit &&
               a->is_fragment == b->is_fragment && a->fragment_id == b->fragment_id &&
               a->fragment_offset == b->fragment_offset && a->has_icmp == b->has_icmp && a->type == b->type &&
               a->code == b->code && a->is_echo == b->is_echo && a->identifier == b->identifier &&
               a->sequence == b->sequence;
}

/* A reply that is read again is dropped: another Timestamp may be too much for its option. */
static bool reply_is_dropped(const struct policy *policy, uint32_t time_of_day, const uint8_t *reply,
                             size_t length)
{
        _cleanup_(freep) uint8_t *buffer = copy_behind(0, reply, length);
        bool has_options = reply[0] >> 4 == 4 && reply[0] != 0x45;
        struct reflection reflection;
        enum verdict verdict = reflect(policy, time_of_day, buffer, length, &reflection);

        return (verdict == VERDICT_NOT_ECHO || (has_options && verdict == VERDICT_BAD_OPTION)) &&
               reflection.length == 0 && memcmp(buffer, reply, length) == 0;
}

/**
 * model_compare() - reflect a packet, and compare all that happens with the model
 * @policy: which requests are answered, and how
 * @time_of_day: as of reflect()
 * @packet: the packet, which is not modified
 * @size: its size in bytes
 * @margin: bytes before it in the buffer that reflect() is called with, which decide about its alignment
 * @ret_verdict: set to the verdict of reflect()
 *
 * Every byte of the buffer must be what the model says: those of the reply, those before and after it, and all
 * of them if there is no reply. The parsed header fields must be the same, too.
 *
 * Return: NULL, or what differs, until the next call.
 */
const char *model_compare(const struct policy *policy, uint32_t time_of_day, const uint8_t *packet, size_t size,
                          size_t margin, enum verdict *ret_verdict)
{
        _cleanup_(freep) uint8_t *buffer = copy_behind(margin, packet, size);
        _cleanup_(freep) uint8_t *expected = copy_behind(margin, packet, size);
        struct reflection got = { .offset = 99, .length = 99 }, want;
        enum verdict verdict = model_reflect(policy, time_of_day, expected + margin, size, &want);
        static char text[300];

        *ret_verdict = reflect(policy, time_of_day, buffer + margin, size, &got);
        if (*ret_verdict != verdict || got.offset != want.offset || got.length != want.length ||
            verdict_is_reply(verdict) != (got.length > 0) || got.offset + got.length > size) {
                (void) snprintf(text, sizeof(text), "%s, reply %zu+%zu, instead of %s, reply %zu+%zu",
                                verdict_name(*ret_verdict), got.offset, got.length, verdict_name(verdict),
                                want.offset, want.length);
                return text;
        }
        for (size_t i = 0; i < margin + size; i++)
                if (buffer[i] != expected[i]) {
                        (void) snprintf(text, sizeof(text), "%s, byte %td is %02x instead of %02x",
                                        verdict_name(verdict), (ptrdiff_t) (i - margin), buffer[i], expected[i]);
                        return text;
                }
        if (!same_info(&got.packet, &want.packet))
                return "other header fields";
        if (verdict == VERDICT_REPLY &&
            !reply_is_dropped(policy, time_of_day, buffer + margin + got.offset, got.length))
                return "the reply is answered";

        return NULL;
}
