/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * One packet in, one verdict out, and the rules that both families share.
 *
 * Nothing in reflect*.c touches a descriptor, a clock, the heap or a global variable. A packet is written to
 * only when it is certain that there will be a reply, and the reply is made in place: its payload stays where
 * it is.
 */

#include "packet/reflect.h"

#include <arpa/inet.h>
#include <string.h>

#include "packet/reflect-private.h"
#include "packet/checksum.h"

/**
 * fragment_is_sound() - tell whether a fragment can be one of a packet
 * @part: what the packet carries, which need not be a fragment
 * @headers: size in bytes of the headers that count as part of the whole packet's 65,535
 *
 * RFC 791 section 3.2, RFC 8200 section 4.5: all but the last one end on a multiple of 8 bytes,
 * and none beyond the largest packet. One without data is none.
 */
bool fragment_is_sound(const struct icmp_part *part, size_t headers)
{
        if (part->more && part->size % 8 != 0)
                return false;
        if (part->offset > 0 && part->size == 0)
                return false;

        return headers + part->offset + part->size <= UINT16_MAX;
}

/**
 * judge_icmp() - judge the ICMP message of a packet, or the fragment of it
 * @part: what the packet carries of it
 * @ret_info: told what the header says, if it is there
 *
 * The checksum of a fragmented message cannot be verified, as no packet has all that it covers.
 *
 * Return: VERDICT_REPLY or VERDICT_REPLY_FRAGMENT if nothing speaks against a reply, else why it is dropped.
 */
enum verdict judge_icmp(const struct icmp_part *part, struct packet_info *ret_info)
{
        struct icmp_echo echo;

        if (part->offset > 0)
                return VERDICT_REPLY_FRAGMENT;
        if (part->size < sizeof(echo))
                return VERDICT_MALFORMED;

        memcpy(&echo, part->data, sizeof(echo));
        ret_info->has_icmp = true;
        ret_info->type = echo.type;
        ret_info->code = echo.code;
        ret_info->is_echo = echo.type == part->request || echo.type == part->reply;
        if (ret_info->is_echo) {
                ret_info->identifier = ntohs(echo.identifier);
                ret_info->sequence = ntohs(echo.sequence);
        }

        if (!part->more && checksum_finish(checksum_add(part->sum, part->data, part->size)) != 0)
                return VERDICT_BAD_ICMP_CHECKSUM;

        return echo.type == part->request ? VERDICT_REPLY : VERDICT_NOT_ECHO;
}

/**
 * reflect_needs_time() - tell whether the time of day matters to a packet's reply
 * @packet: the packet, of any alignment
 * @size: its size in bytes, as it was read
 *
 * Return: false unless it is IPv4 with options, of which one may be a Timestamp.
 */
bool reflect_needs_time(const void *packet, size_t size)
{
        const uint8_t *bytes = packet;

        return size > 0 && bytes[0] > 0x45 && bytes[0] <= 0x4f;
}

/**
 * reflect() - judge a packet and turn it into its reply
 * @policy: which requests are answered, and how
 * @time_of_day: milliseconds since midnight UT, where reflect_needs_time() asks for it
 * @packet: the packet, of any alignment; changed only if there is a reply
 * @size: its size in bytes, as it was read
 * @ret_reflection: what was read of the packet, and where the reply lies within it
 *
 * The reply is never longer than the packet, and its payload is never touched.
 *
 * Return: the verdict; verdict_is_reply() tells the ones that have a reply.
 */
enum verdict reflect(const struct policy *policy, uint32_t time_of_day, void *packet, size_t size,
                     struct reflection *ret_reflection)
{
        uint8_t *bytes = packet;

        *ret_reflection = (struct reflection) { 0 };

        if (size == 0)
                return VERDICT_MALFORMED;

        switch (bytes[0] >> 4) {
        case 4:
                return reflect_ipv4(policy, time_of_day, bytes, size, ret_reflection);
        case 6:
                return reflect_ipv6(policy, bytes, size, ret_reflection);
        default:
                return VERDICT_MALFORMED;
        }
}
