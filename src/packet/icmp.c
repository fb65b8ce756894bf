/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The rules of ICMP messages and of fragments that IPv4 and IPv6 share. */

#include "packet/icmp.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "packet/checksum.h"

/* MLDv2 Multicast Listener Report, RFC 3810 section 5.2. */
#define MLD2_LISTENER_REPORT 143

/**
 * icmp_is_error() - check whether an ICMP message is an error
 * @family: AF_INET or AF_INET6
 * @type: type of the message
 *
 * RFC 1122 section 3.2.2, RFC 4443 section 2.1. Source Quench is deprecated (RFC 6633) and not included.
 */
bool icmp_is_error(int family, uint8_t type)
{
        if (family == AF_INET6)
                return type >= ICMP6_DST_UNREACH && type <= ICMP6_PARAM_PROB;

        return type == ICMP_DEST_UNREACH || type == ICMP_REDIRECT || type == ICMP_TIME_EXCEEDED ||
               type == ICMP_PARAMETERPROB;
}

/* Messages that an IPv6 host sends without a user: MLD (RFC 2710, 3810), neighbour discovery (RFC 4861). */
static bool is_housekeeping(int family, uint8_t type)
{
        if (family != AF_INET6)
                return false;

        return (type >= MLD_LISTENER_QUERY && type <= ND_REDIRECT) || type == MLD2_LISTENER_REPORT;
}

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
 * @ret_info: has the family; the fields of the ICMP header are set if the packet contains the header
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

        if (echo.type == part->request)
                return VERDICT_REPLY;
        if (icmp_is_error(ret_info->source.family, echo.type))
                return VERDICT_ICMP_ERROR;

        return is_housekeeping(ret_info->source.family, echo.type) ? VERDICT_HOUSEKEEPING : VERDICT_NOT_ECHO;
}
