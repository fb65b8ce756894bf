/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "config/config.h"

struct netlink;

bool routing_is_local(struct netlink *netlink, const struct address *address);
const struct address *routing_find_wrong(struct netlink *netlink, unsigned index, const struct config *config);
