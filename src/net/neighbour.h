/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "common/address.h"

struct netlink;

int neighbour_get(struct netlink *netlink, unsigned index, const struct address *address, uint16_t *ret_state);
