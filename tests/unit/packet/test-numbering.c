/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What sequence numbers say: recorded clients, and models of clients with losses, delays and copies. */

#include "packet/session.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define SECOND UINT64_C(1000000)

static struct packet_info request(uint16_t number)
{
        return (struct packet_info) {
                .source = { AF_INET, .bytes = { 198, 18, 0, 1 } },
                .destination = { AF_INET, .bytes = { 198, 18, 0, 2 } },
                .hop_limit = 64,
                .has_icmp = true,
                .is_echo = true,
                .identifier = 42,
                .sequence = number,
        };
}

struct arrival {
        uint64_t usec;
        uint16_t number;
};

/* Adds arrivals to a new table; returns the reports of its end. */
static size_t run(const struct arrival *arrivals, size_t n, struct session_report *reports, size_t max)
{
        struct session_table *table = session_table_new(1);
        struct session_report opened[4];
        size_t n_reports;

        assert_non_null(table);
        for (size_t i = 0; i < n; i++) {
                struct packet_info packet = request(arrivals[i].number);

                session_table_add(table, SECOND + arrivals[i].usec, &packet, 84);
                (void) session_table_collect(table, SECOND + arrivals[i].usec, opened, ARRAY_SIZE(opened));
        }
        session_table_finish(table);
        n_reports = session_table_collect(table, 100 * SECOND, reports, max);
        session_table_free(table);
        return n_reports;
}

/* Requests of one run as they were recorded, in microseconds since the first one. */
struct recording {
        const char *what;
        struct arrival arrivals[20];
        size_t n;
        unsigned sessions;
        struct numbering_summary expected;
};

/* clang-format off */
static const struct recording recordings[] = {
        { "ping -c 5", { { 0, 1 }, { 1000828, 2 }, { 2024958, 3 }, { 3048967, 4 }, { 4073404, 5 } }, 5, 1,
          { .first = 1, .last = 5, .step = 1 } },
        { "ping -c 5, one lost", { { 0, 1 }, { 1000828, 2 }, { 3048967, 4 }, { 4073404, 5 } }, 4, 1,
          { .first = 1, .last = 5, .step = 1, .missing = 1 } },
        { "ping -c 5 of which two arrive", { { 0, 1 }, { 3048967, 4 } }, 2, 1,
          { .first = 1, .last = 4, .step = 3, .unknown = SESSION_TOO_FEW } },
        { "ping -c 1", { { 0, 1 } }, 1, 1, { .first = 1, .last = 1 } },
        { "ping -i 0.2 -c 5", { { 0, 1 }, { 202757, 2 }, { 406788, 3 }, { 610716, 4 }, { 815751, 5 } }, 5, 1,
          { .first = 1, .last = 5, .step = 1 } },
        { "ping -f -c 12", { { 0, 1 }, { 174, 2 }, { 184, 3 }, { 206, 4 }, { 243, 5 }, { 251, 6 }, { 286, 7 },
                             { 316, 8 }, { 324, 9 }, { 346, 10 }, { 440, 11 }, { 529, 12 } }, 12, 1,
          { .first = 1, .last = 12, .step = 1 } },
        { "ping -f -c 12, three lost", { { 0, 1 }, { 184, 3 }, { 206, 4 }, { 243, 5 }, { 10286, 7 },
                             { 10316, 8 }, { 10324, 9 }, { 10440, 11 }, { 10529, 12 } }, 9, 1,
          { .first = 1, .last = 12, .step = 1, .missing = 3 } },
        { "ping -l 10 -c 12", { { 0, 1 }, { 43, 2 }, { 50, 3 }, { 56, 4 }, { 61, 5 }, { 67, 6 }, { 72, 7 },
                                { 77, 8 }, { 83, 9 }, { 89, 10 }, { 1022940, 11 }, { 2001396, 12 } }, 12, 1,
          { .first = 1, .last = 12, .step = 1 } },
        { "ping -l 10 -c 12, two lost", { { 0, 1 }, { 50, 3 }, { 56, 4 }, { 61, 5 }, { 67, 6 }, { 72, 7 },
                                { 77, 8 }, { 83, 9 }, { 89, 10 }, { 2001396, 12 } }, 10, 1,
          { .first = 1, .last = 12, .step = 1, .missing = 2 } },
        { "hping3 -1 -c 5 --fast", { { 0, 0 }, { 100328, 256 }, { 200649, 512 }, { 300828, 768 },
                                     { 400985, 1024 } }, 5, 1,
          { .first = 0, .last = 4, .step = 1, .host_order = true } },
        { "hping3 -1 -c 8 --fast, every fourth lost", { { 0, 0 }, { 100328, 256 }, { 200649, 512 },
                                     { 400985, 1024 }, { 500985, 1280 }, { 600985, 1536 } }, 6, 1,
          { .first = 0, .last = 6, .step = 1, .host_order = true, .missing = 1 } },
        { "fping -q -c 6 -p 60, another target elsewhere", { { 0, 0 }, { 60099, 2 }, { 120003, 4 },
                                     { 180057, 6 }, { 240035, 8 }, { 299992, 10 } }, 6, 1,
          { .first = 0, .last = 10, .step = 2, .unknown = SESSION_EVERY_NTH } },
        { "the same, every fourth lost", { { 0, 0 }, { 60099, 2 }, { 120003, 4 }, { 240035, 8 },
                                     { 299992, 10 } }, 5, 1,
          { .first = 0, .last = 10, .step = 2, .missing = 1 } },
        { "fping -c 5 of both families", { { 0, 1 }, { 1001324, 3 }, { 2001034, 5 }, { 3001055, 7 },
                                     { 4000950, 9 } }, 5, 1,
          { .first = 1, .last = 9, .step = 2, .unknown = SESSION_EVERY_NTH } },
        { "nping --icmp -c 5 --rate 20",
          { { 0, 1 }, { 50321, 2 }, { 100551, 4 }, { 150561, 5 }, { 200756, 5 } },
          5, 1, { .first = 1, .last = 5, .step = 1 } },
        { "nping --icmp -c 8 --delay 20ms",
          { { 0, 1 }, { 20210, 3 }, { 40293, 4 }, { 60371, 5 }, { 80491, 6 },
                                     { 100483, 7 }, { 120617, 8 }, { 140751, 8 } }, 8, 1,
          { .first = 1, .last = 8, .step = 1 } },
        { "mtr -c 5 through a router",
          { { 0, 33001 }, { 100265, 33002 }, { 1101787, 33004 }, { 2102916, 33006 },
                                     { 3104202, 33008 }, { 4105359, 33010 } }, 6, 1,
          { .first = 33001, .last = 33010, .step = 2, .unknown = SESSION_EVERY_NTH } },
        { "mtr -c 2 through a router", { { 0, 33001 }, { 100265, 33002 }, { 1101787, 33004 } }, 3, 1,
          { .first = 33001, .last = 33004, .unknown = SESSION_TOO_FEW } },
        { "traceroute -I", { { 0, 4 }, { 25, 5 }, { 32, 6 }, { 38, 7 }, { 43, 8 }, { 49, 9 }, { 55, 10 },
                             { 61, 11 }, { 70, 12 }, { 76, 13 }, { 82, 14 } }, 11, 1,
          { .first = 4, .last = 14, .step = 1 } },
        { "a counter that others use, too", { { 0, 7 }, { 1000100, 9 }, { 2000200, 10 }, { 3000100, 13 },
                                              { 4000300, 15 }, { 5000100, 16 }, { 6000000, 19 } }, 7, 1,
          { .first = 7, .last = 19, .unknown = SESSION_ELSEWHERE } },
        { "random numbers", { { 0, 50123 }, { 1000000, 233 }, { 2000000, 40021 }, { 3000000, 12011 },
                              { 4000000, 61234 }, { 5000000, 9999 }, { 6000000, 33333 } }, 7, 1,
          { .unknown = SESSION_NO_COUNT } },
        { "a constant number", { { 0, 7 }, { 1000000, 7 }, { 2000000, 7 }, { 3000000, 7 } }, 4, 1,
          { .unknown = SESSION_NO_COUNT } },
        { "ping -e 42 -c 3, twice",
          { { 0, 1 }, { 1000828, 2 }, { 2024958, 3 }, { 5100000, 1 }, { 6100828, 2 },
                                      { 7124958, 3 } }, 6, 2, { .first = 1, .last = 3, .step = 1 } },
        { "ping -e 42 -c 2, twice", { { 0, 1 }, { 1000828, 2 }, { 5100000, 1 }, { 6100828, 2 } }, 4, 2,
          { .first = 1, .last = 2, .step = 1 } },
        { "ping -e 42 -l 3 -c 3, twice", { { 0, 1 }, { 30, 2 }, { 40, 3 }, { 3000000, 1 }, { 3000030, 2 },
                                      { 3000040, 3 } }, 6, 2, { .first = 1, .last = 3, .step = 1 } },
        { "ping -e 42 -c 5 twice side by side", { { 0, 1 }, { 1000000, 2 }, { 2000000, 3 }, { 2500000, 1 },
                                      { 3000000, 4 }, { 3500000, 2 }, { 4000000, 5 }, { 4500000, 3 },
                                      { 5500000, 4 }, { 6500000, 5 } }, 10, 2,
          { .first = 1, .last = 5, .step = 1 } },
        { "a copy of each", { { 0, 1 }, { 90, 1 }, { 1000000, 2 }, { 1000090, 2 }, { 2000000, 3 },
                              { 2000090, 3 } }, 6, 1, { .first = 1, .last = 3, .step = 1, .duplicates = 3 } },
        { "the first ones in another order", { { 0, 3 }, { 10, 1 }, { 1000000, 4 }, { 2000000, 5 } }, 4, 1,
          { .first = 1, .last = 5, .step = 1, .missing = 1, .reordered = 1 } },
        { "each second one lost but for the first",
          { { 0, 1 }, { 1000000, 2 }, { 3000000, 4 }, { 5000000, 6 },
                              { 7000000, 8 } }, 5, 1, { .first = 1, .last = 8, .step = 1, .missing = 3 } },
        { "a jump over half of the numbers",
          { { 0, 1 }, { 10, 2 }, { 20, 3 }, { 30, 4 }, { 9000000, 20000 }, { 9000010, 20001 } }, 6, 1,
          { .first = 1, .last = 20001, .step = 1, .unknown = SESSION_ELSEWHERE } },
        { "the second number 512 behind the first", { { 0, 1 }, { 512000, 513 }, { 513000, 514 },
                              { 514000, 515 }, { 515000, 516 } }, 5, 1,
          { .first = 1, .last = 516, .step = 1, .missing = 511 } },
};
/* clang-format on */

static bool same_summary(const struct numbering_summary *a, const struct numbering_summary *b)
{
        bool same = a->missing == b->missing && a->unknown == b->unknown && a->duplicates == b->duplicates &&
                    a->reordered == b->reordered;

        /* The first and the last one of numbers that do not count are any of them. */
        return same &&
               (a->unknown == SESSION_NO_COUNT || (a->first == b->first && a->last == b->last &&
                                                   a->host_order == b->host_order && a->step == b->step));
}

static void test_recordings(void **state)
{
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(recordings); i++) {
                const struct recording *recording = &recordings[i];
                struct session_report reports[4];
                size_t n = run(recording->arrivals, recording->n, reports, ARRAY_SIZE(reports));
                uint64_t requests = 0;

                for (size_t k = 0; k < n; k++) {
                        const struct numbering_summary *numbers = &reports[k].session.numbers;

                        requests += reports[k].session.requests;
                        if (!same_summary(numbers, &recording->expected))
                                fail_msg("%s: seq %u to %u, step %u%s, %u missing (%s), %u duplicate, %u "
                                         "reordered",
                                         recording->what, numbers->first, numbers->last, numbers->step,
                                         numbers->host_order ? " in host order" : "",
                                         (unsigned) numbers->missing, session_unknown_name(numbers->unknown),
                                         (unsigned) numbers->duplicates, (unsigned) numbers->reordered);
                }
                if (n != recording->sessions || requests != recording->n)
                        fail_msg("%s: %zu sessions with %u requests", recording->what, n,
                                 (unsigned) requests);
        }
}

/* However late a request is, it is late, and not another ping's. */
static void test_late_by_many(void **state)
{
        static struct arrival arrivals[30000];
        static const unsigned lags[] = { 2, 17, 600, 5000, 20000 };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(lags); i++) {
                unsigned late = 500, n = late + lags[i] + 1000, at = 0;
                struct session_report reports[2];

                for (unsigned k = 0; k < n; k++) {
                        if (k != late)
                                arrivals[at++] = (struct arrival) { 1000UL * k, (uint16_t) (k + 60000) };
                        if (k == late + lags[i])
                                arrivals[at++] =
                                        (struct arrival) { 1000UL * k + 10, (uint16_t) (late + 60000) };
                }
                assert_int_equal(run(arrivals, n, reports, ARRAY_SIZE(reports)), 1);
                assert_int_equal(reports[0].session.numbers.unknown, SESSION_KNOWN);
                assert_int_equal(reports[0].session.numbers.missing, 0);
                assert_int_equal(reports[0].session.numbers.reordered, 1);
                assert_int_equal(reports[0].session.numbers.duplicates, 0);
        }
}

enum client {
        NETWORK, /* one number after the other, at a constant rate */
        BURSTS,  /* the same as fast as replies come */
        HOST,    /* the same in host byte order, at a constant rate */
        SHARED,  /* each nth number is used here, at a constant rate */
        MIXED,   /* the same, and the number of those that are used elsewhere varies */
        CONSTANT,
        RANDOM,
        REPEATS,      /* skips a number, and repeats the last one */
        RESTARTED,    /* at a constant rate, and again with the same numbers */
        SIDE_BY_SIDE, /* two of them at once */
        N_CLIENTS,
};

enum loss {
        NONE,
        SINGLE,
        FOURTH,
        BURST,
        HALF,
        ALL_BUT_TEN,
        N_LOSSES,
};

static const char *const client_names[] = { "network",  "bursts", "host",    "shared",    "mixed",
                                            "constant", "random", "repeats", "restarted", "side by side" };
static const char *const loss_names[] = { "none", "single", "fourth", "burst", "half", "all but ten" };

#define SENT_MAX 4096

struct sent {
        uint64_t usec, arrives;
        uint32_t counted; /* as the client counts, wraps counted on */
        uint16_t number;
        bool lost;
        unsigned stream, order;
};

struct experiment {
        enum client client;
        enum loss loss;
        bool delays, copies;
        uint64_t random;
        unsigned n, n_sent, step;
        struct sent sent[2 * SENT_MAX];
        unsigned n_arrivals;
        struct sent arrivals[2 * SENT_MAX];
        unsigned lost, duplicates, reordered; /* what is expected */
};

static unsigned below(struct experiment *experiment, unsigned limit)
{
        return random_word(&experiment->random) % limit;
}

static void send_request(struct experiment *experiment, unsigned stream, uint64_t usec, uint32_t counted)
{
        uint16_t number = (uint16_t) counted;

        experiment->sent[experiment->n_sent] = (struct sent) {
                .usec = usec,
                .arrives = usec,
                .counted = counted,
                .number = experiment->client == HOST ? __builtin_bswap16(number) : number,
                .stream = stream,
                .order = experiment->n_sent,
        };
        experiment->n_sent++;
}

static void send_stream(struct experiment *experiment, unsigned stream, uint64_t usec, uint32_t counted)
{
        unsigned period = 10000 + below(experiment, 1000000), slip = below(experiment, experiment->n - 1);

        for (unsigned i = 0; i < experiment->n; i++) {
                enum client client = experiment->client;

                if (client == RANDOM)
                        counted = 65536 + below(experiment, 65536);
                send_request(experiment, stream,
                             usec + (client == BURSTS ? 0 : below(experiment, period / 10)), counted);

                if (client == BURSTS)
                        usec += 1 + below(experiment, 8) * below(experiment, 60) +
                                (below(experiment, 20) == 0) * below(experiment, 20000);
                else
                        usec += period;
                if (client == SHARED)
                        counted += experiment->step;
                else if (client == MIXED)
                        counted += 1 + below(experiment, experiment->step);
                else if (client == REPEATS)
                        counted += i == slip ? 2 : i == experiment->n - 2 ? 0 : 1;
                else if (client != CONSTANT)
                        counted++;
        }
}

static void send_all(struct experiment *experiment)
{
        bool wraps = below(experiment, 2);
        uint32_t first = wraps ? 65536 - below(experiment, experiment->n) : below(experiment, 2);
        uint64_t usec = 0;

        experiment->n_sent = 0;
        experiment->step = 2 + below(experiment, 8);
        if (experiment->client == RESTARTED || experiment->client == SIDE_BY_SIDE)
                first = 1;
        send_stream(experiment, 0, 0, first);
        if (experiment->client == RESTARTED)
                usec = experiment->sent[experiment->n_sent - 1].usec + 1000000;
        if (experiment->client == SIDE_BY_SIDE)
                usec = experiment->sent[4].usec + 5000;
        if (usec > 0)
                send_stream(experiment, 1, usec, first);
}

static void lose_some(struct experiment *experiment)
{
        unsigned n = experiment->n_sent, burst = below(experiment, n / 2), at = below(experiment, n);

        for (unsigned i = 0; i < n; i++)
                experiment->sent[i].lost = (experiment->loss == SINGLE && i == at) ||
                                           (experiment->loss == BURST && i >= burst && i < burst + n / 3) ||
                                           (experiment->loss == FOURTH && i % 4 == 3) ||
                                           (experiment->loss == HALF && below(experiment, 2)) ||
                                           experiment->loss == ALL_BUT_TEN;

        for (unsigned i = 0; experiment->loss == ALL_BUT_TEN && i < 10; i++)
                experiment->sent[below(experiment, n)].lost = false;
}

static int compare(const void *a, const void *b)
{
        const struct sent *x = a, *y = b;

        if (x->arrives != y->arrives)
                return x->arrives < y->arrives ? -1 : 1;

        return x->order < y->order ? -1 : x->order > y->order;
}

/*
 * Delays arrive behind a few later requests, copies right behind their original. The first one is not
 * delayed: nothing shows that there was time for those behind it.
 */
static void deliver(struct experiment *experiment)
{
        experiment->n_arrivals = 0;
        for (unsigned i = 0; i < experiment->n_sent; i++) {
                struct sent sent = experiment->sent[i];

                if (sent.lost)
                        continue;
                if (experiment->delays && below(experiment, 20) == 0 && experiment->n_arrivals > 0 &&
                    i + 12 < experiment->n_sent)
                        sent.arrives = experiment->sent[i + 1 + below(experiment, 10)].usec + 3;
                experiment->arrivals[experiment->n_arrivals++] = sent;
                if (experiment->copies && below(experiment, 10) == 0) {
                        sent.order = i + SENT_MAX;
                        experiment->arrivals[experiment->n_arrivals++] = sent;
                }
        }
        qsort(experiment->arrivals, experiment->n_arrivals, sizeof(struct sent), compare);
}

/* Counts what is to be found, the slow way; of a client with one stream of numbers. */
static void count_expected(struct experiment *experiment)
{
        static bool seen[65536 * 2];
        uint32_t lowest = UINT32_MAX, highest = 0;

        memset(seen, 0, sizeof(seen));
        experiment->lost = experiment->duplicates = experiment->reordered = 0;
        for (unsigned i = 0; i < experiment->n_arrivals; i++) {
                uint32_t counted = experiment->arrivals[i].counted;

                experiment->duplicates += seen[counted];
                experiment->reordered += !seen[counted] && counted < highest;
                seen[counted] = true;
                lowest = counted < lowest ? counted : lowest;
                highest = counted > highest ? counted : highest;
        }
        for (unsigned i = 0; i < experiment->n_sent; i++) {
                const struct sent *sent = &experiment->sent[i];

                experiment->lost += sent->lost && sent->counted >= lowest && sent->counted <= highest;
        }
}

struct outcome {
        size_t sessions;
        uint64_t requests, missing, duplicates, reordered;
        enum session_unknown unknown;
};

static struct outcome observe(const struct experiment *experiment)
{
        struct session_table *table = session_table_new(1);
        struct outcome outcome = { 0 };
        struct session_report reports[64];
        struct session_sum sum;
        size_t n;

        assert_non_null(table);
        for (unsigned i = 0; i < experiment->n_arrivals; i++) {
                struct packet_info packet = request(experiment->arrivals[i].number);

                session_table_add(table, SECOND + experiment->arrivals[i].arrives, &packet, 84);
        }

        session_table_finish(table);
        n = session_table_collect(table, 0, reports, ARRAY_SIZE(reports));
        assert_true(n < ARRAY_SIZE(reports));
        for (size_t i = 0; i < n; i++) {
                const struct session *session = &reports[i].session;

                if (reports[i].event == SESSION_RESUMED)
                        continue;
                outcome.sessions++;
                outcome.requests += session->requests;
                outcome.missing += session->numbers.missing;
                outcome.duplicates += session->numbers.duplicates;
                outcome.reordered += session->numbers.reordered;
                if (session->numbers.unknown != SESSION_KNOWN)
                        outcome.unknown = session->numbers.unknown;
        }
        session_table_collect_sum(table, &sum);
        outcome.requests += sum.requests;
        outcome.missing += sum.missing;
        session_table_free(table);
        return outcome;
}

/* Returns what is wrong, or NULL. */
static const char *check(const struct experiment *experiment, const struct outcome *outcome)
{
        enum client client = experiment->client;
        bool regular = client == NETWORK || client == HOST || client == BURSTS || client == SHARED;
        bool few = experiment->loss == ALL_BUT_TEN || (client == BURSTS && experiment->loss == HALF);
        bool idle = outcome->sessions > 1;
        /* A number that is skipped among many that are lost does not show in the time that they took. */
        unsigned hidden = client == REPEATS && (experiment->loss >= BURST || experiment->delays);

        if (outcome->requests != experiment->n_arrivals)
                return "requests";
        if (client != RESTARTED && client != SIDE_BY_SIDE && outcome->missing > experiment->lost + hidden)
                return "more missing than were lost";
        if (client == RESTARTED || client == SIDE_BY_SIDE) {
                unsigned lost = 0;

                for (unsigned i = 0; i < experiment->n_sent; i++)
                        lost += experiment->sent[i].lost;
                if (outcome->missing > lost)
                        return "more missing than were lost";
                if (experiment->loss == NONE && !experiment->copies && !experiment->delays &&
                    (outcome->sessions != 2 || outcome->duplicates > 0))
                        return "one ping";
        }
        if (client == REPEATS && experiment->loss == NONE && !experiment->copies && outcome->duplicates > 0)
                return "duplicates of a client that repeats";
        if (!regular || idle)
                return NULL;

        if (outcome->sessions != 1)
                return "sessions";
        if (few)
                return NULL;
        if (client == SHARED && experiment->lost == 0)
                return outcome->unknown == SESSION_EVERY_NTH ? NULL : "not every nth";
        if (outcome->unknown != SESSION_KNOWN || outcome->missing != experiment->lost)
                return "not exact";
        if (outcome->duplicates != experiment->duplicates)
                return "duplicates";

        return outcome->reordered == experiment->reordered ? NULL : "reordered";
}

static void test_models(void **state)
{
        static struct experiment experiment;
        unsigned known[N_CLIENTS][N_LOSSES] = { 0 };

        (void) state;

        for (unsigned i = 0; i < 12000; i++) {
                struct outcome outcome;
                const char *wrong;

                experiment.random = i + 1;
                (void) below(&experiment, 2);
                experiment.client = i % N_CLIENTS;
                experiment.loss = i / N_CLIENTS % N_LOSSES;
                experiment.delays = i / N_CLIENTS / N_LOSSES % 2;
                experiment.copies = i / N_CLIENTS / N_LOSSES / 2 % 2;
                experiment.n = 50 + below(&experiment, i % 7 ? 150 : 1500);
                send_all(&experiment);
                lose_some(&experiment);
                deliver(&experiment);
                count_expected(&experiment);
                outcome = observe(&experiment);
                known[experiment.client][experiment.loss] += outcome.unknown == SESSION_KNOWN;
                wrong = check(&experiment, &outcome);
                if (wrong)
                        fail_msg("%u: %s, loss %s%s%s, %u requests: %s: %u lost, %u missing (%s), %u of %u "
                                 "duplicate, %u of %u reordered, %zu sessions",
                                 i, client_names[experiment.client], loss_names[experiment.loss],
                                 experiment.delays ? ", delays" : "", experiment.copies ? ", copies" : "",
                                 experiment.n, wrong, experiment.lost, (unsigned) outcome.missing,
                                 session_unknown_name(outcome.unknown), (unsigned) outcome.duplicates,
                                 experiment.duplicates, (unsigned) outcome.reordered, experiment.reordered,
                                 outcome.sessions);
        }

        /* The test does what it is for. */
        assert_int_equal(known[NETWORK][HALF], 12000 / N_CLIENTS / N_LOSSES);
        assert_true(known[BURSTS][HALF] > 100);
        assert_int_equal(known[RANDOM][NONE], 0);
        assert_int_equal(known[CONSTANT][NONE], 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recordings),
                cmocka_unit_test(test_late_by_many),
                cmocka_unit_test(test_models),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
