/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The Internet checksum: sum (RFC 1071) and update (RFC 1624), for any protocol.
 *
 * Words are read in the byte order of memory. The one's complement sum does not depend on the byte order (RFC
 * 1071 section 2(B)), so a checksum in network byte order is compared, updated and written back without a
 * conversion.
 */

#include "packet/checksum.h"

#include <string.h>

/* Independent partial sums, so that the compiler vectorizes the additions of a block. */
#define LANES 8
#define BLOCK (LANES * sizeof(uint64_t))

static uint16_t fold(uint64_t sum)
{
        sum = (sum & UINT32_MAX) + (sum >> 32);
        sum = (sum & UINT32_MAX) + (sum >> 32);
        sum = (sum & UINT16_MAX) + (sum >> 16);
        return (uint16_t) ((sum & UINT16_MAX) + (sum >> 16));
}

/**
 * checksum_add() - add data to a one's complement sum
 * @sum: the sum so far, 0 at the start
 * @data: the data, of any alignment
 * @size: its size in bytes; only the last part of the data may have an odd size
 *
 * RFC 1071 section 2(C), parallel summation: 32-bit words in a 64-bit sum, which cannot
 * overflow before 2^31 words, many more than an IP packet has. An odd byte at the end
 * is padded with zero.
 *
 * Return: the new sum, for another checksum_add() or for checksum_finish().
 */
uint64_t checksum_add(uint64_t sum, const void *data, size_t size)
{
        const unsigned char *bytes = data;
        uint64_t lanes[LANES] = { 0 };

        for (; size >= BLOCK; bytes += BLOCK, size -= BLOCK) {
                uint64_t words[LANES];

                memcpy(words, bytes, BLOCK);
                for (unsigned i = 0; i < LANES; i++)
                        lanes[i] += (words[i] & UINT32_MAX) + (words[i] >> 32);
        }
        for (unsigned i = 0; i < LANES; i++)
                sum += lanes[i];

        for (; size >= sizeof(uint32_t); bytes += sizeof(uint32_t), size -= sizeof(uint32_t)) {
                uint32_t word;

                memcpy(&word, bytes, sizeof(word));
                sum += word;
        }
        if (size > 0) {
                uint32_t word = 0;

                memcpy(&word, bytes, size);
                sum += word;
        }

        return sum;
}

/**
 * checksum_finish() - fold a sum into a checksum
 * @sum: the sum that checksum_add() returned
 *
 * Return: the one's complement of the folded sum. For data that contains its own checksum
 *         it is 0 if and only if that checksum is correct.
 */
uint16_t checksum_finish(uint64_t sum)
{
        return (uint16_t) ~fold(sum);
}

/**
 * checksum_update() - update a checksum for one word that changed
 * @checksum: the old checksum, correct or not
 * @before: the old word, in the byte order of memory
 * @after: the new word
 *
 * RFC 1624 equation 3. An error in @checksum is preserved. A word that does not change
 * leaves the checksum as it is (erratum 4782): equation 3 would turn 0xffff into 0x0000.
 *
 * Return: the updated checksum; 0x0000 and 0xffff need checksum_normalize_zero().
 */
uint16_t checksum_update(uint16_t checksum, uint16_t before, uint16_t after)
{
        return checksum_update_range(checksum, &before, &after, sizeof(before));
}

/**
 * checksum_update_range() - update a checksum for words that changed
 * @checksum: the old checksum, correct or not
 * @before: the old words, of any alignment
 * @after: the new words, of any alignment
 * @size: the size of each in bytes, a multiple of 2
 *
 * Return: the result of checksum_update() for each word in turn.
 */
uint16_t checksum_update_range(uint16_t checksum, const void *before, const void *after, size_t size)
{
        const unsigned char *old = before, *new = after;
        uint64_t change = 0;

        for (size_t i = 0; i + sizeof(uint16_t) <= size; i += sizeof(uint16_t)) {
                uint16_t from, to;

                memcpy(&from, old + i, sizeof(from));
                memcpy(&to, new + i, sizeof(to));
                change += from == to ? 0 : (uint32_t) (uint16_t) ~from + to;
        }

        return change == 0 ? checksum : checksum_finish((uint16_t) ~checksum + change);
}

/**
 * checksum_normalize_zero() - choose the representation of a zero checksum
 * @checksum: an updated checksum
 * @data_is_zero: whether all the data that it covers is zero
 *
 * One's complement has two zeros, and equation 3 does not always distinguish them. A sum is
 * 0x0000 only if every term of it is 0; so the checksum of data that is all zero is 0xffff,
 * and that of any other data is never 0xffff.
 *
 * Return: @checksum, or if it is 0x0000 or 0xffff, the correct one of the two.
 */
uint16_t checksum_normalize_zero(uint16_t checksum, bool data_is_zero)
{
        if (checksum != 0x0000 && checksum != 0xffff)
                return checksum;

        return data_is_zero ? 0xffff : 0x0000;
}
