/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "packet/reflect.h"

enum verdict reflect_ipv4(const struct policy *policy, uint32_t time_of_day, uint8_t *packet, size_t size,
                          struct reflection *ret_reflection);
