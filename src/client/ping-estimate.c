/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * How much of what the counters have counted belongs to the pings. A host counts other traffic, too; so each
 * round has an idle window and a burst of pings, and what an idle window counts is the noise of the burst
 * after it:
 *
 *     sample 0 -- idle -- sample 1 -- burst -- sample 2 -- idle -- sample 3 -- burst -- ...
 */

#include "client/ping-estimate.h"

#include <math.h>

#include "common/util.h"

/* A counter explains a loss if it has this share of it, and so many deviations of the noise. */
#define SHARE_MIN      0.6
#define DEVIATIONS_MIN 5.0

/*
 * Sums of counters, where a sum has far less noise than its parts: what IP of both families has for all
 * interfaces, less what the other interfaces have, is the device's, for which IPv4 has no counters; and other
 * pings through the device are on both sides of it.
 */
static const struct {
        size_t sum, plus[3], minus[2]; /* the first ones have to be known; 0: none */
} sums[] = {
        { PING_OUT_DEVICE, { PING_OUT_TRANSMITS, PING_OUT_TRANSMITS_OTHER }, { PING_OTHER_TX } },
        { PING_IN_DEVICE, { PING_IN_RECEIVES, PING_IN_RECEIVES_OTHER }, { PING_OTHER_RX } },
        { PING_LOST_OUT,
          { PING_OUT_ECHOS, PING_OUT_ECHOS_OTHER, PING_VERDICTS + VERDICT_HOUSEKEEPING },
          { PING_READ } },
        { PING_LOST_IN,
          { PING_VERDICTS + VERDICT_REPLY },
          { PING_IN_ECHO_REPLIES, PING_IN_ECHO_REPLIES_OTHER } },
};

/* A counter of 32 bits begins again, and an instance that restarts does. */
static double count_one(const struct ping_sample *from, const struct ping_sample *to, size_t i)
{
        if (to->values[i] < from->values[i])
                return 0;

        return (double) (to->values[i] - from->values[i]);
}

static double count_sum(const struct ping_sample *from, const struct ping_sample *to, size_t j)
{
        double sum = 0;

        for (size_t i = 0; i < ARRAY_SIZE(sums[j].plus) && (i == 0 || sums[j].plus[i] != 0); i++)
                sum += count_one(from, to, sums[j].plus[i]);
        for (size_t i = 0; i < ARRAY_SIZE(sums[j].minus) && (i == 0 || sums[j].minus[i] != 0); i++)
                sum -= count_one(from, to, sums[j].minus[i]);

        return sum;
}

static double count_between(const struct ping_sample *from, const struct ping_sample *to, size_t i)
{
        for (size_t j = 0; j < ARRAY_SIZE(sums); j++)
                if (i == sums[j].sum && !from->known[i])
                        return count_sum(from, to, j);

        return count_one(from, to, i);
}

/* A host without the other family has no counters of it. */
static bool is_known(const struct ping_sample *sample, size_t i)
{
        for (size_t j = 0; j < ARRAY_SIZE(sums); j++)
                if (i == sums[j].sum && !sample->known[i])
                        return sample->known[sums[j].plus[0]] && sample->known[sums[j].minus[0]];

        return sample->known[i];
}

static double seconds_between(const struct ping_sample *from, const struct ping_sample *to)
{
        return to->usec > from->usec ? (double) (to->usec - from->usec) / 1e6 : 1e-6;
}

/* What an idle window counts, as if it were as long as the burst behind it. */
static double find_noise(const struct ping_sample *round, size_t i)
{
        return count_between(&round[0], &round[1], i) * seconds_between(&round[1], &round[2]) /
               seconds_between(&round[0], &round[1]);
}

static void estimate_one(struct ping_estimate *estimate, const struct ping_sample *samples, size_t n_rounds,
                         size_t i)
{
        double sum = 0, noise = 0, squares = 0, mean, deviation = 0;

        estimate->known[i] = n_rounds > 0;
        for (size_t j = 0; j <= 2 * n_rounds; j++)
                estimate->known[i] = estimate->known[i] && is_known(&samples[j], i);
        if (!estimate->known[i])
                return;

        for (size_t j = 0; j < n_rounds; j++) {
                sum += count_between(&samples[2 * j + 1], &samples[2 * j + 2], i);
                noise += find_noise(&samples[2 * j], i);
        }

        mean = noise / (double) n_rounds;
        for (size_t j = 0; j < n_rounds; j++)
                squares += pow(find_noise(&samples[2 * j], i) - mean, 2);

        estimate->values[i] = sum - noise;
        if (n_rounds > 1)
                deviation = sqrt(squares / (double) (n_rounds - 1) * (double) n_rounds);

        /* Few rounds can be alike by chance: what is counted at random deviates by the root of its number. */
        estimate->deviations[i] = fmax(deviation, sqrt(fabs(noise)));
}

/**
 * ping_estimate() - estimate what the pings have moved
 * @ret_estimate: set to it
 * @samples: the counters, two samples for each round and one at the end
 * @n_rounds: number of rounds
 */
void ping_estimate(struct ping_estimate *ret_estimate, const struct ping_sample *samples, size_t n_rounds)
{
        *ret_estimate = (struct ping_estimate) { .n_rounds = n_rounds };
        for (size_t i = 0; i < _PING_COUNTER_MAX; i++)
                estimate_one(ret_estimate, samples, n_rounds, i);
}

/**
 * ping_estimate_explains() - check whether a counter has counted the packets that were lost
 * @estimate: the estimate
 * @counter: the counter
 * @loss: packets
 */
bool ping_estimate_explains(const struct ping_estimate *estimate, enum ping_counter counter, double loss)
{
        return estimate->known[counter] && loss > 0 && estimate->values[counter] >= SHARE_MIN * loss &&
               estimate->values[counter] > DEVIATIONS_MIN * estimate->deviations[counter];
}
