/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* The user to run as. */
struct identity {
        uid_t uid;
        gid_t gid;
};

int privileges_find_user(const char *name, struct identity *ret_identity);
int privileges_check_net_admin(void);
int privileges_drop(const struct identity *identity);
int privileges_verify(const char **reterr_what);
