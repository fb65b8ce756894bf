/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint64_t checksum_add(uint64_t sum, const void *data, size_t size);
uint16_t checksum_finish(uint64_t sum);

uint16_t checksum_update(uint16_t checksum, uint16_t before, uint16_t after);
uint16_t checksum_update_range(uint16_t checksum, const void *before, const void *after, size_t size);
uint16_t checksum_normalize_zero(uint16_t checksum, bool data_is_zero);
