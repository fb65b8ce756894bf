/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Measures round trips: one echo request, its reply, the next request. A ping that does not wait in
 * between, over the kernel's ping socket, so that the kernel numbers, sums and matches as it does for
 * ping(8). Several targets take turns in blocks of a few milliseconds, so that a machine that becomes
 * slower does so for all of them. Prints one line of JSON, times in nanoseconds.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/util.h"

#include "options.h"

#define DATA_MAX    65507
#define TRIPS_MAX   100000000
#define TARGETS_MAX 16
#define LOST_MAX    3

struct echo_header {
        uint8_t type, code;
        uint16_t checksum, identifier, sequence;
};

union message {
        struct echo_header header;
        unsigned char bytes[sizeof(struct echo_header) + DATA_MAX];
};

struct target {
        const char *name; /* [PID/]ADDRESS; PID: from here on, in the network namespace of that process */
        int fd;
        uint8_t request_type;
        uint16_t sequence;
        uint64_t *times; /* of every trip, block by block; what was lost took as long as was waited for it */
        size_t n_times;
        unsigned lost;
};

struct job {
        unsigned long data, trips, block, warm_up;
        struct target targets[TARGETS_MAX];
        unsigned n_targets;
};

static const struct {
        const char *name;
        size_t permille;
} percentiles[] = {
        { "p50", 500 },
        { "p90", 900 },
        { "p99", 990 },
        { "p99.9", 999 },
};

static void job_done(struct job *job)
{
        for (unsigned i = 0; i < job->n_targets; i++) {
                close_fdp(&job->targets[i].fd);
                free(job->targets[i].times);
        }
}

static void free_addresses(struct addrinfo **addresses)
{
        if (*addresses)
                freeaddrinfo(*addresses);
}

static int enter_namespace_of(const char *process, int length)
{
        _cleanup_(close_fdp) int fd = -1;
        char path[64];

        if (snprintf(path, sizeof(path), "/proc/%.*s/ns/net", length, process) >= (int) sizeof(path))
                return -EINVAL;

        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

static int ping_socket(const char *address, int *ret_fd, int *ret_family)
{
        static const struct timeval patience = { .tv_sec = 1 };
        const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM };
        _cleanup_(free_addresses) struct addrinfo *found = NULL;
        _cleanup_(close_fdp) int fd = -1;

        if (getaddrinfo(address, NULL, &hints, &found) != 0)
                return -EDESTADDRREQ;

        fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC,
                    found->ai_family == AF_INET6 ? (int) IPPROTO_ICMPV6 : (int) IPPROTO_ICMP);
        if (fd < 0)
                return -errno;

        if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
                return -errno;

        if (connect(fd, found->ai_addr, found->ai_addrlen) < 0)
                return -errno;

        *ret_family = found->ai_family;
        *ret_fd = steal_fd(&fd);
        return 0;
}

static int target_open(struct target *target, size_t trips)
{
        const char *slash = strchr(target->name, '/');
        int family = AF_UNSPEC, r;

        if (slash) {
                r = enter_namespace_of(target->name, (int) (slash - target->name));
                if (r < 0)
                        return r;
        }

        r = ping_socket(slash ? slash + 1 : target->name, &target->fd, &family);
        if (r < 0)
                return r;

        target->request_type = family == AF_INET6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
        target->times = calloc(trips, sizeof(*target->times));
        return target->times ? 0 : -ENOMEM;
}

/* Return: 0, -ETIMEDOUT if no reply came, or another negative errno. */
static int round_trip(struct target *target, union message *request, union message *reply, size_t size,
                      uint64_t *ret_elapsed)
{
        uint64_t begin;
        ssize_t received;

        request->header.type = target->request_type;
        request->header.sequence = htons(target->sequence++);

        begin = clock_ns();
        if (send(target->fd, request->bytes, size, 0) < 0)
                return -errno;

        do {
                received = recv(target->fd, reply->bytes, sizeof(*reply), 0);
                if (received < 0 && errno != EAGAIN)
                        return -errno;
        } while (received >= 0 && reply->header.sequence != request->header.sequence);

        *ret_elapsed = clock_ns() - begin;
        if (received < 0)
                return -ETIMEDOUT;

        return (size_t) received == size ? 0 : -EBADMSG;
}

static int measure_block(const struct job *job, struct target *target)
{
        static union message request, reply;
        size_t size = sizeof(struct echo_header) + job->data;
        uint64_t elapsed = 0;
        int r;

        for (size_t i = sizeof(struct echo_header); i < size; i++)
                request.bytes[i] = (unsigned char) i;

        for (unsigned long i = 0; i < job->warm_up + job->block && target->n_times < job->trips; i++) {
                r = round_trip(target, &request, &reply, size, &elapsed);
                if (r == -ETIMEDOUT)
                        target->lost++;
                if (r < 0 && (r != -ETIMEDOUT || target->lost > LOST_MAX)) {
                        fprintf(stderr, "echo-client: Failed to ping '%s': %s\n", target->name, strerror(-r));
                        return r;
                }

                if (i >= job->warm_up)
                        target->times[target->n_times++] = elapsed;
        }

        return 0;
}

/* The targets in turn, and in the opposite order the next time. */
static int measure(struct job *job)
{
        unsigned long n_blocks = (job->trips + job->block - 1) / job->block;
        int r;

        for (unsigned long block = 0; block < n_blocks; block++) {
                for (unsigned i = 0; i < job->n_targets; i++) {
                        r = measure_block(job, &job->targets[block % 2 == 0 ? i : job->n_targets - 1 - i]);
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}

static int compare_times(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *) a, y = *(const uint64_t *) b;

        return (x > y) - (x < y);
}

/* Sorts the times in place: within their blocks or, after that, all of them. */
static void print_percentiles(uint64_t *times, size_t n_times)
{
        qsort(times, n_times, sizeof(*times), compare_times);

        for (unsigned i = 0; i < ARRAY_SIZE(percentiles); i++)
                printf("%s\"%s\": %" PRIu64, i > 0 ? ", " : "", percentiles[i].name,
                       times[(n_times * percentiles[i].permille + 999) / 1000 - 1]);
}

static void print_target(const struct job *job, const struct target *target)
{
        printf("{\"target\": \"%s\", \"lost\": %u, \"blocks\": [", target->name, target->lost);
        for (size_t begin = 0; begin < target->n_times; begin += job->block) {
                size_t rest = target->n_times - begin;

                printf("%s{", begin > 0 ? ", " : "");
                print_percentiles(target->times + begin, rest < job->block ? rest : job->block);
                printf("}");
        }
        printf("], ");
        print_percentiles(target->times, target->n_times);
        printf("}");
}

static int parse_arguments(struct job *job, int argc, char **argv)
{
        int option, r = 0;

        while ((option = getopt(argc, argv, "b:n:s:w:")) >= 0 && r == 0) {
                if (option == 'b')
                        r = option_number(optarg, 1, TRIPS_MAX, &job->block);
                else if (option == 'n')
                        r = option_number(optarg, 1, TRIPS_MAX, &job->trips);
                else if (option == 's')
                        r = option_number(optarg, 0, DATA_MAX, &job->data);
                else if (option == 'w')
                        r = option_number(optarg, 0, TRIPS_MAX, &job->warm_up);
                else
                        return -EINVAL;
        }
        if (r < 0 || optind >= argc || argc - optind > TARGETS_MAX)
                return -EINVAL;

        for (; optind < argc; optind++)
                job->targets[job->n_targets++] = (struct target) { .name = argv[optind], .fd = -1 };
        return 0;
}

int main(int argc, char **argv)
{
        _cleanup_(job_done) struct job job = { .data = 56, .trips = 10000, .block = 500, .warm_up = 50 };
        int r;

        r = parse_arguments(&job, argc, argv);
        if (r < 0) {
                fprintf(stderr, "Usage: echo-client [-n TRIPS] [-b TRIPS OF A BLOCK] [-w TRIPS TO WARM UP] "
                                "[-s BYTES OF DATA] [PID/]ADDRESS...\n");
                return EXIT_FAILURE;
        }

        for (unsigned i = 0; i < job.n_targets; i++) {
                r = target_open(&job.targets[i], job.trips);
                if (r < 0) {
                        fprintf(stderr, "echo-client: Failed to open a ping socket to '%s': %s%s\n",
                                job.targets[i].name, strerror(-r),
                                r == -EACCES ? " (see net.ipv4.ping_group_range)" : "");
                        return EXIT_FAILURE;
                }
        }

        r = measure(&job);
        if (r < 0)
                return EXIT_FAILURE;

        printf("{\"data\": %lu, \"trips\": %lu, \"block\": %lu, \"targets\": [",
               job.data, job.trips, job.block);
        for (unsigned i = 0; i < job.n_targets; i++) {
                printf("%s", i > 0 ? ", " : "");
                print_target(&job, &job.targets[i]);
        }
        printf("]}\n");
        return EXIT_SUCCESS;
}
