/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

int tun_open(int *ret_fd);
int tun_attach(int fd, const char *name);
int tun_adopt(int fd, const char *name);
int tun_is_here(int fd);
