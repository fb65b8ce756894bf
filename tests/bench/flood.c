/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Floods a device with echo requests: a packet socket that bypasses the queueing discipline, batches of one
 * system call. Without a rate it keeps the device's queue full: what that has no room for is refused and
 * counted, and the next try comes a little later, as one that hammers at a full queue takes the cache lines
 * from under the reader. Replies are none of its business. Prints one line of JSON.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "packet/checksum.h"
#include "common/util.h"

#include "options.h"

#define BATCH       64
#define PACKET_MIN  64
#define PACKET_MAX  65535
#define SECONDS_MAX 86400
#define COUNT_MAX   UINT32_MAX
#define RATE_MAX    100000000
#define SOURCES_MAX (1 << 24)
#define IDENTIFIER  0x7e40

/* In nanoseconds, after a refusal: less than the queue takes to run empty, more than a few packets take. */
#define PAUSE 20000

struct echo_header {
        uint8_t type, code;
        uint16_t checksum, identifier, sequence;
};

/* The headers of one request in the making, each family with its echo header right behind. */
union headers {
        struct {
                struct iphdr ip;
                struct echo_header echo;
        } ipv4;
        struct {
                struct ip6_hdr ip;
                struct echo_header echo;
        } ipv6;
};

_Static_assert(sizeof((union headers) { 0 }.ipv4) == 28, "the echo header follows the IPv4 header");
_Static_assert(sizeof((union headers) { 0 }.ipv6) == 48, "the echo header follows the IPv6 header");

struct job {
        const char *interface, *source, *destination;
        unsigned long size, milliseconds;
        unsigned long packets; /* to be accepted, if time allows */
        unsigned long rate;    /* packets a second, or 0: as many as the queue takes */
        unsigned long sources; /* addresses that they come from, counted up from the source */
};

/* A batch: headers of their own, and one payload for all. */
struct generator {
        int fd;
        int family;
        struct sockaddr_ll device;
        uint32_t source; /* the last four bytes of the first one, in host order */
        union headers headers[BATCH];
        unsigned char data[PACKET_MAX];
        struct iovec parts[BATCH][2];
        struct mmsghdr messages[BATCH];
};

struct result {
        uint64_t accepted, refused, time;
};

static int headers_ipv4(union headers *headers, const struct job *job, const unsigned char *data)
{
        struct iphdr *ip = &headers->ipv4.ip;
        struct echo_header *echo = &headers->ipv4.echo;

        *ip = (struct iphdr) {
                .version = 4,
                .ihl = sizeof(*ip) / 4,
                .tot_len = htons((uint16_t) job->size),
                .frag_off = htons(IP_DF),
                .ttl = IPDEFTTL,
                .protocol = IPPROTO_ICMP,
        };
        if (inet_pton(AF_INET, job->source, &ip->saddr) != 1 ||
            inet_pton(AF_INET, job->destination, &ip->daddr) != 1)
                return -EDESTADDRREQ;
        ip->check = checksum_finish(checksum_add(0, ip, sizeof(*ip)));

        *echo = (struct echo_header) { .type = ICMP_ECHO, .identifier = htons(IDENTIFIER) };
        echo->checksum = checksum_finish(
                checksum_add(checksum_add(0, echo, sizeof(*echo)), data, job->size - sizeof(headers->ipv4)));
        return 0;
}

static int headers_ipv6(union headers *headers, const struct job *job, const unsigned char *data)
{
        struct ip6_hdr *ip = &headers->ipv6.ip;
        struct echo_header *echo = &headers->ipv6.echo;
        const uint32_t pseudo[] = { htonl((uint32_t) (job->size - sizeof(*ip))), htonl(IPPROTO_ICMPV6) };
        uint64_t sum;

        *ip = (struct ip6_hdr) {
                .ip6_flow = htonl(6 << 28),
                .ip6_plen = htons((uint16_t) (job->size - sizeof(*ip))),
                .ip6_nxt = IPPROTO_ICMPV6,
                .ip6_hlim = IPDEFTTL,
        };
        if (inet_pton(AF_INET6, job->source, &ip->ip6_src) != 1 ||
            inet_pton(AF_INET6, job->destination, &ip->ip6_dst) != 1)
                return -EDESTADDRREQ;

        *echo = (struct echo_header) { .type = ICMP6_ECHO_REQUEST, .identifier = htons(IDENTIFIER) };
        sum = checksum_add(0, &ip->ip6_src, sizeof(ip->ip6_src) + sizeof(ip->ip6_dst));
        sum = checksum_add(sum, pseudo, sizeof(pseudo));
        sum = checksum_add(sum, echo, sizeof(*echo));
        echo->checksum = checksum_finish(checksum_add(sum, data, job->size - sizeof(headers->ipv6)));
        return 0;
}

static struct echo_header *echo_header(struct generator *generator, unsigned i)
{
        union headers *headers = &generator->headers[i];

        return generator->family == AF_INET6 ? &headers->ipv6.echo : &headers->ipv4.echo;
}

static void set_sequence(struct echo_header *echo, unsigned sequence)
{
        uint16_t word = htons((uint16_t) sequence);

        echo->checksum = checksum_update(echo->checksum, echo->sequence, word);
        echo->sequence = word;
}

/* The last four bytes of a source address, in which all of them differ. */
static void *source_word(const struct generator *generator, union headers *headers)
{
        return generator->family == AF_INET6 ? (void *) &headers->ipv6.ip.ip6_src.s6_addr32[3]
                                             : (void *) &headers->ipv4.ip.saddr;
}

static void set_source(struct generator *generator, unsigned i, uint32_t number)
{
        union headers *headers = &generator->headers[i];
        bool is_ipv6 = generator->family == AF_INET6;
        uint16_t *checksum = is_ipv6 ? &headers->ipv6.echo.checksum : &headers->ipv4.ip.check;
        uint32_t word = htonl(generator->source + number);

        *checksum = checksum_update_range(*checksum, source_word(generator, headers), &word, sizeof(word));
        memcpy(source_word(generator, headers), &word, sizeof(word));
}

static int generator_prepare(struct generator *generator, const struct job *job)
{
        union headers headers = { 0 };
        size_t header_size;
        int r;

        generator->family = strchr(job->destination, ':') ? AF_INET6 : AF_INET;
        header_size = generator->family == AF_INET6 ? sizeof(headers.ipv6) : sizeof(headers.ipv4);

        for (size_t i = 0; i < sizeof(generator->data); i++)
                generator->data[i] = (unsigned char) i;

        if (generator->family == AF_INET6)
                r = headers_ipv6(&headers, job, generator->data);
        else
                r = headers_ipv4(&headers, job, generator->data);
        if (r < 0)
                return r;

        memcpy(&generator->source, source_word(generator, &headers), sizeof(generator->source));
        generator->source = ntohl(generator->source);

        for (unsigned i = 0; i < BATCH; i++) {
                generator->headers[i] = headers;
                set_sequence(echo_header(generator, i), i);

                generator->parts[i][0] = (struct iovec) { &generator->headers[i], header_size };
                generator->parts[i][1] = (struct iovec) { generator->data, job->size - header_size };
                generator->messages[i].msg_hdr = (struct msghdr) {
                        .msg_name = &generator->device,
                        .msg_namelen = sizeof(generator->device),
                        .msg_iov = generator->parts[i],
                        .msg_iovlen = 2,
                };
        }

        return 0;
}

/*
 * Bound without a protocol, which each message's address gives instead: a socket that is bound with one
 * receives a clone of every packet that the device sees, and the measurement pays for it.
 */
static int generator_open(struct generator *generator, const struct job *job)
{
        static const int bypass = 1;
        _cleanup_(close_fdp) int fd = -1;

        generator->device = (struct sockaddr_ll) {
                .sll_family = AF_PACKET,
                .sll_ifindex = (int) if_nametoindex(job->interface),
        };
        if (generator->device.sll_ifindex == 0)
                return -errno;

        fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;

        if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass)) < 0)
                return -errno;

        if (bind(fd, (const struct sockaddr *) &generator->device, sizeof(generator->device)) < 0)
                return -errno;

        generator->device.sll_protocol = htons(generator->family == AF_INET6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
        generator->fd = steal_fd(&fd);
        return 0;
}

static void spin_until(uint64_t moment)
{
        while (clock_ns() < moment)
                ;
}

/* Sends one batch, skipping what is refused. */
static int generator_send(struct generator *generator, const struct job *job, struct result *result)
{
        for (unsigned i = 0; i < BATCH;) {
                int n = sendmmsg(generator->fd, generator->messages + i, BATCH - i, 0);

                if (n < 0 && errno != ENOBUFS)
                        return -errno;

                if (n < 0)
                        result->refused++;
                else
                        result->accepted += (unsigned) n;
                i += n < 0 ? 1 : (unsigned) n;
                if (n < 0 && job->rate == 0)
                        spin_until(clock_ns() + PAUSE);
        }

        return 0;
}

static int generator_run(struct generator *generator, const struct job *job, struct result *result)
{
        uint64_t begin = clock_ns(), end = begin + job->milliseconds * (NSEC_PER_SEC / 1000);
        int r;

        for (uint64_t n = BATCH; clock_ns() < end && result->accepted < job->packets; n += BATCH) {
                if (job->rate > 0)
                        spin_until(begin + (n - BATCH) * NSEC_PER_SEC / job->rate);

                r = generator_send(generator, job, result);
                if (r < 0)
                        return r;

                for (unsigned i = 0; i < BATCH; i++) {
                        set_sequence(echo_header(generator, i), (unsigned) n + i);
                        if (job->sources > 1)
                                set_source(generator, i, (uint32_t) ((n + i) % job->sources));
                }
        }

        result->time = clock_ns() - begin;
        return 0;
}

static int parse_arguments(struct job *job, int argc, char **argv)
{
        int option, r = 0;

        while ((option = getopt(argc, argv, "c:n:r:s:t:")) >= 0 && r == 0) {
                if (option == 'c')
                        r = option_number(optarg, 1, COUNT_MAX, &job->packets);
                else if (option == 'n')
                        r = option_number(optarg, 1, SOURCES_MAX, &job->sources);
                else if (option == 'r')
                        r = option_number(optarg, 1, RATE_MAX, &job->rate);
                else if (option == 's')
                        r = option_number(optarg, PACKET_MIN, PACKET_MAX, &job->size);
                else if (option == 't')
                        r = option_number(optarg, 1, SECONDS_MAX * 1000, &job->milliseconds);
                else
                        return -EINVAL;
        }
        if (r < 0 || optind != argc - 3)
                return -EINVAL;

        job->interface = argv[optind];
        job->source = argv[optind + 1];
        job->destination = argv[optind + 2];
        return 0;
}

int main(int argc, char **argv)
{
        static struct generator generator = { .fd = -1 };
        struct result result = { 0 };
        struct job job = { .size = 84, .milliseconds = 1000, .packets = COUNT_MAX, .sources = 1 };
        int r;

        r = parse_arguments(&job, argc, argv);
        if (r < 0) {
                fprintf(stderr, "Usage: flood [-c PACKETS] [-n SOURCES] [-r PACKETS A SECOND] "
                                "[-s BYTES OF PACKET] [-t MILLISECONDS] INTERFACE SOURCE DESTINATION\n");
                return EXIT_FAILURE;
        }

        r = generator_prepare(&generator, &job);
        if (r < 0) {
                fprintf(stderr, "flood: Failed to make a request from '%s' to '%s': %s\n",
                        job.source, job.destination, strerror(-r));
                return EXIT_FAILURE;
        }

        r = generator_open(&generator, &job);
        if (r < 0) {
                fprintf(stderr, "flood: Failed to open device '%s': %s\n", job.interface, strerror(-r));
                return EXIT_FAILURE;
        }

        r = generator_run(&generator, &job, &result);
        (void) close(generator.fd);
        if (r < 0) {
                fprintf(stderr, "flood: Failed to send to device '%s': %s\n", job.interface, strerror(-r));
                return EXIT_FAILURE;
        }

        printf("{\"size\": %lu, \"offered\": %" PRIu64 ", \"accepted\": %" PRIu64 ", \"ns\": %" PRIu64 "}\n",
               job.size, result.accepted + result.refused, result.accepted, result.time);
        return EXIT_SUCCESS;
}
