/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The files of /proc/net, and how much of what they count belongs to the pings. */

#include <string.h>
#include <sys/socket.h>

#include "client/ping-estimate.h"
#include "tunecho/status.h"
#include "unit.h"

static const char snmp[] = "Ip: Forwarding DefaultTTL InReceives OutTransmits\n"
                           "Ip: 1 64 700 710\n"
                           "Icmp: InMsgs InCsumErrors InEchoReps OutEchos\n"
                           "Icmp: 9 3 101 102\n"
                           "Tcp: RtoAlgorithm MaxConn\n"
                           "Tcp: 1 -1\n";
static const char dev[] =
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop\n"
        "    lo: 1 20 0 0 0 0 0 0 1 21 0 0 0 0 0 0\n"
        "  tun0:8400 100 0 4 0 0 0 0 8400 99 0 5 0 0 0 0\n"
        " tun00: 1 2 0 0 0 0 0 0 1 3 0 0 0 0 0 0\n";

static const struct {
        const char *what;
        enum ping_file file;
        int family;
        const char *text;
        enum ping_counter counter;
        bool known;
        uint64_t value;
} cases[] = {
        { "pairs", PING_FILE_SNMP, AF_INET, snmp, PING_OUT_ECHOS, true, 102 },
        { "the second pair", PING_FILE_SNMP, AF_INET, snmp, PING_IN_CHECKSUM_ERRORS, true, 3 },
        { "the first pair", PING_FILE_SNMP, AF_INET, snmp, PING_IN_RECEIVES, true, 700 },
        { "an absent name", PING_FILE_SNMP, AF_INET, snmp, PING_OUT_DISCARDS, false, 0 },
        { "the other family", PING_FILE_SNMP, AF_INET6, snmp, PING_OUT_ECHOS, false, 0 },
        { "another file", PING_FILE_NETSTAT, AF_INET, snmp, PING_OUT_ECHOS, false, 0 },
        { "fewer values", PING_FILE_SNMP, AF_INET, "Icmp: InMsgs OutEchos\nIcmp: 5\n", PING_OUT_ECHOS, false,
          0 },
        { "another group in the second line", PING_FILE_SNMP, AF_INET, "Icmp: OutEchos\nIp: 5\n",
          PING_OUT_ECHOS, false, 0 },
        { "no second line", PING_FILE_SNMP, AF_INET, "Icmp: OutEchos", PING_OUT_ECHOS, false, 0 },
        { "no number", PING_FILE_SNMP, AF_INET, "Icmp: OutEchos\nIcmp: -5\n", PING_OUT_ECHOS, false, 0 },
        { "the largest", PING_FILE_SNMP, AF_INET, "Icmp: OutEchos\nIcmp: 18446744073709551615\n",
          PING_OUT_ECHOS, true, UINT64_MAX },
        { "too large", PING_FILE_SNMP, AF_INET, "Icmp: OutEchos\nIcmp: 18446744073709551616\n",
          PING_OUT_ECHOS, false, 0 },
        { "group of netstat", PING_FILE_NETSTAT, AF_INET, "TcpExt: IPReversePathFilter\nTcpExt: 8\n",
          PING_IN_REVERSE_PATH, true, 8 },
        { "lines", PING_FILE_DEV_SNMP6, AF_INET6, "ifIndex 7\nIcmp6OutEchos   \t 11\nIp6InReceives 12\n",
          PING_OUT_ECHOS, true, 11 },
        { "lines of the device", PING_FILE_DEV_SNMP6, AF_INET6, "Ip6InReceives 12\n", PING_IN_DEVICE, true,
          12 },
        { "a line without a value", PING_FILE_DEV_SNMP6, AF_INET6, "Icmp6OutEchos\n11\n", PING_OUT_ECHOS,
          false, 0 },
        { "lines that are added", PING_FILE_XFRM, AF_INET,
          "XfrmInError 1\nXfrmOutError 2\nXfrmOutPolBlock 3\n", PING_OUT_XFRM, true, 5 },
        { "begin of a name", PING_FILE_XFRM, AF_INET, "XfrmIn 4\nXfrmI 8\n", PING_IN_XFRM, true, 4 },
        { "column", PING_FILE_DEV, AF_INET, dev, PING_LINK_RX, true, 100 },
        { "column without a blank", PING_FILE_DEV, AF_INET, dev, PING_LINK_TX, true, 99 },
        { "last column", PING_FILE_DEV, AF_INET6, dev, PING_LINK_TX_DROPPED, true, 5 },
        { "other interfaces", PING_FILE_DEV, AF_INET, dev, PING_OTHER_TX, true, 24 },
        { "no device", PING_FILE_DEV, AF_INET, " eth0: 1 2\n", PING_LINK_RX, false, 0 },
        { "forwarded from the device", PING_FILE_SNMP6, AF_INET6, "Ip6OutForwDatagrams 6\n", PING_FORWARDED,
          true, 6 },
        { "forwarded into the device", PING_FILE_DEV_SNMP6, AF_INET6, "Ip6OutForwDatagrams 6\n",
          PING_FORWARDED, false, 0 },
        { "nothing", PING_FILE_SNMP, AF_INET, "", PING_OUT_ECHOS, false, 0 },
};

static void test_files(void **state)
{
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct ping_sample sample = { 0 };

                ping_sample_parse(&sample, cases[i].file, cases[i].family, "tun0", cases[i].text);
                if (sample.known[cases[i].counter] != cases[i].known ||
                    sample.values[cases[i].counter] != cases[i].value)
                        fail_msg("%s: %d %llu", cases[i].what, sample.known[cases[i].counter],
                                 (unsigned long long) sample.values[cases[i].counter]);
        }
}

#define ROUNDS 10

/* A burst counts what the idle window does, and the pings; the values of a window have a period of 3. */
static void make_samples(struct ping_sample samples[static 2 * ROUNDS + 1], enum ping_counter counter,
                         unsigned noise, unsigned pings)
{
        uint64_t value = 1000, usec = 1;

        for (unsigned i = 0; i <= 2 * ROUNDS; i++) {
                samples[i].usec = usec;
                samples[i].values[counter] = value;
                samples[i].known[counter] = true;
                usec += 100000;
                value += noise * (i / 2 % 3) + (i % 2 == 1 ? pings : 0);
        }
}

static void test_estimate(void **state)
{
        static const struct {
                unsigned noise, pings;
                bool explains;
        } rules[] = {
                { 0, 10, true }, { 0, 7, true },     { 0, 5, false },
                { 1, 10, true }, { 100, 10, false }, { 0, 0, false },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct ping_sample samples[2 * ROUNDS + 1] = { 0 };
                struct ping_estimate estimate;

                make_samples(samples, PING_IN_TRUNCATED, rules[i].noise, rules[i].pings);
                ping_estimate(&estimate, samples, ROUNDS);
                assert_true(estimate.values[PING_IN_TRUNCATED] > ROUNDS * rules[i].pings - 1e-6);
                assert_true(estimate.values[PING_IN_TRUNCATED] < ROUNDS * rules[i].pings + 1e-6);
                if (ping_estimate_explains(&estimate, PING_IN_TRUNCATED, 100) != rules[i].explains)
                        fail_msg("%zu: %f +- %f", i, estimate.values[PING_IN_TRUNCATED],
                                 estimate.deviations[PING_IN_TRUNCATED]);
        }
}

/* The noise of few rounds deviates, too, although they are alike. */
static void test_few_rounds(void **state)
{
        struct ping_sample samples[2 * ROUNDS + 1] = { 0 };
        struct ping_estimate estimate;

        (void) state;

        for (unsigned i = 0; i < 3; i++)
                samples[i] = (struct ping_sample) { .usec = 1 + i * 100000,
                                                    .values[PING_READ] = i * 100 + i / 2 * 20,
                                                    .known[PING_READ] = true };
        ping_estimate(&estimate, samples, 1);
        assert_int_equal(estimate.n_rounds, 1);
        assert_true(estimate.values[PING_READ] > 19 && estimate.values[PING_READ] < 21);
        assert_true(estimate.deviations[PING_READ] > 9 && estimate.deviations[PING_READ] < 11);
        assert_false(ping_estimate_explains(&estimate, PING_READ, 20));
}

/* One sample without it, a counter that begins again, and a time that stands still. */
static void test_odd_samples(void **state)
{
        struct ping_sample samples[2 * ROUNDS + 1] = { 0 };
        struct ping_estimate estimate;

        (void) state;

        make_samples(samples, PING_IN_TRUNCATED, 0, 10);
        samples[7].known[PING_IN_TRUNCATED] = false;
        ping_estimate(&estimate, samples, ROUNDS);
        assert_false(estimate.known[PING_IN_TRUNCATED]);
        assert_false(ping_estimate_explains(&estimate, PING_IN_TRUNCATED, 1));

        samples[7].known[PING_IN_TRUNCATED] = true;
        samples[20].values[PING_IN_TRUNCATED] = 0;
        for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
                samples[i].usec = 5;
        ping_estimate(&estimate, samples, ROUNDS);
        assert_true(estimate.values[PING_IN_TRUNCATED] > 89 && estimate.values[PING_IN_TRUNCATED] < 91);
        ping_estimate(&estimate, samples, 0);
        assert_false(estimate.known[PING_IN_TRUNCATED]);
}

/* IPv4 of the device is what the host has less what other interfaces have, and its noise is theirs. */
static void test_sums(void **state)
{
        struct ping_sample samples[2 * ROUNDS + 1] = { 0 };
        struct ping_estimate estimate;

        (void) state;

        make_samples(samples, PING_IN_RECEIVES, 100, 10);
        make_samples(samples, PING_OTHER_RX, 100, 0);
        ping_estimate(&estimate, samples, ROUNDS);
        assert_true(estimate.known[PING_IN_DEVICE] && !estimate.known[PING_OUT_DEVICE]);
        assert_true(estimate.values[PING_IN_DEVICE] > 99 && estimate.values[PING_IN_DEVICE] < 101);
        assert_true(estimate.deviations[PING_IN_DEVICE] < 1e-6 &&
                    estimate.deviations[PING_IN_RECEIVES] > 100);

        /* Pings of others are on both sides; of the two families, one may be unknown. */
        make_samples(samples, PING_OUT_ECHOS, 50, 10);
        make_samples(samples, PING_READ, 50, 3);
        ping_estimate(&estimate, samples, ROUNDS);
        assert_true(estimate.known[PING_LOST_OUT] && !estimate.known[PING_LOST_IN]);
        assert_true(estimate.values[PING_LOST_OUT] > 69 && estimate.values[PING_LOST_OUT] < 71);
        assert_true(estimate.deviations[PING_LOST_OUT] < 1e-6);
        make_samples(samples, PING_OUT_ECHOS_OTHER, 0, 4);
        ping_estimate(&estimate, samples, ROUNDS);
        assert_true(estimate.values[PING_LOST_OUT] > 109 && estimate.values[PING_LOST_OUT] < 111);

        make_samples(samples, PING_IN_DEVICE, 0, 5);
        ping_estimate(&estimate, samples, ROUNDS);
        assert_true(estimate.values[PING_IN_DEVICE] > 49 && estimate.values[PING_IN_DEVICE] < 51);
}

static void test_status(void **state)
{
        struct status status = { .packets = 9, .counters = { .unsent = 2 } };
        struct ping_sample sample = { 0 };

        (void) state;

        status.counters.verdicts[VERDICT_NOT_OURS] = 7;
        ping_sample_add_status(&sample, &status);
        assert_int_equal(sample.values[PING_READ], 9);
        assert_int_equal(sample.values[PING_UNSENT], 2);
        assert_int_equal(sample.values[PING_VERDICTS + VERDICT_NOT_OURS], 7);
        assert_true(sample.known[PING_VERDICTS + _VERDICT_MAX - 1] && !sample.known[PING_LOST_OUT]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_files),       cmocka_unit_test(test_estimate),
                cmocka_unit_test(test_odd_samples), cmocka_unit_test(test_sums),
                cmocka_unit_test(test_status),      cmocka_unit_test(test_few_rounds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
