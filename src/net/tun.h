/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <net/if.h>
#include <sys/types.h>

int tun_open(int *ret_fd);
int tun_attach(int fd, const char *name);
int tun_attach_wait(int fd, const char *name, pid_t *ret_holder);
int tun_adopt(int fd);
int tun_name(int fd, char name[static IFNAMSIZ]);
int tun_namespace(int fd, int *ret_fd);
int tun_is_here(int fd);
