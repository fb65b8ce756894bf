/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * ICMP errors (RFC 792, RFC 1122 section 3.2.2, RFC 4443 section 3) about echo replies that were sent here.
 *
 *     IP header, options or extension headers
 *     ICMP error: type, code, checksum, 4 bytes that depend on the type
 *     quoted packet: IP header, options or extension headers
 *                    ICMP echo reply: type, code, checksum, identifier, sequence number
 *                    data, cut off anywhere
 */

#include "packet/icmp-error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "common/util.h"
#include "packet/icmp.h"
#include "packet/ipv6.h"

/* The first 8 bytes of the ICMP message in a packet, which may be cut off behind them. */
struct message {
        struct address source;
        struct address destination;
        struct icmp_echo header;
        bool more;           /* another fragment follows */
        const uint8_t *data; /* after the header */
        size_t size;         /* of data, in bytes */
};

static int read_message(struct message *message, const uint8_t *data, size_t size)
{
        if (size < sizeof(message->header))
                return -EBADMSG;

        memcpy(&message->header, data, sizeof(message->header));
        message->data = data + sizeof(message->header);
        message->size = size - sizeof(message->header);
        return 0;
}

static int find_message_ipv4(const uint8_t *packet, size_t size, struct message *ret_message)
{
        size_t header, end;
        struct iphdr ip;

        if (size < sizeof(ip) || packet[0] >> 4 != 4)
                return -EBADMSG;

        memcpy(&ip, packet, sizeof(ip));
        header = ip.ihl * sizeof(uint32_t);
        end = ntohs(ip.tot_len) < size ? ntohs(ip.tot_len) : size;
        if (header < sizeof(ip) || header > end)
                return -EBADMSG;
        if (ip.protocol != IPPROTO_ICMP || (ip.frag_off & htons(IP_OFFMASK)) != 0)
                return -ENOMSG;

        *ret_message = (struct message) {
                .source = { .family = AF_INET, .ipv4.s_addr = ip.saddr },
                .destination = { .family = AF_INET, .ipv4.s_addr = ip.daddr },
                .more = ip.frag_off & htons(IP_MF),
        };
        return read_message(ret_message, packet + header, end - header);
}

static int find_message_ipv6(const uint8_t *packet, size_t size, struct message *ret_message)
{
        size_t end, next = sizeof(struct ip6_hdr);
        struct ip6_hdr ip;
        uint8_t type;

        if (size < sizeof(ip) || packet[0] >> 4 != 6)
                return -EBADMSG;

        memcpy(&ip, packet, sizeof(ip));
        end = sizeof(ip) + ntohs(ip.ip6_plen) < size ? sizeof(ip) + ntohs(ip.ip6_plen) : size;
        *ret_message = (struct message) {
                .source = { .family = AF_INET6, .ipv6 = ip.ip6_src },
                .destination = { .family = AF_INET6, .ipv6 = ip.ip6_dst },
        };

        type = ip.ip6_nxt;
        for (unsigned n = 0; ipv6_is_extension_header(type); n++) {
                size_t length = IPV6_HEADER_UNIT;
                struct ip6_frag fragment;

                if (n == IPV6_EXTENSION_HEADERS_MAX)
                        return -ENOMSG;
                if (end - next < length)
                        return -EBADMSG;

                if (type == IPPROTO_FRAGMENT) {
                        memcpy(&fragment, packet + next, sizeof(fragment));
                        if ((fragment.ip6f_offlg & IP6F_OFF_MASK) != 0)
                                return -ENOMSG;
                        if ((fragment.ip6f_offlg & IP6F_MORE_FRAG) != 0)
                                ret_message->more = true;
                } else {
                        length += packet[next + 1] * IPV6_HEADER_UNIT;
                        if (end - next < length)
                                return -EBADMSG;
                }

                type = packet[next];
                next += length;
        }

        return type == IPPROTO_ICMPV6 ? read_message(ret_message, packet + next, end - next) : -ENOMSG;
}

/**
 * icmp_error_parse() - parse an ICMP error about an echo reply
 * @packet: the packet, of any alignment, for which reflect() returned VERDICT_ICMP_ERROR
 * @size: its size in bytes
 * @ret_error: set on success
 *
 * The checksum of the error is not verified, as reflect() does that. Of the quoted packet the IP
 * header and the first 8 bytes of its ICMP message are enough; its checksums are not verified, as
 * routers change the packet.
 *
 * Return: 0; -EBADMSG if a header is malformed or truncated, or the error is fragmented, so that
 *         its checksum is not verified; -ENOMSG if @packet is not an ICMP error, or quotes another
 *         packet than an echo reply, a later fragment of one, or more than 8 extension headers.
 */
int icmp_error_parse(const void *packet, size_t size, struct icmp_error *ret_error)
{
        const uint8_t *bytes = packet;
        bool ipv4 = size > 0 && bytes[0] >> 4 == 4;
        int (*find_message)(const uint8_t *, size_t, struct message *) =
                ipv4 ? find_message_ipv4 : find_message_ipv6;
        struct message error, quoted;
        struct icmp_error result;
        int r;

        r = find_message(bytes, size, &error);
        if (r < 0)
                return r;
        if (!icmp_is_error(error.source.family, error.header.type))
                return -ENOMSG;
        if (error.more)
                return -EBADMSG;

        r = find_message(error.data, error.size, &quoted);
        if (r < 0)
                return r;
        if (quoted.header.type != (ipv4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY))
                return -ENOMSG;

        result = (struct icmp_error) {
                .reporter = error.source,
                .type = error.header.type,
                .code = error.header.code,
                .source = quoted.source,
                .destination = quoted.destination,
                .identifier = ntohs(quoted.header.identifier),
                .sequence = ntohs(quoted.header.sequence),
        };
        /* RFC 1191 section 4: 16 bits; RFC 4443 section 3.2: 32 bits. */
        if (icmp_error_reason(&result) == ICMP_ERROR_TOO_BIG)
                result.mtu = ntohs(error.header.sequence) |
                             (ipv4 ? 0 : (uint32_t) ntohs(error.header.identifier) << 16);

        *ret_error = result;
        return 0;
}

#define ANY_CODE 0xff /* this and every code that has no row before */

static const struct row {
        uint8_t type;
        uint8_t code;
        enum icmp_error_reason reason;
} rows_ipv4[] = {
        { ICMP_DEST_UNREACH, ICMP_NET_UNREACH, ICMP_ERROR_NO_ROUTE },
        { ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, ICMP_ERROR_HOST_UNREACHABLE },
        { ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, ICMP_ERROR_PROTOCOL_UNREACHABLE },
        { ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, ICMP_ERROR_PORT_UNREACHABLE },
        { ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, ICMP_ERROR_TOO_BIG },
        { ICMP_DEST_UNREACH, ICMP_SR_FAILED, ICMP_ERROR_SOURCE_ROUTE_FAILED },
        { ICMP_DEST_UNREACH, ICMP_NET_UNKNOWN, ICMP_ERROR_NO_ROUTE },
        { ICMP_DEST_UNREACH, ICMP_HOST_UNKNOWN, ICMP_ERROR_HOST_UNREACHABLE },
        { ICMP_DEST_UNREACH, ICMP_HOST_ISOLATED, ICMP_ERROR_HOST_UNREACHABLE },
        { ICMP_DEST_UNREACH, ICMP_NET_ANO, ICMP_ERROR_PROHIBITED },
        { ICMP_DEST_UNREACH, ICMP_HOST_ANO, ICMP_ERROR_PROHIBITED },
        { ICMP_DEST_UNREACH, ICMP_NET_UNR_TOS, ICMP_ERROR_NO_ROUTE },
        { ICMP_DEST_UNREACH, ICMP_HOST_UNR_TOS, ICMP_ERROR_HOST_UNREACHABLE },
        { ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, ICMP_ERROR_PROHIBITED },
        { ICMP_DEST_UNREACH, ICMP_PREC_VIOLATION, ICMP_ERROR_PROHIBITED },
        { ICMP_DEST_UNREACH, ICMP_PREC_CUTOFF, ICMP_ERROR_PROHIBITED },
        { ICMP_REDIRECT, ANY_CODE, ICMP_ERROR_REDIRECT },
        { ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, ICMP_ERROR_HOP_LIMIT },
        { ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, ICMP_ERROR_REASSEMBLY },
        { ICMP_PARAMETERPROB, ANY_CODE, ICMP_ERROR_PARAMETER_PROBLEM },
};

/* RFC 6550 section 6.7.2 (code 7) and RFC 8883 section 3 (code 8) are newer than netinet/icmp6.h. */
static const struct row rows_ipv6[] = {
        { ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE, ICMP_ERROR_NO_ROUTE },
        { ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN, ICMP_ERROR_PROHIBITED },
        { ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_BEYONDSCOPE, ICMP_ERROR_BEYOND_SCOPE },
        { ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, ICMP_ERROR_ADDRESS_UNREACHABLE },
        { ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, ICMP_ERROR_PORT_UNREACHABLE },
        { ICMP6_DST_UNREACH, 5, ICMP_ERROR_SOURCE_POLICY },
        { ICMP6_DST_UNREACH, 6, ICMP_ERROR_REJECT_ROUTE },
        { ICMP6_DST_UNREACH, 7, ICMP_ERROR_SOURCE_ROUTE_FAILED },
        { ICMP6_DST_UNREACH, 8, ICMP_ERROR_HEADERS_TOO_LONG },
        { ICMP6_PACKET_TOO_BIG, ANY_CODE, ICMP_ERROR_TOO_BIG },
        { ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_TRANSIT, ICMP_ERROR_HOP_LIMIT },
        { ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_REASSEMBLY, ICMP_ERROR_REASSEMBLY },
        { ICMP6_PARAM_PROB, ICMP6_PARAMPROB_NEXTHEADER, ICMP_ERROR_PROTOCOL_UNREACHABLE },
        { ICMP6_PARAM_PROB, ANY_CODE, ICMP_ERROR_PARAMETER_PROBLEM },
};

/**
 * icmp_error_reason() - get the reason that an error reports
 * @error: the error
 *
 * Return: the reason, ICMP_ERROR_UNKNOWN if the code is not assigned.
 */
enum icmp_error_reason icmp_error_reason(const struct icmp_error *error)
{
        bool ipv4 = error->reporter.family == AF_INET;
        const struct row *rows = ipv4 ? rows_ipv4 : rows_ipv6;
        size_t n = ipv4 ? ARRAY_SIZE(rows_ipv4) : ARRAY_SIZE(rows_ipv6);

        for (size_t i = 0; i < n; i++)
                if (rows[i].type == error->type &&
                    (rows[i].code == error->code || rows[i].code == ANY_CODE))
                        return rows[i].reason;

        return ICMP_ERROR_UNKNOWN;
}

static const char *const texts[] = {
        [ICMP_ERROR_UNKNOWN] = "unknown code",
        [ICMP_ERROR_NO_ROUTE] = "no route to the destination",
        [ICMP_ERROR_HOST_UNREACHABLE] = "host unreachable",
        [ICMP_ERROR_ADDRESS_UNREACHABLE] = "address unreachable",
        [ICMP_ERROR_PROTOCOL_UNREACHABLE] = "protocol unreachable",
        [ICMP_ERROR_PORT_UNREACHABLE] = "port unreachable",
        [ICMP_ERROR_TOO_BIG] = "packet too big",
        [ICMP_ERROR_PROHIBITED] = "administratively prohibited",
        [ICMP_ERROR_SOURCE_ROUTE_FAILED] = "source route failed",
        [ICMP_ERROR_BEYOND_SCOPE] = "beyond the scope of the source address",
        [ICMP_ERROR_SOURCE_POLICY] = "source address failed ingress or egress policy",
        [ICMP_ERROR_REJECT_ROUTE] = "reject route to the destination",
        [ICMP_ERROR_HEADERS_TOO_LONG] = "headers too long",
        [ICMP_ERROR_HOP_LIMIT] = "hop limit exceeded in transit",
        [ICMP_ERROR_REASSEMBLY] = "fragment reassembly time exceeded",
        [ICMP_ERROR_REDIRECT] = "redirect to another gateway",
        [ICMP_ERROR_PARAMETER_PROBLEM] = "parameter problem",
};

_Static_assert(ARRAY_SIZE(texts) == _ICMP_ERROR_REASON_MAX, "every reason needs a text");

/**
 * icmp_error_reason_text() - get the text of a reason
 * @reason: the reason
 *
 * Return: a phrase for log messages.
 */
const char *icmp_error_reason_text(enum icmp_error_reason reason)
{
        return texts[reason];
}
