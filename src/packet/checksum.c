/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The Internet checksum: sum (RFC 1071) and update (RFC 1624). Knows no protocol.
 *
 * Words are taken as they lie in memory. The one's complement sum does not depend on the byte order (RFC 1071
 * section 2(B)), so nothing here is swapped: a checksum that is read from a packet can be compared, updated
 * and written back as it is.
 */

#include "packet/checksum.h"

#include <string.h>

/* Sums side by side: the additions of one block do not wait for each other, and make whole vectors. */
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
 * @sum: what was summed so far, 0 to begin with
 * @data: the data, of any alignment
 * @size: its size in bytes; only the last part of a sum may have an odd one
 *
 * RFC 1071 section 2(C), parallel summation: 32-bit words in a 64-bit sum, whose carries
 * cannot get lost before 2^31 words, many more than an IP packet has. An odd byte at the end
 * is padded with zero.
 *
 * Return: the sum, to be added to or to be finished with checksum_finish().
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
 * checksum_finish() - make a checksum of a sum
 * @sum: what checksum_add() returned
 *
 * Return: the one's complement of the folded sum. Over data that contains its own checksum
 *         it is 0 exactly if that checksum is right.
 */
uint16_t checksum_finish(uint64_t sum)
{
        return (uint16_t) ~fold(sum);
}

/**
 * checksum_update() - update a checksum for one word that changed
 * @checksum: the checksum so far, right or wrong
 * @before: the word as it was, as it lies in memory
 * @after: the word as it is now
 *
 * RFC 1624 equation 3. The error that @checksum had, if any, stays in it. A word that was
 * rewritten with the value it had is no update (erratum 4782): equation 3 would turn 0xffff
 * into 0x0000.
 *
 * Return: the updated checksum. Where it is one of the two zeros, checksum_settle_zero() knows which.
 */
uint16_t checksum_update(uint16_t checksum, uint16_t before, uint16_t after)
{
        return checksum_update_range(checksum, &before, &after, sizeof(before));
}

/**
 * checksum_update_range() - update a checksum for words that changed
 * @checksum: the checksum so far
 * @before: the words as they were, of any alignment
 * @after: the words as they are now
 * @size: the size of each in bytes, a multiple of 2
 *
 * Return: as checksum_update() for one word after the other.
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
 * checksum_settle_zero() - pick the right one of the two zeros
 * @checksum: an updated checksum
 * @data_is_zero: whether all that it covers is zero
 *
 * One's complement has two zeros, and equation 3 cannot always tell them apart. A sum is
 * 0x0000 only where every term of it is, else it is 0xffff; so the checksum of data that is
 * all zero is 0xffff, and that of any other data is never 0xffff.
 *
 * Return: @checksum, or where it is 0x0000 or 0xffff, the one of the two that is right.
 */
uint16_t checksum_settle_zero(uint16_t checksum, bool data_is_zero)
{
        if (checksum != 0x0000 && checksum != 0xffff)
                return checksum;

        return data_is_zero ? 0xffff : 0x0000;
}
