/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <sys/types.h>

/* TASK_COMM_LEN of the kernel, proc_pid_comm(5). */
#define TUN_HOLDER_NAME_SIZE 16

int tun_find_holder(const char *name, pid_t *ret_pid);
int tun_holder_name(pid_t pid, char name[static TUN_HOLDER_NAME_SIZE]);
