/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/config.h"

const struct config_address *subnet_of_peer(const struct config *config, const struct address *peer);
const struct config_address *point_to_point_address(const struct config *config, int family);
struct in_addr subnet_broadcast(const struct config_address *address);
