/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

int tun_find_holder(const char *name, pid_t *ret_pid);
