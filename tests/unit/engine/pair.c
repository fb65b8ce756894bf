/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "model.h"
#include "unit.h"

/* Buffer space for a load in bytes: without CAP_NET_ADMIN the kernel allows less, which is still enough. */
#define BUFFER_SIZE (4 * 1024 * 1024)

/* For what is expected to happen soon, in milliseconds: a failure takes so long. */
#define TIMEOUT_MSEC 60000

static void make_space(int fd)
{
        int size = BUFFER_SIZE;

        if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
                assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
}

/**
 * pair_new() - make a device of two sockets
 * @type: SOCK_SEQPACKET; or SOCK_DGRAM, where net.unix.max_dgram_qlen packets are queued at most
 */
struct pair pair_new(int type)
{
        struct pair pair = { 0 };
        int sockets[2];

        assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, sockets), 0);
        pair.ours = sockets[0];
        pair.its = sockets[1];
        make_space(pair.ours);
        make_space(pair.its);
        assert_int_equal(fcntl(pair.ours, F_SETFL, O_NONBLOCK), 0);
        assert_int_equal(records_new(&pair.records, 1), 0);
        return pair;
}

/**
 * pair_free() - close the sockets and free the records, which nothing uses any longer
 * @pair: the pair
 */
void pair_free(struct pair *pair)
{
        pair->records = records_free(pair->records);
        close_fdp(&pair->ours);
        close_fdp(&pair->its);
}

/**
 * pair_send() - send a packet into the device
 * @pair: the pair
 * @packet: the packet
 */
void pair_send(const struct pair *pair, const struct packet *packet)
{
        assert_int_equal(send(pair->ours, packet->bytes, packet->size, 0), packet->size);
}

/**
 * pair_numbered() - make an echo request with this sequence number, of either family
 * @n: the number
 */
struct packet pair_numbered(unsigned n)
{
        struct packet packet = n % 2 == 0 ? plain_ipv4 : plain_ipv6;

        put16(packet.bytes + (n % 2 == 0 ? 26 : 46), (uint16_t) n);
        repair(packet.bytes, packet.size);
        return packet;
}

/**
 * pair_send_numbered() - send echo requests with consecutive sequence numbers
 * @pair: the pair
 * @first: the first number
 * @n: how many
 */
void pair_send_numbered(const struct pair *pair, unsigned first, unsigned n)
{
        for (unsigned i = first; i < first + n; i++) {
                struct packet packet = pair_numbered(i);

                pair_send(pair, &packet);
        }
}

/**
 * pair_wait() - wait until there is a reply
 * @pair: the pair
 *
 * Return: whether there is one.
 */
bool pair_wait(const struct pair *pair)
{
        struct pollfd readable = { .fd = pair->ours, .events = POLLIN };

        return TEMP_FAILURE_RETRY(poll(&readable, 1, TIMEOUT_MSEC)) > 0;
}

/**
 * assert_reply() - receive the reply to a request
 * @pair: the pair
 * @request: the request
 * @policy: the number of the policy that it is answered by
 */
void assert_reply(const struct pair *pair, const struct packet *request, int policy)
{
        uint8_t buffer[65536];
        struct packet expected = *request;
        struct reflection reply;

        assert_true(verdict_is_reply(
                model_reflect(&policies[policy], 0, expected.bytes, expected.size, &reply)));
        assert_true(pair_wait(pair));
        assert_int_equal(recv(pair->ours, buffer, sizeof(buffer), 0), reply.length);
        assert_memory_equal(buffer, expected.bytes + reply.offset, reply.length);
}

/**
 * assert_replies() - receive the replies to consecutive requests, in their order
 * @pair: the pair
 * @first: the number of the first request
 * @n: how many
 */
void assert_replies(const struct pair *pair, unsigned first, unsigned n)
{
        for (unsigned i = first; i < first + n; i++) {
                struct packet packet = pair_numbered(i);

                assert_reply(pair, &packet, PEERS);
        }
}

/**
 * assert_silence() - make sure that there is no reply now
 * @pair: the pair
 */
void assert_silence(const struct pair *pair)
{
        uint8_t byte;

        assert_int_equal(recv(pair->ours, &byte, sizeof(byte), 0), -1);
        assert_int_equal(errno, EAGAIN);
}

/**
 * count_replies() - receive the replies that are there
 * @pair: the pair
 */
uint64_t count_replies(const struct pair *pair)
{
        uint8_t byte;
        uint64_t n = 0;

        while (recv(pair->ours, &byte, sizeof(byte), 0) > 0)
                n++;

        return n;
}

/**
 * count_verdict() - return how many packets were recorded with a verdict
 * @pair: the pair
 * @verdict: the verdict
 */
uint64_t count_verdict(const struct pair *pair, enum verdict verdict)
{
        struct counters counters;

        records_counters(pair->records, &counters);
        return counters.verdicts[verdict];
}

/**
 * count_unsent() - return how many replies were recorded as refused
 * @pair: the pair
 */
uint64_t count_unsent(const struct pair *pair)
{
        struct counters counters;

        records_counters(pair->records, &counters);
        return counters.unsent;
}

/**
 * count_records() - return how many packets were recorded
 * @pair: the pair
 */
uint64_t count_records(const struct pair *pair)
{
        struct counters counters;

        records_counters(pair->records, &counters);
        return counters_packets(&counters);
}
