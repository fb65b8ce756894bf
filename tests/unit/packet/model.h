/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "packet/policy.h"
#include "packet/reflect.h"

uint16_t slow_sum(uint16_t sum, const uint8_t *data, size_t size);

uint16_t get16(const uint8_t *bytes);
void put16(uint8_t *bytes, uint16_t value);

uint16_t icmp_sum(const uint8_t *packet, const uint8_t *icmp, size_t size);
void repair(uint8_t *packet, size_t size);

enum verdict model_reflect(const struct policy *policy, uint32_t time_of_day, uint8_t *packet, size_t size,
                           struct reflection *ret_reflection);
const char *model_compare(const struct policy *policy, uint32_t time_of_day, const uint8_t *packet, size_t size,
                          size_t margin, enum verdict *ret_verdict);
