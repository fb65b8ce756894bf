/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Sends echo requests and receives the replies. The socket is an ICMP datagram socket, which requires no
 * privilege where net.ipv4.ping_group_range has a group of the user; its identifier is the kernel's, which
 * also selects its replies. As root, a raw socket replaces it where it is not allowed: that receives all
 * replies of the host, corrupt ones included.
 */

#include "client/ping-probe.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/sock_diag.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "common/util.h"

#define HEADER_SIZE  8
#define PACKET_MAX   (HEADER_SIZE + UINT16_MAX + 1)
#define BUFFER_SIZE  (1 << 20) /* bytes, of the socket */
#define PATTERN_SIZE 8

struct ping_probe {
        struct ping_request request;
        struct ping_probe_result result;
        uint64_t sent_usec[PING_COUNT_MAX + 1]; /* by sequence number; 0: answered, or not sent */
        uint32_t round_trips[PING_COUNT_MAX];   /* in microseconds */
        uint8_t packet[PACKET_MAX], received[PACKET_MAX + 60]; /* with the header of a raw socket */
        uint8_t pattern[PATTERN_SIZE];
        uint16_t identifier;
        bool is_raw;
        int fd;
};

static bool is_ipv6(const struct ping_probe *probe)
{
        return probe->request.destination.family == AF_INET6;
}

static int set_option(int fd, int level, int option, int value)
{
        return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static socklen_t make_address(struct sockaddr_storage *ret_address, const struct address *address,
                              unsigned scope)
{
        struct sockaddr_in *ipv4 = (struct sockaddr_in *) ret_address;
        struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *) ret_address;

        *ret_address = (struct sockaddr_storage) { .ss_family = (sa_family_t) address->family };
        if (address->family == AF_INET) {
                ipv4->sin_addr = address->ipv4;
                return sizeof(*ipv4);
        }

        ipv6->sin6_addr = address->ipv6;
        if (IN6_IS_ADDR_LINKLOCAL(&address->ipv6))
                ipv6->sin6_scope_id = scope;
        return sizeof(*ipv6);
}

static int open_socket(struct ping_probe *probe)
{
        int family = probe->request.destination.family;
        int protocol = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6, error;

        probe->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
        if (probe->fd >= 0)
                return 0;

        error = -errno;
        if (error != -EACCES && error != -EPERM)
                return error;

        probe->is_raw = true;
        probe->fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
        return probe->fd < 0 ? error : 0;
}

/* A raw socket would receive every ICMP message of the host. */
static int filter_replies(struct ping_probe *probe)
{
        struct icmp_filter ipv4 = { .data = ~(1U << ICMP_ECHOREPLY) };
        struct icmp6_filter ipv6;
        int r;

        if (is_ipv6(probe)) {
                ICMP6_FILTER_SETBLOCKALL(&ipv6);
                ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &ipv6);
                r = setsockopt(probe->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &ipv6, sizeof(ipv6));
        } else {
                r = setsockopt(probe->fd, SOL_RAW, ICMP_FILTER, &ipv4, sizeof(ipv4));
        }

        return r < 0 ? -errno : 0;
}

/* The replies to others would fill the buffer. Behind the header of IPv4, or of none, is the identifier. */
static int filter_identifier(struct ping_probe *probe)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
                BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, probe->identifier, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
                BPF_STMT(BPF_RET | BPF_K, 0),
        };
        const struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };

        if (is_ipv6(probe))
                code[0] = (struct sock_filter) BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0);

        return setsockopt(probe->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
                                                                                                  : 0;
}

static int set_options(struct ping_probe *probe)
{
        const struct ping_request *request = &probe->request;
        int r;

        if (is_ipv6(probe)) {
                int discover = request->dont_fragment ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_DONT;

                r = set_option(probe->fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
                if (r >= 0)
                        r = set_option(probe->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, discover);
                if (r >= 0)
                        r = set_option(probe->fd, IPPROTO_IPV6, IPV6_DONTFRAG, request->dont_fragment);
        } else {
                int discover = request->dont_fragment ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT;

                r = set_option(probe->fd, IPPROTO_IP, IP_RECVERR, 1);
                if (r >= 0)
                        r = set_option(probe->fd, IPPROTO_IP, IP_MTU_DISCOVER, discover);
        }
        if (r >= 0 && probe->is_raw)
                r = filter_replies(probe);
        if (r >= 0 && probe->is_raw)
                r = filter_identifier(probe);
        if (r >= 0 && request->mark > 0)
                r = set_option(probe->fd, SOL_SOCKET, SO_MARK, (int) request->mark);

        (void) set_option(probe->fd, SOL_SOCKET, SO_RCVBUF, BUFFER_SIZE);
        return r;
}

static int bind_source(struct ping_probe *probe)
{
        struct sockaddr_storage address;
        socklen_t size;

        if (probe->request.source.family == AF_UNSPEC)
                return 0;

        size = make_address(&address, &probe->request.source, probe->request.scope);
        return bind(probe->fd, (struct sockaddr *) &address, size) < 0 ? -errno : 0;
}

/**
 * ping_probe_open() - open a socket for pings
 * @ret_probe: set to the probe, which ping_probe_free() frees
 * @request: the pings
 *
 * Return: 0; -EACCES if the user may not send pings; -EPERM if the user may not set a mark; -EADDRNOTAVAIL if
 *         this host does not have the source address; or another negative errno.
 */
int ping_probe_open(struct ping_probe **ret_probe, const struct ping_request *request)
{
        _cleanup_(ping_probe_freep) struct ping_probe *probe = calloc(1, sizeof(*probe));
        int r;

        if (!probe)
                return -ENOMEM;

        probe->fd = -1;
        probe->request = *request;
        if (getrandom(probe->pattern, sizeof(probe->pattern), 0) < 0 ||
            getrandom(&probe->identifier, sizeof(probe->identifier), 0) < 0)
                return -errno;

        r = open_socket(probe);
        if (r >= 0)
                r = set_options(probe);
        if (r >= 0)
                r = bind_source(probe);
        if (r < 0)
                return r;

        for (size_t i = 0; i < request->size; i++)
                probe->packet[HEADER_SIZE + i] = probe->pattern[i % PATTERN_SIZE];
        *ret_probe = probe;
        probe = NULL;
        return 0;
}

/**
 * ping_probe_free() - close the socket
 * @probe: the probe, or NULL
 *
 * Return: NULL.
 */
struct ping_probe *ping_probe_free(struct ping_probe *probe)
{
        if (probe)
                close_fdp(&probe->fd);
        free(probe);
        return NULL;
}

/* For the cleanup attribute. */
void ping_probe_freep(struct ping_probe **probe)
{
        *probe = ping_probe_free(*probe);
}

static void put16(uint8_t *bytes, unsigned value)
{
        bytes[0] = (uint8_t) (value >> 8);
        bytes[1] = (uint8_t) value;
}

/* The checksum that IPv4 requires of a raw socket; the kernel computes the others. */
static uint16_t find_checksum(const uint8_t *bytes, size_t size)
{
        uint32_t sum = 0;

        for (size_t i = 0; i < size; i++)
                sum += i % 2 == 0 ? (uint32_t) bytes[i] << 8 : bytes[i];
        while (sum > UINT16_MAX)
                sum = (sum & UINT16_MAX) + (sum >> 16);

        return (uint16_t) ~sum;
}

static void note_error(struct ping_probe *probe, const struct sock_extended_err *error)
{
        const struct sockaddr *offender = SO_EE_OFFENDER(error);
        struct ping_probe_result *result = &probe->result;

        if (error->ee_origin == SO_EE_ORIGIN_NONE)
                return;

        result->errors++;
        result->error = (int) error->ee_errno;
        result->is_local = error->ee_origin == SO_EE_ORIGIN_LOCAL;
        result->type = error->ee_type;
        result->code = error->ee_code;
        result->mtu = error->ee_errno == EMSGSIZE ? error->ee_info : 0;
        result->reporter = (struct address) { .family = offender->sa_family };
        if (offender->sa_family == AF_INET)
                result->reporter.ipv4 = ((const struct sockaddr_in *) offender)->sin_addr;
        else if (offender->sa_family == AF_INET6)
                result->reporter.ipv6 = ((const struct sockaddr_in6 *) offender)->sin6_addr;
}

/* Reads the errors about what was sent, which the kernel would else return for the next request. */
static bool read_errors(struct ping_probe *probe)
{
        uint64_t control[64]; /* aligned */
        bool found = false;

        for (;;) {
                struct msghdr message = { .msg_control = control, .msg_controllen = sizeof(control) };

                if (recvmsg(probe->fd, &message, MSG_ERRQUEUE) < 0)
                        return found;

                found = true;
                for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part))
                        if ((part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                            (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR))
                                note_error(probe, (const struct sock_extended_err *) CMSG_DATA(part));
        }
}

static int send_packet(struct ping_probe *probe)
{
        size_t size = HEADER_SIZE + probe->request.size;
        struct sockaddr_storage address;
        socklen_t address_size;

        address_size = make_address(&address, &probe->request.destination, probe->request.scope);
        if (sendto(probe->fd, probe->packet, size, 0, (struct sockaddr *) &address, address_size) < 0)
                return -errno;

        return 0;
}

/**
 * ping_probe_send() - send the next request
 * @probe: the probe
 *
 * The result counts what the kernel refuses.
 */
void ping_probe_send(struct ping_probe *probe)
{
        unsigned sequence = ++probe->result.attempts;
        uint8_t *packet = probe->packet;
        int r;

        packet[0] = is_ipv6(probe) ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
        put16(packet + 2, 0);
        put16(packet + 4, probe->identifier);
        put16(packet + 6, sequence);
        if (!is_ipv6(probe))
                put16(packet + 2, find_checksum(packet, HEADER_SIZE + probe->request.size));

        (void) read_errors(probe);
        probe->sent_usec[sequence] = monotonic_usec();
        r = send_packet(probe);
        if (r < 0 && read_errors(probe) && probe->result.error == -r && !probe->result.is_local)
                r = send_packet(probe); /* it was the error of an earlier one */
        if (r >= 0) {
                probe->result.sent++;
                return;
        }

        probe->result.refused_error = -r;
        probe->sent_usec[sequence] = 0;
}

/* Finds the ICMP message in what was received. */
static const uint8_t *find_message(const struct ping_probe *probe, size_t *size)
{
        size_t header = probe->is_raw && !is_ipv6(probe) ? (probe->received[0] & 15U) * 4U : 0;

        if (*size < header + HEADER_SIZE)
                return NULL;

        *size -= header;
        return probe->received + header;
}

static void handle_reply(struct ping_probe *probe, size_t size)
{
        const uint8_t *message = find_message(probe, &size);
        struct ping_probe_result *result = &probe->result;
        unsigned sequence;

        if (!message || message[0] != (is_ipv6(probe) ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY))
                return;
        if (probe->is_raw && (message[4] << 8 | message[5]) != probe->identifier)
                return;

        sequence = (unsigned) message[6] << 8 | message[7];
        if (probe->sent_usec[sequence] == 0)
                return;

        if (size != HEADER_SIZE + probe->request.size ||
            memcmp(message + HEADER_SIZE, probe->packet + HEADER_SIZE, probe->request.size) != 0) {
                result->corrupt++;
        } else {
                uint64_t usec = monotonic_usec() - probe->sent_usec[sequence];

                probe->round_trips[result->received++] = usec < UINT32_MAX ? (uint32_t) usec : UINT32_MAX;
        }
        probe->sent_usec[sequence] = 0;
}

/* Reads all that has arrived. */
static void read_replies(struct ping_probe *probe)
{
        ssize_t size;

        (void) read_errors(probe);
        do {
                size = recv(probe->fd, probe->received, sizeof(probe->received), 0);
                if (size >= 0)
                        handle_reply(probe, (size_t) size);
        } while (size >= 0 || errno == EINTR);
}

/**
 * ping_probe_receive() - receive replies for some time
 * @probe: the probe
 * @until_usec: until when, CLOCK_MONOTONIC in microseconds
 *
 * Return: 0, or -EINTR if a signal ended it.
 */
int ping_probe_receive(struct ping_probe *probe, uint64_t until_usec)
{
        for (;;) {
                struct pollfd pollfd = { .fd = probe->fd, .events = POLLIN };
                uint64_t now = monotonic_usec(), left = until_usec > now ? until_usec - now : 0;
                const struct timespec timeout = {
                        .tv_sec = (time_t) (left / 1000000),
                        .tv_nsec = (long) (left % 1000000 * 1000),
                };
                int n;

                n = ppoll(&pollfd, 1, &timeout, NULL);
                if (n < 0)
                        return -errno;

                read_replies(probe);
                if (left == 0)
                        return 0;
        }
}

/**
 * ping_probe_missing() - count the requests that were sent and have no reply yet
 * @probe: the probe
 */
unsigned ping_probe_missing(const struct ping_probe *probe)
{
        return probe->result.sent - probe->result.received - probe->result.corrupt;
}

static int compare(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

        return (x > y) - (x < y);
}

/**
 * ping_probe_result() - get what became known by now
 * @probe: the probe
 *
 * Return: the result, which is the probe's.
 */
const struct ping_probe_result *ping_probe_result(struct ping_probe *probe)
{
        struct ping_probe_result *result = &probe->result;
        uint32_t memory[SK_MEMINFO_VARS] = { 0 };
        socklen_t size = sizeof(memory);

        if (getsockopt(probe->fd, SOL_SOCKET, SO_MEMINFO, memory, &size) >= 0)
                result->dropped = memory[SK_MEMINFO_DROPS];
        if (result->received > 0) {
                qsort(probe->round_trips, result->received, sizeof(*probe->round_trips), compare);
                result->median_usec = probe->round_trips[result->received / 2];
        }

        return result;
}
