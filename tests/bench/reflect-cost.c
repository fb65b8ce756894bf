/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What one packet costs without anything around it: turns a request into its reply again and again.
 *
 *      reflect-cost VARIANT FAMILY SIZE ROUNDS
 *
 * VARIANT is "reflect", or "recompute" for a reflector that verifies and swaps as well, but sums everything
 * anew for the reply, and judges no more than it has to; or "sum" for checksum_add() alone, over SIZE bytes.
 * Prints one line of JSON; the cycles are 0 where there is no counter of them, as in many virtual machines.
 * The functions to count instructions of are reflect(), recompute(), sum_anew() and
 * checksum_add().
 */

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "options.h"
#include "packet/checksum.h"
#include "packet/policy.h"
#include "packet/reflect.h"
#include "common/util.h"

#define PACKET_MIN 64
#define PACKET_MAX 65535
#define ROUNDS_MAX 100000000

/* What is measured stays a function of its own. */
#define _measured_ __attribute__((__noinline__))

struct echo {
        uint8_t type, code;
        uint16_t checksum, identifier, sequence;
};

static const struct policy policy = { .hop_limit = 64 };

/* All that the echo's checksum covers beside it. */
static uint64_t pseudo_header_sum(const struct ip6_hdr *ip)
{
        uint64_t sum = (uint64_t) ip->ip6_plen + htons(IPPROTO_ICMPV6);

        return checksum_add(sum, &ip->ip6_src, 2 * sizeof(ip->ip6_src));
}

/* Writes the checksums of an IPv4 packet without options, or of an IPv6 packet without extension headers. */
static _measured_ void sum_anew(uint8_t *packet, size_t size)
{
        struct iphdr ipv4;
        struct ip6_hdr ipv6;
        struct echo echo;
        uint64_t sum = 0;
        size_t header;

        if (packet[0] >> 4 == 4) {
                header = sizeof(ipv4);
                memcpy(&ipv4, packet, header);
                ipv4.check = 0;
                ipv4.check = checksum_finish(checksum_add(0, &ipv4, header));
                memcpy(packet, &ipv4, header);
        } else {
                header = sizeof(ipv6);
                memcpy(&ipv6, packet, header);
                sum = pseudo_header_sum(&ipv6);
        }

        memcpy(&echo, packet + header, sizeof(echo));
        echo.checksum = 0;
        memcpy(packet + header, &echo, sizeof(echo));
        echo.checksum = checksum_finish(checksum_add(sum, packet + header, size - header));
        memcpy(packet + header, &echo, sizeof(echo));
}

/* Returns whether there is a reply. */
static _measured_ bool recompute(uint8_t *packet, size_t size)
{
        if (packet[0] >> 4 == 4) {
                struct iphdr ip;
                struct in_addr source;

                memcpy(&ip, packet, sizeof(ip));
                if (ip.ihl != sizeof(ip) / 4 || ntohs(ip.tot_len) != size || ip.protocol != IPPROTO_ICMP ||
                    packet[sizeof(ip)] != ICMP_ECHO)
                        return false;
                if (checksum_finish(checksum_add(0, packet, sizeof(ip))) != 0 ||
                    checksum_finish(checksum_add(0, packet + sizeof(ip), size - sizeof(ip))) != 0)
                        return false;

                source.s_addr = ip.saddr;
                ip.saddr = ip.daddr;
                ip.daddr = source.s_addr;
                ip.ttl = policy.hop_limit;
                memcpy(packet, &ip, sizeof(ip));
                packet[sizeof(ip)] = ICMP_ECHOREPLY;
        } else {
                struct ip6_hdr ip;
                struct in6_addr source;

                memcpy(&ip, packet, sizeof(ip));
                if (ntohs(ip.ip6_plen) != size - sizeof(ip) || ip.ip6_nxt != IPPROTO_ICMPV6 ||
                    packet[sizeof(ip)] != ICMP6_ECHO_REQUEST)
                        return false;
                if (checksum_finish(checksum_add(pseudo_header_sum(&ip), packet + sizeof(ip),
                                                 size - sizeof(ip))) != 0)
                        return false;

                source = ip.ip6_src;
                ip.ip6_src = ip.ip6_dst;
                ip.ip6_dst = source;
                ip.ip6_hlim = policy.hop_limit;
                memcpy(packet, &ip, sizeof(ip));
                packet[sizeof(ip)] = ICMP6_ECHO_REPLY;
        }

        sum_anew(packet, size);
        return true;
}

static _measured_ uint64_t sum(const uint8_t *data, size_t size)
{
        return checksum_add(0, data, size);
}

/* Returns the size of the headers, all of which a reflector may change. */
static size_t make_request(uint8_t *packet, size_t size, bool ipv4)
{
        struct echo echo = { .type = ipv4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST,
                             .identifier = htons(0x7e40),
                             .sequence = htons(1) };
        size_t header = ipv4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);

        for (size_t i = header + sizeof(echo); i < size; i++)
                packet[i] = (uint8_t) i;
        memcpy(packet + header, &echo, sizeof(echo));

        if (ipv4) {
                struct iphdr ip = {
                        .version = 4,
                        .ihl = sizeof(ip) / 4,
                        .tot_len = htons((uint16_t) size),
                        .frag_off = htons(IP_DF),
                        .ttl = 64,
                        .protocol = IPPROTO_ICMP,
                        .saddr = htonl(0xc6120001), /* 198.18.0.1 */
                        .daddr = htonl(0xc6120002),
                };

                memcpy(packet, &ip, sizeof(ip));
        } else {
                struct ip6_hdr ip = {
                        .ip6_flow = htonl(6U << 28),
                        .ip6_plen = htons((uint16_t) (size - sizeof(ip))),
                        .ip6_nxt = IPPROTO_ICMPV6,
                        .ip6_hlim = 64,
                        .ip6_src.s6_addr = { 0x20, 0x01, 0x00, 0x02, [15] = 1 },
                        .ip6_dst.s6_addr = { 0x20, 0x01, 0x00, 0x02, [15] = 2 },
                };

                memcpy(packet, &ip, sizeof(ip));
        }
        sum_anew(packet, size);

        return header + sizeof(echo);
}

/* One packet. Returns whether there was a reply. */
static bool turn(const char *variant, uint8_t *packet, size_t size)
{
        struct reflection reflection;

        switch (variant[2]) {
        case 'f':
                return reflect(&policy, 0, packet, size, &reflection) == VERDICT_REPLY;
        case 'c':
                return recompute(packet, size);
        default:
                return sum(packet, size) != 0;
        }
}

/* A counter of this process's cycles, or -1. */
static int cycles_open(void)
{
        struct perf_event_attr attributes = {
                .type = PERF_TYPE_HARDWARE,
                .size = sizeof(attributes),
                .config = PERF_COUNT_HW_CPU_CYCLES,
                .exclude_kernel = 1,
                .exclude_hv = 1,
        };

        return (int) syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static uint64_t cycles_read(int fd)
{
        uint64_t cycles;

        return fd >= 0 && read(fd, &cycles, sizeof(cycles)) == sizeof(cycles) ? cycles : 0;
}

/* Both ways have to come to the same reply, or they are not worth comparing. */
static bool agree(const uint8_t *request, size_t size)
{
        static uint8_t one[PACKET_MAX], other[PACKET_MAX];

        memcpy(one, request, size);
        memcpy(other, request, size);
        return turn("reflect", one, size) && turn("recompute", other, size) && memcmp(one, other, size) == 0;
}

int main(int argc, char *argv[])
{
        static const char *const variants[] = { "reflect", "recompute", "sum" };
        static uint8_t request[PACKET_MAX], packet[PACKET_MAX];
        unsigned long size, rounds, answered = 0;
        const char *variant = NULL;
        uint64_t begin, end, cycles;
        size_t headers;
        int counter;

        for (size_t i = 0; argc == 5 && i < ARRAY_SIZE(variants); i++)
                if (strcmp(argv[1], variants[i]) == 0)
                        variant = variants[i];
        if (!variant || (strcmp(argv[2], "ipv4") != 0 && strcmp(argv[2], "ipv6") != 0) ||
            option_number(argv[3], PACKET_MIN, PACKET_MAX, &size) < 0 ||
            option_number(argv[4], 1, ROUNDS_MAX, &rounds) < 0) {
                fprintf(stderr, "Usage: %s reflect|recompute|sum ipv4|ipv6 SIZE ROUNDS\n", argv[0]);
                return 64;
        }

        headers = make_request(request, size, strcmp(argv[2], "ipv4") == 0);
        memcpy(packet, request, size);
        if (!agree(request, size)) {
                fprintf(stderr, "%s: the two replies differ\n", argv[0]);
                return 70;
        }

        counter = cycles_open();
        cycles = cycles_read(counter);
        begin = clock_ns();
        for (unsigned long i = 0; i < rounds; i++) {
                memcpy(packet, request, headers);
                answered += turn(variant, packet, size);
        }
        end = clock_ns();
        cycles = cycles_read(counter) - cycles;

        printf("{\"packets\": %lu, \"answered\": %lu, \"ns\": %" PRIu64 ", \"cycles\": %" PRIu64 "}\n",
               rounds,
               answered, end - begin, cycles);
        return answered == rounds ? 0 : 70;
}
