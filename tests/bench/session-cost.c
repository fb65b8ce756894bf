/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What a request costs the table of ping sessions, in nanoseconds; run by hand:
 *
 *      session-cost [ROUNDS]
 *
 * One line for each: one ping whose numbers advance by 1, by 511, and at random; two pings that alternate;
 * 256 of them; and as many sources as rounds, each with one request. Each is the least of several runs.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/util.h"
#include "packet/session.h"

#define ROUNDS 1000000
#define RUNS   7

struct workload {
        const char *name;
        unsigned step; /* of the sequence numbers; 0: random */
        uint32_t mask; /* the number of sessions, less one */
};

static const struct workload workloads[] = {
        { "one session", 1, 0 },
        { "one session, step 511", 511, 0 },
        { "one session, random numbers", 0, 0 },
        { "two sessions", 1, 1 },
        { "256 sessions", 1, 255 },
        { "one request for each source", 1, UINT32_MAX },
};

static uint64_t now_nsec(void)
{
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000000 + (uint64_t) now.tv_nsec;
}

static double run(const struct workload *workload, uint32_t rounds)
{
        struct session_table *table = session_table_new(now_nsec());
        struct packet_info packet = { .source.family = AF_INET,
                                      .destination.family = AF_INET,
                                      .hop_limit = 64 };
        uint64_t begin, random = 1;

        if (!table)
                exit(EXIT_FAILURE);

        begin = now_nsec();
        for (uint32_t i = 0; i < rounds; i++) {
                uint32_t session = i & workload->mask;

                packet.source.ipv4.s_addr = session;
                packet.identifier = (uint16_t) session;
                random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
                if (workload->step == 0)
                        packet.sequence = (uint16_t) (random >> 48);
                else if (session == 0)
                        packet.sequence = (uint16_t) (packet.sequence + workload->step);
                session_table_add(table, i, &packet, 84);
        }
        begin = now_nsec() - begin;

        session_table_free(table);
        return (double) begin / rounds;
}

int main(int argc, char **argv)
{
        uint32_t rounds = argc > 1 ? (uint32_t) strtoul(argv[1], NULL, 10) : ROUNDS;

        for (size_t i = 0; i < ARRAY_SIZE(workloads); i++) {
                double least = run(&workloads[i], rounds);

                for (unsigned k = 1; k < RUNS; k++) {
                        double nsec = run(&workloads[i], rounds);

                        least = nsec < least ? nsec : least;
                }
                printf("%-30s %6.1f ns\n", workloads[i].name, least);
        }

        return EXIT_SUCCESS;
}
