/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Echo requests and replies over IPv6: RFC 8200, RFC 4443. */

#include "packet/ipv6.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <string.h>

#include "packet/checksum.h"
#include "packet/icmp.h"
#include "packet/policy.h"

/* Limits of what is parsed, which are those of Linux. */
#define OPTIONS_MAX 8 /* in an extension header, padding excluded */
#define PADDING_MAX 7 /* consecutive bytes: the largest alignment is 8 */

/* ff02::1, and ff02::1:ff00:0/104 with the last 24 bits of the peer's address (RFC 4291 section 2.7.1) */
static bool is_group_of_peer(const struct policy *policy, const struct in6_addr *address)
{
        static const uint8_t solicited_node[13] = { 0xff, 0x02, [11] = 0x01, [12] = 0xff };
        static const struct in6_addr all_nodes = { .s6_addr = { 0xff, 0x02, [15] = 0x01 } };

        if (IN6_ARE_ADDR_EQUAL(address, &all_nodes))
                return true;

        return memcmp(address->s6_addr, solicited_node, sizeof(solicited_node)) == 0 &&
               memcmp(address->s6_addr + 13, policy->peer_ipv6.s6_addr + 13, 3) == 0;
}

/* Returns VERDICT_REPLY if the addresses allow a reply, and sets ret_answer to the source of the reply. */
static enum verdict check_addresses(const struct policy *policy, const struct in6_addr *source,
                                    const struct in6_addr *destination, struct in6_addr *ret_answer)
{
        if (!ipv6_is_unicast(source) || IN6_ARE_ADDR_EQUAL(source, destination))
                return VERDICT_BAD_SOURCE;
        if (!IN6_IS_ADDR_MULTICAST(destination) && !ipv6_is_unicast(destination))
                return VERDICT_BAD_DESTINATION;
        if (!destinations_contain(policy->destinations, policy->n_destinations, AF_INET6, destination))
                return VERDICT_NOT_OURS;

        *ret_answer = *destination;
        if (!IN6_IS_ADDR_MULTICAST(destination))
                return VERDICT_REPLY;

        if (!policy->answer_multicast || IN6_IS_ADDR_UNSPECIFIED(&policy->peer_ipv6) ||
            !is_group_of_peer(policy, destination))
                return VERDICT_GROUP_DESTINATION;

        *ret_answer = IN6_IS_ADDR_LINKLOCAL(source) ? policy->peer_link_local : policy->peer_ipv6;
        return IN6_ARE_ADDR_EQUAL(source, ret_answer) ? VERDICT_BAD_SOURCE : VERDICT_REPLY;
}

/* RFC 8200 section 8.1. Jumbograms are not supported, so the length fits in 16 bits. */
static uint64_t pseudo_header_sum(const struct ip6_hdr *ip, size_t length)
{
        uint64_t sum = (uint64_t) htons((uint16_t) length) + htons(IPPROTO_ICMPV6);

        sum = checksum_add(sum, &ip->ip6_src, sizeof(ip->ip6_src));
        return checksum_add(sum, &ip->ip6_dst, sizeof(ip->ip6_dst));
}

/**
 * ipv6_is_extension_header() - check whether a header is one that is parsed
 * @type: Next Header of the header before
 *
 * Return: whether it is Hop-by-Hop, Routing, Fragment or Destination options (RFC 8200 section 4).
 */
bool ipv6_is_extension_header(uint8_t type)
{
        return type == IPPROTO_HOPOPTS || type == IPPROTO_ROUTING || type == IPPROTO_FRAGMENT ||
               type == IPPROTO_DSTOPTS;
}

static bool is_zero(const uint8_t *data, size_t size)
{
        for (size_t i = 0; i < size; i++)
                if (data[i] != 0)
                        return false;

        return true;
}

/*
 * RFC 8200 section 4.2: an unknown option is skipped if its two highest bits are zero. No option whose two
 * highest bits are not zero is known here.
 */
static bool options_are_valid(const uint8_t *option, const uint8_t *end, bool hop_by_hop)
{
        size_t padding = 0, length;
        unsigned n = 0;

        for (; option < end; option += length) {
                if (*option == IP6OPT_PAD1) {
                        length = 1;
                        if (++padding > PADDING_MAX)
                                return false;
                        continue;
                }

                if (end - option < 2 || end - option < option[1] + 2)
                        return false;

                length = option[1] + 2U;
                if (*option == IP6OPT_PADN) {
                        padding += length;
                        if (padding > PADDING_MAX || !is_zero(option + 2, option[1]))
                                return false;
                        continue;
                }

                padding = 0;
                if (++n > OPTIONS_MAX || IP6OPT_TYPE(*option) != IP6OPT_TYPE_SKIP)
                        return false;
                if (hop_by_hop && *option == IP6OPT_ROUTER_ALERT && option[1] != 2)
                        return false;
        }

        return true;
}

/* State of the loop over the extension headers. */
struct walk {
        uint8_t *first;    /* extension header, or the payload */
        uint8_t *next;     /* header to parse; at the end, the payload */
        uint8_t *end;      /* of the packet */
        uint8_t type;      /* of the next header */
        uint8_t *fragment; /* the Fragment header, or NULL */
        uint32_t fragment_id;
        size_t offset;     /* of the fragment, in bytes */
        bool more;         /* another fragment follows */
};

static bool is_fragment(const struct walk *walk)
{
        return walk->more || walk->offset > 0;
}

static enum verdict read_fragment_header(struct walk *walk)
{
        struct ip6_frag fragment;
        struct icmp_part part;

        if (walk->fragment)
                return VERDICT_MALFORMED;

        memcpy(&fragment, walk->next, sizeof(fragment));
        walk->fragment = walk->next;
        walk->fragment_id = fragment.ip6f_ident;
        walk->offset = ntohs(fragment.ip6f_offlg & IP6F_OFF_MASK);
        walk->more = fragment.ip6f_offlg & IP6F_MORE_FRAG;

        part = (struct icmp_part) {
                .size = (size_t) (walk->end - walk->next) - sizeof(fragment),
                .offset = walk->offset,
                .more = walk->more,
        };
        return icmp_part_is_valid(&part, (size_t) (walk->next - walk->first)) ? VERDICT_REPLY
                                                                              : VERDICT_MALFORMED;
}

/* Parses the extension headers up to the ICMPv6 message. Returns VERDICT_REPLY, or the reason of the drop. */
static enum verdict parse_headers(struct walk *walk)
{
        for (unsigned n = 0; walk->type != IPPROTO_ICMPV6; n++) {
                enum verdict verdict = VERDICT_REPLY;
                size_t left = (size_t) (walk->end - walk->next), length = IPV6_HEADER_UNIT;
                const uint8_t *header = walk->next;

                if (!ipv6_is_extension_header(walk->type))
                        return VERDICT_NOT_ICMP;
                if (is_fragment(walk) || n == IPV6_EXTENSION_HEADERS_MAX)
                        return VERDICT_UNSUPPORTED;
                if (left < IPV6_HEADER_UNIT)
                        return VERDICT_MALFORMED;
                if (walk->type != IPPROTO_FRAGMENT)
                        length += header[1] * IPV6_HEADER_UNIT;
                if (left < length)
                        return VERDICT_MALFORMED;

                if (walk->type == IPPROTO_HOPOPTS && n > 0)
                        verdict = VERDICT_MALFORMED;
                else if (walk->type == IPPROTO_FRAGMENT)
                        verdict = read_fragment_header(walk);
                else if (walk->type == IPPROTO_ROUTING)
                        verdict = header[3] == 0 ? VERDICT_REPLY : VERDICT_SOURCE_ROUTE;
                else if (!options_are_valid(header + 2, header + length, walk->type == IPPROTO_HOPOPTS))
                        verdict = VERDICT_BAD_OPTION;
                if (verdict != VERDICT_REPLY)
                        return verdict;

                walk->type = header[0];
                walk->next += length;
        }

        return VERDICT_REPLY;
}

static void write_echo_reply(uint8_t *data, const struct in6_addr *destination, const struct in6_addr *answer)
{
        struct icmp_echo request, reply;
        uint16_t checksum;

        memcpy(&request, data, sizeof(request));
        reply = request;
        reply.type = ICMP6_ECHO_REPLY;
        checksum = checksum_update_range(request.checksum, &request, &reply, sizeof(request));
        /* The pseudo-header has both addresses: the sum changes only if the reply comes from another one. */
        checksum = checksum_update_range(checksum, destination, answer, sizeof(*answer));
        reply.checksum = checksum_normalize_zero(checksum, false);

        memcpy(data, &reply, sizeof(reply));
}

/* Writes the header directly before the message or its Fragment header. Returns the start of the reply. */
static uint8_t *write_headers(const struct ip6_hdr *ip, const struct walk *walk,
                              const struct in6_addr *answer, uint8_t hop_limit)
{
        uint8_t *payload = is_fragment(walk) ? walk->fragment : walk->next, *start = payload - sizeof(*ip);
        struct ip6_hdr reply = *ip;

        if (is_fragment(walk)) {
                struct ip6_frag fragment;

                memcpy(&fragment, payload, sizeof(fragment));
                fragment.ip6f_reserved = 0;
                fragment.ip6f_offlg &= (uint16_t) ~IP6F_RESERVED_MASK;
                memcpy(payload, &fragment, sizeof(fragment));
        }

        reply.ip6_flow &= htonl(0xfff00000); /* version and traffic class */
        reply.ip6_plen = htons((uint16_t) (walk->end - payload));
        reply.ip6_nxt = is_fragment(walk) ? IPPROTO_FRAGMENT : IPPROTO_ICMPV6;
        reply.ip6_hlim = hop_limit;
        reply.ip6_src = *answer;
        reply.ip6_dst = ip->ip6_src;
        memcpy(start, &reply, sizeof(reply));

        return start;
}

/**
 * reflect_ipv6() - check an IPv6 packet and turn it into its reply
 * @policy: which requests are answered, and how
 * @packet: the packet, of any alignment; modified only if there is a reply
 * @size: its size in bytes, at least 1
 * @ret_reflection: the parsed header fields, and the position of the reply within @packet
 *
 * Return: the verdict.
 */
enum verdict reflect_ipv6(const struct policy *policy, uint8_t *packet, size_t size,
                          struct reflection *ret_reflection)
{
        struct packet_info *info = &ret_reflection->packet;
        enum verdict verdict, addresses;
        struct in6_addr answer;
        struct icmp_part part;
        struct ip6_hdr ip;
        struct walk walk;
        uint8_t *start;

        if (size < sizeof(ip))
                return VERDICT_MALFORMED;

        memcpy(&ip, packet, sizeof(ip));
        if (ntohs(ip.ip6_plen) > size - sizeof(ip))
                return VERDICT_MALFORMED;

        walk = (struct walk) {
                .first = packet + sizeof(ip),
                .next = packet + sizeof(ip),
                .end = packet + sizeof(ip) + ntohs(ip.ip6_plen),
                .type = ip.ip6_nxt,
        };
        verdict = parse_headers(&walk);

        info->source = (struct address) { .family = AF_INET6, .ipv6 = ip.ip6_src };
        info->destination = (struct address) { .family = AF_INET6, .ipv6 = ip.ip6_dst };
        info->protocol = walk.type;
        info->hop_limit = ip.ip6_hlim;
        info->is_fragment = is_fragment(&walk);
        if (info->is_fragment) {
                info->fragment_id = walk.fragment_id;
                info->fragment_offset = (uint16_t) walk.offset;
        }
        if (verdict != VERDICT_REPLY)
                return verdict;

        part = (struct icmp_part) {
                .data = walk.next,
                .size = (size_t) (walk.end - walk.next),
                .offset = walk.offset,
                .more = walk.more,
                .sum = pseudo_header_sum(&ip, (size_t) (walk.end - walk.next)),
                .request = ICMP6_ECHO_REQUEST,
                .reply = ICMP6_ECHO_REPLY,
        };
        verdict = icmp_check(&part, info);
        if (!verdict_is_reply(verdict))
                return verdict;

        addresses = check_addresses(policy, &ip.ip6_src, &ip.ip6_dst, &answer);
        if (addresses != VERDICT_REPLY)
                return addresses;

        if (verdict == VERDICT_REPLY)
                write_echo_reply(walk.next, &ip.ip6_dst, &answer);
        start = write_headers(&ip, &walk, &answer, policy->hop_limit);

        ret_reflection->offset = (size_t) (start - packet);
        ret_reflection->length = (size_t) (walk.end - start);
        return verdict;
}
