/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* The user to run as without another choice, if the machine has no entry for it. */
#define PRIVILEGES_USER "nobody"
#define PRIVILEGES_ID   65534

/* The user to run as. */
struct identity {
        uid_t uid;
        gid_t gid;
};

int privileges_find_user(const char *name, struct identity *ret_identity);
bool privileges_is_mapped(const struct identity *identity);
int privileges_check_net_admin(void);
int privileges_can_change_user(void);
bool privileges_are_root(void);
bool privileges_have_bounding(void);
int privileges_drop(const struct identity *identity);
int privileges_verify(const struct identity *identity, const char **reterr_what);
