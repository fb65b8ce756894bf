/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A device for the tests of the engine: packets that the test sends are read from the other socket. */

#include <stdbool.h>
#include <stdint.h>

#include "engine/records.h"
#include "packets.h"

struct pair {
        int ours, its; /* ours does not wait, its does, as a device */
        struct records *records;
};

struct pair pair_new(int type);
void pair_free(struct pair *pair);

void pair_send(const struct pair *pair, const struct packet *packet);
void pair_send_numbered(const struct pair *pair, unsigned first, unsigned n);
struct packet pair_numbered(unsigned n);

bool pair_wait(const struct pair *pair);
void assert_reply(const struct pair *pair, const struct packet *request, int policy);
void assert_replies(const struct pair *pair, unsigned first, unsigned n);
void assert_silence(const struct pair *pair);
uint64_t count_replies(const struct pair *pair);

uint64_t count_verdict(const struct pair *pair, enum verdict verdict);
uint64_t count_unsent(const struct pair *pair);
uint64_t count_records(const struct pair *pair);
