/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "packet/policy.h"

/* Flags; hop limit; length of the Destination= prefixes; zero words of the IPv6 peer, and alignment. */
#define REFLECT_CONTROL_SIZE 4

uint8_t *reflect_input_parse(const uint8_t *data, size_t size, struct policy *ret_policy, size_t *ret_size);
