/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The rules of ICMP messages and of fragments that IPv4 and IPv6 share. */

#include "packet/icmp.h"

#include <arpa/inet.h>
#include <string.h>

#include "packet/checksum.h"

/**
 * icmp_part_is_valid() - check the size and the offset of a fragment
 * @part: the part of the message that the packet carries; an unfragmented message passes, too
 * @headers: size in bytes of the headers that count towards the 65,535 bytes of the whole packet
 *
 * RFC 791 section 3.2, RFC 8200 section 4.5: the size of every fragment but the last is a multiple
 * of 8 bytes, and no fragment ends beyond the largest packet. A later fragment carries data.
 */
bool icmp_part_is_valid(const struct icmp_part *part, size_t headers)
{
        if (part->more && part->size % 8 != 0)
                return false;
        if (part->offset > 0 && part->size == 0)
                return false;

        return headers + part->offset + part->size <= UINT16_MAX;
}

/**
 * icmp_check() - check the ICMP message of a packet, or the fragment of one
 * @part: the part of the message that the packet carries
 * @ret_info: the fields of the ICMP header are set if the packet contains the header
 *
 * The checksum of a fragmented message is not verified, as no single packet has all that it covers.
 *
 * Return: VERDICT_REPLY for an echo request, VERDICT_REPLY_FRAGMENT for a later fragment, else the
 *         reason of the drop.
 */
enum verdict icmp_check(const struct icmp_part *part, struct packet_info *ret_info)
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
