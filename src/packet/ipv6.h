/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "packet/reflect.h"

enum verdict reflect_ipv6(const struct policy *policy, uint8_t *packet, size_t size,
                          struct reflection *ret_reflection);
