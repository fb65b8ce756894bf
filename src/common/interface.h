/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <net/if.h>
#include <stdbool.h>

const char *interface_check_name(const char *name);
bool interface_is_name(const char *name);
