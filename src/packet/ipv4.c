/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Echo requests and replies over IPv4: RFC 791, RFC 792, RFC 1122 section 3.2, RFC 1812 section 4.3. */

#include "packet/ipv4.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#include "packet/checksum.h"
#include "packet/icmp.h"
#include "packet/policy.h"

static bool is_broadcast(const struct policy *policy, struct in_addr address)
{
        for (size_t i = 0; i < policy->n_broadcasts; i++)
                if (address.s_addr == policy->broadcasts[i].s_addr)
                        return true;

        return false;
}

static bool is_group(const struct policy *policy, struct in_addr address)
{
        return IN_MULTICAST(ntohl(address.s_addr)) || address.s_addr == htonl(INADDR_BROADCAST) ||
               is_broadcast(policy, address);
}

/* Returns VERDICT_REPLY if the addresses allow a reply, and sets ret_answer to the source of the reply. */
static enum verdict check_addresses(const struct policy *policy, struct in_addr source,
                                    struct in_addr destination, struct in_addr *ret_answer)
{
        bool group = is_group(policy, destination);

        *ret_answer = destination;
        if (!ipv4_is_unicast(source) || is_broadcast(policy, source) || source.s_addr == destination.s_addr)
                return VERDICT_BAD_SOURCE;
        if (!group && !ipv4_is_unicast(destination))
                return VERDICT_BAD_DESTINATION;
        if (!destinations_contain(policy->destinations, policy->n_destinations, AF_INET, &destination))
                return VERDICT_NOT_OURS;

        if (!group)
                return VERDICT_REPLY;

        if (!policy->answer_broadcast || policy->peer_ipv4.s_addr == 0)
                return VERDICT_GROUP_DESTINATION;
        if (source.s_addr == policy->peer_ipv4.s_addr)
                return VERDICT_BAD_SOURCE;

        *ret_answer = policy->peer_ipv4;
        return VERDICT_REPLY;
}

/* The options of a reply, padded to a multiple of 4 bytes. */
struct reply_options {
        uint8_t bytes[MAX_IPOPTLEN];
        size_t size;
};

/*
 * RFC 791: a pointer counts from 1. An option is full if its pointer is greater than its length; an option
 * that has space left, but less than one entry, is an error.
 */
static bool is_full(const uint8_t *option)
{
        return option[IPOPT_OFFSET] > option[IPOPT_OLEN];
}

static bool has_space(const uint8_t *option, unsigned size)
{
        return option[IPOPT_OFFSET] - 1U + size <= option[IPOPT_OLEN];
}

/* Adds the address to a Record Route option. Returns whether the option is valid, before and after that. */
static bool record_route(uint8_t *option, struct in_addr address)
{
        if (is_full(option))
                return true;
        if (!has_space(option, sizeof(address)))
                return false;

        memcpy(option + option[IPOPT_OFFSET] - 1, &address, sizeof(address));
        option[IPOPT_OFFSET] += sizeof(address);

        return is_full(option) || has_space(option, sizeof(address));
}

/* Does the same with a Timestamp option, whose entries are a time, or an address and a time. */
static bool record_time(uint8_t *option, struct in_addr address, uint32_t time_of_day)
{
        uint8_t flag = option[3] & 0x0f, overflow = option[3] >> 4;
        uint32_t time = htonl(time_of_day);
        size_t size = flag == IPOPT_TS_TSONLY ? sizeof(time) : sizeof(address) + sizeof(time);
        uint8_t *entry;

        if (is_full(option)) {
                if (flag == IPOPT_TS_PRESPEC)
                        return true;
                option[3] = (uint8_t) (flag | (overflow + 1) << 4);
                return overflow < 15;
        }
        if (!has_space(option, sizeof(time)))
                return false;
        if (flag != IPOPT_TS_TSONLY && flag != IPOPT_TS_TSANDADDR && flag != IPOPT_TS_PRESPEC)
                return true;
        if (!has_space(option, (unsigned) size))
                return false;

        entry = option + option[IPOPT_OFFSET] - 1;
        if (flag == IPOPT_TS_PRESPEC && memcmp(entry, &address, sizeof(address)) != 0)
                return true; /* the next entry is for another host */
        if (flag == IPOPT_TS_TSANDADDR)
                memcpy(entry, &address, sizeof(address));
        memcpy(entry + size - sizeof(time), &time, sizeof(time));
        option[IPOPT_OFFSET] = (uint8_t) (option[IPOPT_OFFSET] + size);

        return is_full(option) ||
               has_space(option, flag == IPOPT_TS_PRESPEC ? sizeof(time) : (unsigned) size);
}

static uint8_t *option_append(struct reply_options *options, const uint8_t *option)
{
        uint8_t *end = options->bytes + options->size;

        memcpy(end, option, option[IPOPT_OLEN]);
        options->size += option[IPOPT_OLEN];
        return end;
}

/*
 * Parses the options of a request and builds those of the reply: Record Route, then Timestamp (RFC 1122
 * section 3.2.2.6, in Linux's order). Returns VERDICT_REPLY, or the reason of the drop.
 */
static enum verdict build_options(const uint8_t *options, size_t size, struct in_addr answer,
                                  uint32_t time_of_day, struct reply_options *ret_options)
{
        const uint8_t *route = NULL, *timestamp = NULL;
        size_t length;

        for (const uint8_t *option = options, *end = options + size; option < end && *option != IPOPT_END;
             option += length) {
                length = 1;
                if (*option == IPOPT_NOOP)
                        continue;

                if (end - option < 2 || option[IPOPT_OLEN] < 2 || option[IPOPT_OLEN] > end - option)
                        return VERDICT_BAD_OPTION;

                length = option[IPOPT_OLEN];
                switch (*option) {
                case IPOPT_LSRR:
                case IPOPT_SSRR:
                        return VERDICT_SOURCE_ROUTE;
                case IPOPT_RR:
                        if (route || length < 3 || option[IPOPT_OFFSET] < IPOPT_MINOFF)
                                return VERDICT_BAD_OPTION;
                        route = option;
                        break;
                case IPOPT_TIMESTAMP:
                        if (timestamp || length < 4 || option[IPOPT_OFFSET] < IPOPT_MINOFF + 1)
                                return VERDICT_BAD_OPTION;
                        timestamp = option;
                        break;
                case IPOPT_RA:
                        if (length < 4)
                                return VERDICT_BAD_OPTION;
                        break;
                }
        }

        *ret_options = (struct reply_options) { 0 };
        if (route && !record_route(option_append(ret_options, route), answer))
                return VERDICT_BAD_OPTION;
        if (timestamp && !record_time(option_append(ret_options, timestamp), answer, time_of_day))
                return VERDICT_BAD_OPTION;

        ret_options->size = (ret_options->size + 3) & ~(size_t) 3; /* padded with IPOPT_END */
        return VERDICT_REPLY;
}

/* Returns whether all that the checksum covers is zero; unlike ICMPv6, ICMP has no pseudo-header. */
static bool echo_is_zero(const struct icmp_echo *echo, const uint8_t *data, size_t size)
{
        if (echo->type != 0 || echo->code != 0 || echo->identifier != 0 || echo->sequence != 0)
                return false;

        return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

static void write_echo_reply(uint8_t *data, size_t size)
{
        struct icmp_echo request, reply;

        memcpy(&request, data, sizeof(request));
        reply = request;
        reply.type = ICMP_ECHOREPLY;
        reply.checksum = checksum_update_range(request.checksum, &request, &reply, sizeof(request));
        if (reply.checksum == 0)
                reply.checksum = checksum_normalize_zero(
                        0, echo_is_zero(&reply, data + sizeof(reply), size - sizeof(reply)));

        memcpy(data, &reply, sizeof(reply));
}

/*
 * Replaces the options of the request by those of the reply, which end where the message starts. Returns the
 * updated checksum: both are compared over the size of the request's, as zeros add nothing to a sum.
 */
static uint16_t write_options(uint8_t *packet, size_t before, const struct reply_options *options,
                              uint16_t checksum)
{
        uint8_t *end = packet + sizeof(struct iphdr) + before;

        checksum = checksum_update_range(checksum, packet + sizeof(struct iphdr), options->bytes, before);
        memcpy(end - options->size, options->bytes, options->size);
        return checksum;
}

/* Writes the header of the reply directly before the payload, and returns its length. */
static size_t write_header(uint8_t *packet, const struct iphdr *ip, const struct reply_options *options,
                           struct in_addr answer, uint8_t hop_limit)
{
        size_t before = ip->ihl * sizeof(uint32_t), after = sizeof(*ip) + options->size;
        struct iphdr reply = *ip;

        reply.ihl = (after / sizeof(uint32_t)) & 0x0f;
        reply.tot_len = htons((uint16_t) (ntohs(ip->tot_len) - before + after));
        reply.frag_off &= (uint16_t) ~htons(IP_RF);
        reply.ttl = hop_limit;
        reply.saddr = answer.s_addr;
        reply.daddr = ip->saddr;
        reply.check = checksum_update_range(ip->check, ip, &reply, sizeof(*ip));
        if (before > sizeof(*ip))
                reply.check = write_options(packet, before - sizeof(*ip), options, reply.check);

        memcpy(packet + before - after, &reply, sizeof(reply));
        return after;
}

/* Returns whether the header and the whole packet are within the size bytes that were read. */
static bool parse_header(const uint8_t *packet, size_t size, struct iphdr *ret_ip)
{
        size_t header, total;

        if (size < sizeof(*ret_ip))
                return false;

        memcpy(ret_ip, packet, sizeof(*ret_ip));
        header = ret_ip->ihl * sizeof(uint32_t);
        total = ntohs(ret_ip->tot_len);

        return header >= sizeof(*ret_ip) && total >= header && total <= size;
}

/**
 * reflect_ipv4() - check an IPv4 packet and turn it into its reply
 * @policy: which requests are answered, and how
 * @time_of_day: milliseconds since midnight UT
 * @packet: the packet, of any alignment; modified only if there is a reply
 * @size: its size in bytes, at least 1
 * @ret_reflection: the parsed header fields, and the position of the reply within @packet
 *
 * Return: the verdict.
 */
enum verdict reflect_ipv4(const struct policy *policy, uint32_t time_of_day, uint8_t *packet, size_t size,
                          struct reflection *ret_reflection)
{
        struct packet_info *info = &ret_reflection->packet;
        struct reply_options options = { 0 };
        enum verdict verdict, addresses;
        struct icmp_part part;
        struct in_addr answer;
        size_t header, total;
        struct iphdr ip;

        if (!parse_header(packet, size, &ip))
                return VERDICT_MALFORMED;

        header = ip.ihl * sizeof(uint32_t);
        total = ntohs(ip.tot_len);

        info->source = (struct address) { .family = AF_INET, .ipv4.s_addr = ip.saddr };
        info->destination = (struct address) { .family = AF_INET, .ipv4.s_addr = ip.daddr };
        info->protocol = ip.protocol;
        info->hop_limit = ip.ttl;
        info->is_fragment = ip.frag_off & htons(IP_MF | IP_OFFMASK);
        if (info->is_fragment) {
                info->fragment_id = ip.id;
                info->fragment_offset = (uint16_t) (ntohs(ip.frag_off) << 3);
        }

        if (checksum_finish(checksum_add(0, packet, header)) != 0)
                return VERDICT_BAD_IP_CHECKSUM;
        if (ip.protocol != IPPROTO_ICMP)
                return VERDICT_NOT_ICMP;

        part = (struct icmp_part) {
                .data = packet + header,
                .size = total - header,
                .offset = (ntohs(ip.frag_off) & IP_OFFMASK) * 8U,
                .more = ntohs(ip.frag_off) & IP_MF,
                .request = ICMP_ECHO,
                .reply = ICMP_ECHOREPLY,
        };
        if (!icmp_part_is_valid(&part, header))
                return VERDICT_MALFORMED;

        addresses = check_addresses(policy, info->source.ipv4, info->destination.ipv4, &answer);
        if (header > sizeof(ip)) {
                verdict = build_options(packet + sizeof(ip), header - sizeof(ip), answer, time_of_day,
                                        &options);
                if (verdict != VERDICT_REPLY)
                        return verdict;
        }

        verdict = icmp_check(&part, info);
        if (!verdict_is_reply(verdict))
                return verdict;
        if (addresses != VERDICT_REPLY)
                return addresses;

        if (verdict == VERDICT_REPLY)
                write_echo_reply(packet + header, part.size);
        ret_reflection->length = part.size + write_header(packet, &ip, &options, answer, policy->hop_limit);
        ret_reflection->offset = total - ret_reflection->length;
        return verdict;
}
