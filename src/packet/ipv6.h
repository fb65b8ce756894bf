/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "packet/reflect.h"

/* Limit of what is parsed of a packet, as every extension header costs time. */
#define IPV6_EXTENSION_HEADERS_MAX 8

/* The length of an extension header is a multiple of this; that of the Fragment header is equal to it. */
#define IPV6_HEADER_UNIT 8

bool ipv6_is_extension_header(uint8_t type);
enum verdict reflect_ipv6(const struct policy *policy, uint8_t *packet, size_t size,
                          struct reflection *ret_reflection);
