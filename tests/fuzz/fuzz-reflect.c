/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fuzzes reflect(). An input is CONTROL_SIZE bytes that choose a policy, and then a packet.
 *
 * The oracle shares no code with the function that it checks: it has a dissector and a checksum of its own, slow and
 * plain. It says what every reply has to look like, and which simple requests must have one.
 */

#include <string.h>

#include "fuzz.h"
#include "packet/policy.h"
#include "packet/reflect.h"

/* Flags in the first byte of an input. */
enum {
        REPAIR_CHECKSUMS = 1 << 0, /* of the packet: hardly a mutation would get past them */
        REPAIR_LENGTHS = 1 << 1,
        ANSWER_BROADCAST = 1 << 2,
        ANSWER_MULTICAST = 1 << 3,
        PEER_IPV4 = 1 << 4,
        PEER_IPV6 = 1 << 5,
        DESTINATIONS = 1 << 6,
        SUBNETS = 1 << 7,
};

/* Flags; hop limit; length of the Destination= prefixes; zero words of the IPv6 peer, and alignment. */
#define CONTROL_SIZE 4

/* Bytes in front of a packet, which must stay unchanged. */
#define MARGIN      8
#define MARGIN_BYTE 0xa5

#define TIME_OF_DAY UINT32_C(0x01234567)

#define IPV4_HEADER     20
#define IPV6_HEADER     40
#define FRAGMENT_HEADER 8
#define ICMP_HEADER     8

/* A packet as the oracle sees it. All places are counted from its first byte. */
struct view {
        const uint8_t *bytes;
        int family;
        size_t end; /* of the packet; padding may follow */
        uint8_t protocol;
        size_t fragment; /* where the IPv6 Fragment header is, or 0 */
        size_t message;  /* where the ICMP message is, or the piece of it */
        size_t offset;   /* of that piece, in bytes */
        bool more;
        bool source_route;
};

/* One run of reflect(), on a copy of the packet. */
struct run {
        uint8_t *buffer, *packet;
        size_t margin;
        enum verdict verdict;
        struct reflection reflection;
};

/* Unsigned, big endian. */
static unsigned get16(const uint8_t *bytes)
{
        return (unsigned) bytes[0] << 8 | bytes[1];
}

static void put16(uint8_t *bytes, unsigned value)
{
        bytes[0] = (uint8_t) (value >> 8);
        bytes[1] = (uint8_t) value;
}

/* RFC 1071 as it is written, one word and one carry at a time. */
static unsigned slow_sum(unsigned sum, const uint8_t *data, size_t size)
{
        for (size_t i = 0; i < size; i += 2) {
                sum += (unsigned) data[i] << 8;
                if (i + 1 < size)
                        sum += data[i + 1];
                if (sum > 0xffff)
                        sum -= 0xffff;
        }

        return sum;
}

/* The same, with zeros in place of the word at @skip. */
static unsigned slow_sum_without(unsigned sum, const uint8_t *data, size_t size, size_t skip)
{
        sum = slow_sum(sum, data, skip);
        return slow_sum(sum, data + skip + 2, size - skip - 2);
}

/* Of all that the checksum of a message covers beside it. */
static unsigned pseudo_header_sum(const struct view *view)
{
        size_t size = view->end - view->message;
        const uint8_t rest[] = { (uint8_t) (size >> 8), (uint8_t) size, 0, 58 };

        if (view->family == AF_INET)
                return 0;

        return slow_sum(slow_sum(0, view->bytes + 8, 32), rest, sizeof(rest));
}

static unsigned message_sum(const struct view *view)
{
        return slow_sum(pseudo_header_sum(view), view->bytes + view->message, view->end - view->message);
}

static bool is_first(const struct view *view)
{
        return view->offset == 0;
}

static bool is_whole(const struct view *view)
{
        return view->offset == 0 && !view->more;
}

static uint8_t echo_request(const struct view *view)
{
        return view->family == AF_INET ? 8 : 128;
}

static uint8_t echo_reply(const struct view *view)
{
        return view->family == AF_INET ? 0 : 129;
}

static bool dissect_ipv4(struct view *view, size_t size)
{
        const uint8_t *ip = view->bytes;

        if (size < IPV4_HEADER)
                return false;

        view->family = AF_INET;
        view->message = (ip[0] & 0x0fU) * 4U;
        view->end = get16(ip + 2);
        view->protocol = ip[9];
        view->offset = (get16(ip + 6) & 0x1fff) * 8;
        view->more = get16(ip + 6) & 0x2000;

        return view->message >= IPV4_HEADER && view->message <= view->end && view->end <= size;
}

static bool dissect_ipv6(struct view *view, size_t size)
{
        const uint8_t *ip = view->bytes;

        if (size < IPV6_HEADER)
                return false;

        view->family = AF_INET6;
        view->message = IPV6_HEADER;
        view->end = IPV6_HEADER + (size_t) get16(ip + 4);
        view->protocol = ip[6];
        if (view->end > size)
                return false;

        while (view->protocol == 0 || view->protocol == 43 || view->protocol == 44 || view->protocol == 60) {
                const uint8_t *header = ip + view->message;
                size_t length = 8;

                if (!is_whole(view) || view->end - view->message < 8)
                        return false;
                if (view->protocol == 44) {
                        view->fragment = view->message;
                        view->offset = get16(header + 2) & 0xfff8;
                        view->more = header[3] & 1;
                } else
                        length += header[1] * 8U;
                if (view->protocol == 43 && header[3] != 0)
                        view->source_route = true;
                if (view->end - view->message < length)
                        return false;

                view->protocol = header[0];
                view->message += length;
        }

        return true;
}

/* Returns whether the packet is sound up to its message. */
static bool dissect(struct view *ret_view, const uint8_t *packet, size_t size)
{
        *ret_view = (struct view) { .bytes = packet };

        if (size > 0 && packet[0] >> 4 == 4)
                return dissect_ipv4(ret_view, size);
        if (size > 0 && packet[0] >> 4 == 6)
                return dissect_ipv6(ret_view, size);

        return false;
}

static bool is_icmp(const struct view *view)
{
        return view->protocol == (view->family == AF_INET ? 1 : 58);
}

static void repair_lengths(uint8_t *packet, size_t size)
{
        if (size >= IPV4_HEADER && packet[0] >> 4 == 4)
                put16(packet + 2, (unsigned) size);
        if (size >= IPV6_HEADER && packet[0] >> 4 == 6)
                put16(packet + 4, (unsigned) (size - IPV6_HEADER));
}

static void repair_checksums(uint8_t *packet, size_t size)
{
        struct view view;

        if (!dissect(&view, packet, size))
                return;

        if (view.family == AF_INET)
                put16(packet + 10, ~slow_sum_without(0, packet, view.message, 10) & 0xffff);
        if (is_icmp(&view) && is_first(&view) && view.end - view.message >= ICMP_HEADER)
                put16(packet + view.message + 2,
                      ~slow_sum_without(pseudo_header_sum(&view), packet + view.message,
                                        view.end - view.message, 2) &
                              0xffff);
}

static struct policy make_policy(const uint8_t control[static CONTROL_SIZE])
{
        struct policy policy = {
                .peer_link_local.s6_addr = { 0xfe, 0x80, [15] = 2 },
                .hop_limit = control[1] ? control[1] : 64,
                .answer_broadcast = control[0] & ANSWER_BROADCAST,
                .answer_multicast = control[0] & ANSWER_MULTICAST,
        };

        if (control[0] & PEER_IPV4)
                policy.peer_ipv4.s_addr = htonl(0xc6120002); /* 198.18.0.2 */
        if (control[0] & PEER_IPV6) {
                size_t zeros = (control[3] >> 4) % 4;

                policy.peer_ipv6 = (struct in6_addr) { .s6_addr = { 0x20, 0x01, 0x00, 0x02, [15] = 2 } };
                memset(&policy.peer_ipv6, 0, zeros * sizeof(uint32_t));
                if (zeros > 0)
                        policy.peer_ipv6.s6_addr[zeros * sizeof(uint32_t)] = 1;
        }
        if (control[0] & SUBNETS) {
                policy.broadcasts[policy.n_broadcasts++].s_addr = htonl(0xc61200ff); /* 198.18.0.255 */
                policy.broadcasts[policy.n_broadcasts++].s_addr = htonl(0xc613ffff); /* 198.19.255.255 */
        }
        if (control[0] & DESTINATIONS) {
                policy.destinations[policy.n_destinations++] =
                        (struct prefix) { { AF_INET, .bytes = { 198, 18, 0, 2 } },
                                          (uint8_t) (control[2] % 33) };
                policy.destinations[policy.n_destinations++] =
                        (struct prefix) { { AF_INET6, .bytes = { 0x20, 0x01, 0x00, 0x02, [15] = 2 } },
                                          (uint8_t) (control[2] % 129) };
        }

        return policy;
}

/* The packet is in a buffer that ends with it, so that the sanitizer sees who looks beyond. */
static struct run run_reflect(const struct policy *policy, const uint8_t *packet, size_t size, size_t margin)
{
        struct run run = { .buffer = malloc(margin + size), .margin = margin };

        must(run.buffer != NULL || margin + size == 0, "there is memory");
        memset(run.buffer, MARGIN_BYTE, margin);
        run.packet = run.buffer + margin;
        memcpy(run.packet, packet, size);
        run.verdict = reflect(policy, TIME_OF_DAY, run.packet, size, &run.reflection);

        return run;
}

static bool is_ipv4_group(const struct policy *policy, const uint8_t *address)
{
        for (size_t i = 0; i < policy->n_broadcasts; i++)
                if (memcmp(address, &policy->broadcasts[i], 4) == 0)
                        return true;

        return address[0] >> 4 == 14 || memcmp(address, "\xff\xff\xff\xff", 4) == 0;
}

static bool is_ipv4_host(const struct policy *policy, const uint8_t *address)
{
        return address[0] != 0 && address[0] != 127 && address[0] < 224 && !is_ipv4_group(policy, address);
}

static bool is_ipv6_host(const uint8_t *address)
{
        static const uint8_t zeros[15], mapped[12] = { [10] = 0xff, [11] = 0xff };

        return address[0] != 0xff && (memcmp(address, zeros, 15) != 0 || address[15] > 1) &&
               memcmp(address, mapped, 12) != 0;
}

/* Bit by bit. */
static bool is_destination(const struct policy *policy, const struct view *request)
{
        const uint8_t *address = request->bytes + (request->family == AF_INET ? 16 : 24);

        for (size_t i = 0; i < policy->n_destinations; i++) {
                const struct prefix *prefix = &policy->destinations[i];
                unsigned bit = 0;

                if (prefix->address.family != request->family)
                        continue;
                while (bit < prefix->length &&
                       ((prefix->address.bytes[bit / 8] ^ address[bit / 8]) >> (7 - bit % 8) & 1) == 0)
                        bit++;
                if (bit == prefix->length)
                        return true;
        }

        return policy->n_destinations == 0;
}

/* The address that has to answer. */
static const uint8_t *answer_of(const struct policy *policy, const struct view *request)
{
        const uint8_t *source = request->bytes + 8, *destination = request->bytes + 24;

        if (request->family == AF_INET) {
                destination = request->bytes + 16;
                if (is_ipv4_group(policy, destination))
                        return (const uint8_t *) &policy->peer_ipv4;
                return destination;
        }
        if (destination[0] != 0xff)
                return destination;

        return source[0] == 0xfe && source[1] >> 6 == 2 ? policy->peer_link_local.s6_addr :
                                                          policy->peer_ipv6.s6_addr;
}

static enum verdict expected_verdict_of_type(const struct view *view)
{
        static const uint8_t errors_ipv4[] = { 3, 5, 11, 12 }, errors_ipv6[] = { 1, 2, 3, 4 };
        static const uint8_t housekeeping[] = { 130, 131, 132, 133, 134, 135, 136, 137, 143 };
        uint8_t type = view->bytes[view->message];

        if (type == echo_request(view))
                return VERDICT_REPLY;
        if (memchr(view->family == AF_INET ? errors_ipv4 : errors_ipv6, type, 4))
                return VERDICT_ICMP_ERROR;
        if (view->family == AF_INET6 && memchr(housekeeping, type, sizeof(housekeeping)))
                return VERDICT_HOUSEKEEPING;

        return VERDICT_NOT_ECHO;
}

/* The verdict on a packet that is simple enough to tell at once, or _VERDICT_MAX. */
static enum verdict expected_verdict(const struct policy *policy, const struct view *view)
{
        size_t header = view->family == AF_INET ? IPV4_HEADER : IPV6_HEADER;
        size_t length = view->end - view->message;
        const uint8_t *source, *destination;

        if (!is_icmp(view) || !is_destination(policy, view) ||
            view->message - (view->fragment ? FRAGMENT_HEADER : 0) != header)
                return _VERDICT_MAX;

        source = view->bytes + (view->family == AF_INET ? 12 : 8);
        destination = view->bytes + (view->family == AF_INET ? 16 : 24);
        if (memcmp(source, destination, view->family == AF_INET ? 4 : 16) == 0)
                return _VERDICT_MAX;
        if (view->family == AF_INET) {
                if (!is_ipv4_host(policy, source) || !is_ipv4_host(policy, destination))
                        return _VERDICT_MAX;
                if (slow_sum(0, view->bytes, header) != 0xffff)
                        return VERDICT_BAD_IP_CHECKSUM;
        } else if (!is_ipv6_host(source) || !is_ipv6_host(destination))
                return _VERDICT_MAX;

        /* An IPv6 packet's length does not count its fixed header. */
        if ((view->more && length % 8 != 0) ||
            view->offset + length > 65535U - (view->family == AF_INET ? header : 0))
                return VERDICT_MALFORMED;
        if (!is_first(view))
                return length > 0 ? VERDICT_REPLY_FRAGMENT : VERDICT_MALFORMED;
        if (length < ICMP_HEADER)
                return VERDICT_MALFORMED;
        if (is_whole(view) && message_sum(view) != 0xffff)
                return VERDICT_BAD_ICMP_CHECKSUM;

        return expected_verdict_of_type(view);
}

/* The one option of that type in an IPv4 header, or NULL. */
static const uint8_t *find_option(const struct view *view, uint8_t type)
{
        const uint8_t *option = view->bytes + IPV4_HEADER, *end = view->bytes + view->message;
        const uint8_t *found = NULL;
        size_t length;

        for (; option < end && *option != 0; option += length) {
                length = 1;
                if (*option == 1)
                        continue;

                must(end - option >= 2 && option[1] >= 2 && option[1] <= end - option,
                     "options of what is answered are sound");
                length = option[1];
                if (*option != type)
                        continue;

                must(!found, "nothing with a second option of its kind is answered");
                found = option;
        }

        return found;
}

/* Record Route (7) or Timestamp (68): kept, and at most one entry made in it. */
static void check_kept_option(const struct policy *policy, const struct view *request,
                              const struct view *reply, uint8_t type)
{
        const uint8_t *before = find_option(request, type), *after = find_option(reply, type);
        size_t first = type == 7 ? 3 : 4, length, from, to;
        const uint8_t *answer = answer_of(policy, request);
        bool full, due = true;

        must((before == NULL) == (after == NULL), "Record Route and Timestamp are kept, and not made up");
        if (!before)
                return;

        length = before[1];
        from = before[2] - 1U;
        to = after[2] - 1U;
        full = from >= length;
        must(after[1] == length && from >= first && to >= from && to - from <= 8,
             "an option keeps its length, and has one entry more");
        if (type == 68) {
                unsigned flag = before[3] & 0x0f, overflows = (after[3] >> 4) - (before[3] >> 4);

                due = flag <= 1;
                must(flag == (after[3] & 0x0f), "a Timestamp option keeps its flag");
                must(overflows == 0 || (overflows == 1 && full), "only a full Timestamp overflows");
                must(overflows == 1 || !due || !full, "a full Timestamp overflows");
        }
        must(!due || to > from || full, "where there is room, an entry is made");
        must(to == from || to <= length, "the entry is within the option");
        for (size_t i = first; i < length; i++)
                must(before[i] == after[i] || (i >= from && i < to),
                     "nothing but the entry is new in an option");
        if (to == from)
                return;

        if (type == 7)
                must(to - from == 4 && memcmp(after + from, answer, 4) == 0,
                     "Record Route has the address that answers");
        else
                must(get16(after + to - 4) == TIME_OF_DAY >> 16 &&
                             get16(after + to - 2) == (TIME_OF_DAY & 0xffff),
                     "Timestamp has the time");
        if (type == 68 && to - from == 8)
                must(memcmp(after + from, answer, 4) == 0, "Timestamp has the address that answers");
}

static void check_reply_ipv4(const struct policy *policy, const struct view *request,
                             const struct view *reply)
{
        const uint8_t *before = request->bytes, *after = reply->bytes;
        bool ended = false;

        must(slow_sum(0, before, request->message) == 0xffff, "what is answered has a right header checksum");
        must(get16(after + 10) == (~slow_sum_without(0, after, reply->message, 10) & 0xffff),
             "the header checksum is right");
        must(after[1] == before[1], "the TOS byte is kept");
        must(get16(after + 4) == get16(before + 4), "the ID is kept");
        must(get16(after + 6) == (get16(before + 6) & 0x7fff),
             "flags and offset are kept, the reserved flag cleared");
        must(after[8] == policy->hop_limit, "the TTL is the policy's");
        must(memcmp(after + 16, before + 12, 4) == 0, "the reply goes to the source");
        must(memcmp(after + 12, answer_of(policy, request), 4) == 0,
             "the reply comes from the destination, or the peer");
        must(is_ipv4_host(policy, after + 12) && is_ipv4_host(policy, after + 16),
             "the reply's addresses are of hosts");
        must(memcmp(after + 12, after + 16, 4) != 0, "the reply's addresses differ");

        check_kept_option(policy, request, reply, 7);
        check_kept_option(policy, request, reply, 68);
        for (size_t i = IPV4_HEADER; i < reply->message; i += ended || after[i] == 0 ? 1 : after[i + 1]) {
                ended = ended || after[i] == 0;
                must(ended ? after[i] == 0 : after[i] == 7 || after[i] == 68,
                     "no other option is in the reply");
        }
}

static void check_reply_ipv6(const struct policy *policy, const struct view *request,
                             const struct view *reply)
{
        const uint8_t *before = request->bytes, *after = reply->bytes;
        size_t headers = IPV6_HEADER + (is_whole(request) ? 0 : FRAGMENT_HEADER);

        must(!request->source_route, "no source route is answered");
        must(get16(after) == (get16(before) & 0xfff0) && get16(after + 2) == 0,
             "the traffic class is kept, the flow label 0");
        must(after[6] == (is_whole(request) ? 58 : 44) && reply->message == headers,
             "the only extension header is Fragment");
        must(after[7] == policy->hop_limit, "the hop limit is the policy's");
        must(memcmp(after + 24, before + 8, 16) == 0, "the reply goes to the source");
        must(memcmp(after + 8, answer_of(policy, request), 16) == 0,
             "the reply comes from the destination, or the peer");
        must(is_ipv6_host(after + 8) && is_ipv6_host(after + 24), "the reply's addresses are of hosts");
        must(memcmp(after + 8, after + 24, 16) != 0, "the reply's addresses differ");

        if (!is_whole(request)) {
                before += request->fragment;
                after += reply->fragment;
                must(after[0] == 58 && after[1] == 0 && (after[3] & 6) == 0,
                     "reserved bits of the Fragment header are 0");
                must(memcmp(after + 4, before + 4, 4) == 0, "the identification is kept");
        }
}

static void check_reply_message(const struct view *request, const struct view *reply)
{
        const uint8_t *before = request->bytes + request->message, *after = reply->bytes + reply->message;

        must(before[0] == echo_request(request) && after[0] == echo_reply(reply),
             "an echo request has an echo reply");
        must(before[1] == after[1], "the code is kept");
        must(memcmp(before + 4, after + 4, 4) == 0, "identifier and sequence number are kept");

        if (is_whole(request)) {
                unsigned right =
                        ~slow_sum_without(pseudo_header_sum(reply), after, reply->end - reply->message, 2) &
                        0xffff;

                must(message_sum(request) == 0xffff, "what is answered has a right ICMP checksum");
                must(get16(after + 2) == right, "the ICMP checksum is right");
        } else
                must(message_sum(request) % 0xffff == message_sum(reply) % 0xffff,
                     "the ICMP checksum keeps its error");
        must(request->family == AF_INET || get16(after + 2) != 0xffff, "an ICMPv6 checksum is never 0xffff");
}

static void check_reply_is_not_answered(const struct policy *policy, const struct view *reply)
{
        struct run run = run_reflect(policy, reply->bytes, reply->end, 0);

        must(!verdict_is_reply(run.verdict), "a reply is not answered");
        /* Another Timestamp is a reply's right, but may be too much for a request. */
        if (reply->family == AF_INET6 || reply->message == IPV4_HEADER)
                must(run.verdict == VERDICT_NOT_ECHO, "a reply is no echo request");
        free(run.buffer);
}

static void check_reply(const struct policy *policy, const uint8_t *packet, size_t size,
                        const struct run *run)
{
        const struct reflection *reflection = &run->reflection;
        size_t end = reflection->offset + reflection->length, header;
        struct view request, reply;

        must(reflection->offset < size && reflection->length <= size - reflection->offset,
             "the reply lies within the packet");
        must(dissect(&request, packet, size) && is_icmp(&request), "what is answered is ICMP");
        must(is_destination(policy, &request), "what is answered is for a Destination=");
        must(end == request.end && reflection->length <= request.end,
             "the reply ends with the packet, and is not longer");
        must(dissect(&reply, run->packet + reflection->offset, reflection->length), "the reply is sound");
        must(reply.end == reflection->length, "the reply's length is right");
        must(reply.family == request.family && is_icmp(&reply), "the reply is of the same protocols");
        must(reply.offset == request.offset && reply.more == request.more, "the reply is the same fragment");
        must((run->verdict == VERDICT_REPLY) == is_first(&request), "a later fragment is counted as one");
        must(reflection->offset + reply.message == request.message, "the message stays where it was");
        must(!request.more || (request.end - request.message) % 8 == 0,
             "what other fragments follow has whole units");

        header = is_first(&request) ? ICMP_HEADER : 0;
        must(request.end - request.message >= header, "a message has its header");
        must(memcmp(packet, run->packet, reflection->offset) == 0,
             "nothing in front of the reply is changed");
        must(memcmp(packet + request.message + header, run->packet + request.message + header,
                    size - request.message - header) == 0,
             "neither payload nor padding is changed");

        if (request.family == AF_INET)
                check_reply_ipv4(policy, &request, &reply);
        else
                check_reply_ipv6(policy, &request, &reply);
        if (is_first(&request)) {
                check_reply_message(&request, &reply);
                check_reply_is_not_answered(policy, &reply);
        }
}

/* What was read of a packet is what is in it. */
static void check_info(const uint8_t *packet, size_t size, const struct run *run)
{
        const struct packet_info *info = &run->reflection.packet;
        bool ipv4 = info->source.family == AF_INET;
        const uint8_t *message;
        struct view view;
        bool sound = dissect(&view, packet, size);

        must(info->source.family == info->destination.family, "both addresses are known, or none is");
        must(info->has_icmp || (!info->is_echo && info->type == 0 && info->code == 0),
             "no type without a header");
        must(info->is_echo || (info->identifier == 0 && info->sequence == 0),
             "no identifier without an echo");
        must(run->verdict != VERDICT_REPLY || info->is_echo, "an answered request was read");
        must(run->verdict != VERDICT_REPLY_FRAGMENT || (info->is_fragment && !info->has_icmp),
             "a later fragment has no header");
        must(info->is_fragment || (info->fragment_id == 0 && info->fragment_offset == 0),
             "no place in a packet without a fragment");
        must(!info->has_icmp || info->fragment_offset == 0, "a header is in the first fragment");
        must(run->verdict != VERDICT_REPLY_FRAGMENT || info->fragment_offset > 0,
             "a later fragment is not at the beginning");
        if (info->source.family == AF_UNSPEC) {
                must(run->verdict == VERDICT_MALFORMED && !info->has_icmp && !info->is_fragment &&
                             info->protocol == 0 && info->hop_limit == 0,
                     "nothing is known of a packet without a header");
                return;
        }

        must(ipv4 || info->source.family == AF_INET6, "the family is one of the two");
        must(packet[0] >> 4 == (ipv4 ? 4 : 6), "the family is the packet's");
        must(memcmp(info->source.bytes, packet + (ipv4 ? 12 : 8), ipv4 ? 4 : 16) == 0,
             "the source is the packet's");
        must(memcmp(info->destination.bytes, packet + (ipv4 ? 16 : 24), ipv4 ? 4 : 16) == 0,
             "the destination is the packet's");
        must(info->hop_limit == packet[ipv4 ? 8 : 7], "the hop limit is the packet's");
        if (!info->has_icmp)
                return;

        must(sound && is_icmp(&view) && is_first(&view), "a header was read where there is one");
        must(info->protocol == view.protocol && info->is_fragment == !is_whole(&view),
             "protocol and fragment are the packet's");
        message = packet + view.message;
        must(info->type == message[0] && info->code == message[1], "type and code are the message's");
        must(info->is_echo == (info->type == echo_request(&view) || info->type == echo_reply(&view)),
             "an echo is known as one");
        if (info->is_echo)
                must(info->identifier == get16(message + 4) && info->sequence == get16(message + 6),
                     "the numbers are the message's");
}

/* The bytes of the union behind an IPv4 address are undefined. */
static bool same_address(const struct address *a, const struct address *b)
{
        size_t size = a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0;

        return a->family == b->family && memcmp(a->bytes, b->bytes, size) == 0;
}

static bool info_equal(const struct packet_info *a, const struct packet_info *b)
{
        return same_address(&a->source, &b->source) && same_address(&a->destination, &b->destination) &&
               a->protocol == b->protocol && a->hop_limit == b->hop_limit &&
               a->is_fragment == b->is_fragment && a->fragment_id == b->fragment_id &&
               a->fragment_offset == b->fragment_offset && a->has_icmp == b->has_icmp && a->type == b->type &&
               a->code == b->code && a->is_echo == b->is_echo && a->identifier == b->identifier &&
               a->sequence == b->sequence;
}

/* Another run on the packet, or on all of it but its padding, has to come to the same. */
static void check_again(const struct policy *policy, const uint8_t *packet, size_t size,
                        const struct run *run)
{
        struct run again = run_reflect(policy, packet, size, MARGIN);

        for (size_t i = 0; i < MARGIN; i++)
                must(again.buffer[i] == MARGIN_BYTE, "nothing in front of the packet is changed");
        must(again.verdict == run->verdict, "the same packet has the same verdict");
        must(again.reflection.offset == run->reflection.offset &&
                     again.reflection.length == run->reflection.length,
             "the same packet has a reply in the same place");
        must(info_equal(&again.reflection.packet, &run->reflection.packet),
             "the same is read of the same packet");
        must(memcmp(again.packet, run->packet, size) == 0, "the same packet has the same reply");
        free(again.buffer);
}

const char *fuzz_outcome(const uint8_t *data, size_t size)
{
        struct policy policy;
        enum verdict verdict;
        struct view view;
        uint8_t *packet;
        struct run run;

        if (size < CONTROL_SIZE)
                return "too-short";

        policy = make_policy(data);
        size -= CONTROL_SIZE;
        packet = malloc(size + 1);
        must(packet != NULL, "there is memory");
        memcpy(packet, data + CONTROL_SIZE, size);
        if (data[0] & REPAIR_LENGTHS)
                repair_lengths(packet, size);
        if (data[0] & REPAIR_CHECKSUMS)
                repair_checksums(packet, size);

        run = run_reflect(&policy, packet, size, data[3] % MARGIN);
        verdict = run.verdict;
        must(verdict < _VERDICT_MAX, "the verdict is one");
        must(verdict_is_reply(verdict) == (run.reflection.length > 0),
             "there is a reply where the verdict says so");
        if (verdict_is_reply(verdict))
                check_reply(&policy, packet, size, &run);
        else
                must(memcmp(packet, run.packet, size) == 0, "a packet that is dropped is not changed");
        check_info(packet, size, &run);

        if (dissect(&view, packet, size)) {
                enum verdict expected = expected_verdict(&policy, &view);

                must(expected == _VERDICT_MAX || expected == verdict,
                     "a simple packet has the verdict that one can tell");
                check_again(&policy, packet, view.end, &run);
        }
        check_again(&policy, packet, size, &run);

        free(run.buffer);
        free(packet);
        return verdict_name(verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        (void) fuzz_outcome(data, size);
        return 0;
}
