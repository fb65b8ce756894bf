/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Sends echo requests at a constant rate, whether those before are answered or not. ping(8) slows down when
 * replies stop, and so hides what is lost in a gap. The times to send at are fixed from the beginning; one
 * that was missed is made up for at once. Ends after a while, or at SIGINT or SIGTERM; then waits for the
 * replies that are still out.
 *
 * However slow the machine is, nothing is lost by this program: a window bounds the requests under way, which
 * the queue of the device and the buffer of the socket hold. Requests are answered in their order, so that
 * those before the last one that was answered are not under way any more. In case all of them are lost, one a
 * second goes on.
 *
 *   SIGUSR1   hold: send no more; prints "held" when no request is under way
 *   SIGUSR2   go on; prints "sending" when the first request is sent, as at the beginning
 *
 * The last line is one of JSON.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "common/util.h"

#include "options.h"

#define RATE_MAX    100000
#define SECONDS_MAX 3600
#define DATA_MAX    1400
#define TIMEOUT_MAX 600000
#define WINDOW_MAX  1000000

/* What comes back at once after a gap; the default holds some hundred replies. */
#define RECEIVE_BUFFER (64 << 20)

/* Replies taken before the next request is due, at most: so that they cannot keep us from sending. */
#define REPLIES_MAX 64

struct message {
        uint8_t type, code;
        uint16_t checksum, identifier, sequence;
        uint32_t number; /* unlike the sequence number, it does not wrap */
        unsigned char data[DATA_MAX];
};

_Static_assert(offsetof(struct message, data) == 12, "messages have no holes");

struct job {
        const char *address;
        unsigned long rate, seconds, data;
        unsigned long window;  /* requests under way, at most */
        unsigned long timeout; /* for the last replies, in milliseconds */
};

enum state {
        STARTING,
        SENDING,
        HELD,
};

struct sender {
        int fd;
        size_t size;
        struct message request;
        uint8_t *replies; /* to each request; many are 255 */
        uint64_t n_tried; /* number of the next request: those that were sent, and those that were refused */
        uint64_t n_sent, n_refused, n_answered, n_duplicate, n_foreign;
        uint64_t sent_to, answered_to; /* numbers behind the last one that was sent, and the last answered */
        int error;                     /* with which the last refused request was refused */
        uint64_t first, latest, last;  /* when the first was due, the latest was sent, the last reply came */
        uint64_t gap, trip, stall;
        enum state state; /* the one printed last */
};

static volatile sig_atomic_t is_stopping, is_holding;

static void on_signal(int signal)
{
        if (signal == SIGUSR1)
                is_holding = true;
        else if (signal == SIGUSR2)
                is_holding = false;
        else
                is_stopping = true;
}

static void sender_done(struct sender *sender)
{
        free(sender->replies);
        close_fdp(&sender->fd);
}

static void free_addresses(struct addrinfo **addresses)
{
        if (*addresses)
                freeaddrinfo(*addresses);
}

static int sender_open(struct sender *sender, const struct job *job)
{
        static const int size = RECEIVE_BUFFER;
        const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_DGRAM };
        _cleanup_(free_addresses) struct addrinfo *found = NULL;
        _cleanup_(close_fdp) int fd = -1;
        bool ipv6;

        if (getaddrinfo(job->address, NULL, &hints, &found) != 0)
                return -EDESTADDRREQ;

        ipv6 = found->ai_family == AF_INET6;
        fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    ipv6 ? (int) IPPROTO_ICMPV6 : (int) IPPROTO_ICMP);
        if (fd < 0)
                return -errno;

        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
                return -errno;

        if (connect(fd, found->ai_addr, found->ai_addrlen) < 0)
                return -errno;

        sender->replies = calloc(job->rate * job->seconds, sizeof(*sender->replies));
        if (!sender->replies)
                return -ENOMEM;

        sender->request.type = ipv6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
        sender->size = offsetof(struct message, data) + job->data;
        for (size_t i = 0; i < job->data; i++)
                sender->request.data[i] = (unsigned char) i;

        sender->fd = steal_fd(&fd);
        return 0;
}

static void print_state(struct sender *sender, enum state state)
{
        static const char *const names[] = { [SENDING] = "sending", [HELD] = "held" };

        if (sender->state == state)
                return;

        sender->state = state;
        printf("%s\n", names[state]);
        (void) fflush(stdout);
}

static uint64_t n_under_way(const struct sender *sender)
{
        return sender->sent_to - sender->answered_to;
}

static bool may_send(const struct sender *sender, const struct job *job)
{
        if (sender->n_tried == job->rate * job->seconds)
                return false;
        if (!is_holding && n_under_way(sender) < job->window)
                return true;
        return n_under_way(sender) > 0 && clock_ns() - sender->latest > NSEC_PER_SEC;
}

static void send_request(struct sender *sender)
{
        sender->request.sequence = htons((uint16_t) sender->n_tried);
        sender->request.number = htonl((uint32_t) sender->n_tried);
        sender->n_tried++;
        sender->latest = clock_ns();

        if (TEMP_FAILURE_RETRY(send(sender->fd, &sender->request, sender->size, 0)) < 0) {
                sender->error = errno;
                sender->n_refused++;
                return;
        }

        sender->n_sent++;
        sender->sent_to = sender->n_tried;
        if (!is_holding)
                print_state(sender, SENDING);
}

static uint64_t time_due(const struct sender *sender, const struct job *job, uint64_t number)
{
        return sender->first + number * NSEC_PER_SEC / job->rate;
}

static void send_what_is_due(struct sender *sender, const struct job *job)
{
        uint64_t now = clock_ns(), due = time_due(sender, job, sender->n_tried);

        if (now > due && now - due > sender->stall)
                sender->stall = now - due;

        while (may_send(sender, job) && time_due(sender, job, sender->n_tried) <= now)
                send_request(sender);
}

static void count_reply(struct sender *sender, const struct job *job, const struct message *reply,
                        size_t size)
{
        uint32_t number = ntohl(reply->number);
        uint64_t now = clock_ns(), trip;

        if (size != sender->size || number >= sender->sent_to ||
            memcmp(reply->data, sender->request.data, job->data) != 0) {
                sender->n_foreign++;
                return;
        }

        if (sender->replies[number] == 0)
                sender->n_answered++;
        else
                sender->n_duplicate++;
        if (sender->replies[number] < UINT8_MAX)
                sender->replies[number]++;
        if (number >= sender->answered_to)
                sender->answered_to = number + 1;

        trip = now - time_due(sender, job, number);
        if (trip > sender->trip)
                sender->trip = trip;
        if (now - sender->last > sender->gap)
                sender->gap = now - sender->last;
        sender->last = now;
}

/* Reads errors that a router reports, for example while a route is missing. */
static void receive_replies(struct sender *sender, const struct job *job)
{
        struct message reply;

        for (int i = 0; i < REPLIES_MAX; i++) {
                ssize_t size = recv(sender->fd, &reply, sizeof(reply), 0);

                if (size < 0 && errno == EAGAIN)
                        return;
                if (size >= (ssize_t) offsetof(struct message, data))
                        count_reply(sender, job, &reply, (size_t) size);
        }
}

static void wait_for_replies(struct sender *sender, uint64_t until)
{
        struct pollfd readable = { .fd = sender->fd, .events = POLLIN };
        uint64_t now = clock_ns(), left = until > now ? until - now : 0;
        const struct timespec timeout = {
                .tv_sec = (time_t) (left / NSEC_PER_SEC),
                .tv_nsec = (long) (left % NSEC_PER_SEC),
        };

        (void) ppoll(&readable, 1, &timeout, NULL);
}

/* Of a signal that comes before the wait, and while the window is full, it is known after this time. */
static uint64_t wait_end(const struct sender *sender, const struct job *job)
{
        uint64_t soon = clock_ns() + NSEC_PER_SEC / 1000, due = time_due(sender, job, sender->n_tried);

        return may_send(sender, job) && due < soon ? due : soon;
}

static void run(struct sender *sender, const struct job *job)
{
        uint64_t end;

        sender->first = sender->latest = sender->last = clock_ns();

        while (!is_stopping && sender->n_tried < job->rate * job->seconds) {
                send_what_is_due(sender, job);
                receive_replies(sender, job);
                if (is_holding && n_under_way(sender) == 0)
                        print_state(sender, HELD);
                wait_for_replies(sender, wait_end(sender, job));
        }

        end = clock_ns() + job->timeout * 1000000;
        while (n_under_way(sender) > 0 && clock_ns() < end) {
                wait_for_replies(sender, end);
                receive_replies(sender, job);
        }
}

static void print_result(const struct sender *sender)
{
        printf("{\"sent\": %" PRIu64 ", \"lost\": %" PRIu64 ", \"duplicate\": %" PRIu64
               ", \"foreign\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"error\": \"%s\""
               ", \"gap_ms\": %" PRIu64 ", \"trip_ms\": %" PRIu64 ", \"stall_ms\": %" PRIu64 "}\n",
               sender->n_sent, sender->n_sent - sender->n_answered, sender->n_duplicate, sender->n_foreign,
               sender->n_refused, sender->error != 0 ? strerrorname_np(sender->error) : "",
               sender->gap / 1000000, sender->trip / 1000000, sender->stall / 1000000);
}

static int parse_arguments(struct job *job, int argc, char **argv)
{
        int option, r = 0;

        while ((option = getopt(argc, argv, "p:r:s:t:w:")) >= 0 && r == 0) {
                if (option == 'p')
                        r = option_number(optarg, 0, TIMEOUT_MAX, &job->timeout);
                else if (option == 'r')
                        r = option_number(optarg, 1, RATE_MAX, &job->rate);
                else if (option == 's')
                        r = option_number(optarg, 0, DATA_MAX, &job->data);
                else if (option == 't')
                        r = option_number(optarg, 1, SECONDS_MAX, &job->seconds);
                else if (option == 'w')
                        r = option_number(optarg, 1, WINDOW_MAX, &job->window);
                else
                        return -EINVAL;
        }
        if (r < 0 || optind != argc - 1)
                return -EINVAL;

        job->address = argv[optind];
        return 0;
}

int main(int argc, char **argv)
{
        _cleanup_(sender_done) struct sender sender = { .fd = -1 };
        struct job job = { .rate = 1000, .seconds = 10, .data = 52, .window = 2000, .timeout = 60000 };
        const struct sigaction action = { .sa_handler = on_signal };
        int r;

        r = parse_arguments(&job, argc, argv);
        if (r < 0) {
                fprintf(stderr, "Usage: constant-rate [-r REQUESTS A SECOND] [-t SECONDS] [-s BYTES OF DATA] "
                                "[-w REQUESTS UNDER WAY] [-p MILLISECONDS TO WAIT FOR THE LAST REPLIES] "
                                "ADDRESS\n");
                return EXIT_FAILURE;
        }

        r = sender_open(&sender, &job);
        if (r < 0) {
                fprintf(stderr, "constant-rate: Failed to open a ping socket to '%s': %s%s\n", job.address,
                        strerror(-r), r == -EACCES ? " (see net.ipv4.ping_group_range)" : "");
                return EXIT_FAILURE;
        }

        /* Without it, a sleep may take 50 us longer than asked for. */
        if (prctl(PR_SET_TIMERSLACK, 1UL) < 0 || sigaction(SIGINT, &action, NULL) < 0 ||
            sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGUSR1, &action, NULL) < 0 ||
            sigaction(SIGUSR2, &action, NULL) < 0) {
                fprintf(stderr, "constant-rate: Failed to set up: %s\n", strerror(errno));
                return EXIT_FAILURE;
        }

        run(&sender, &job);
        print_result(&sender);
        return EXIT_SUCCESS;
}
