/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "daemon/filter.h"
#include "daemon/journal.h"
#include "daemon/privileges.h"

struct confinement {
        const char *user; /* of --user=, or NULL */
        const struct journal *journal;
        struct identity identity;
        bool has_identity; /* else the process stays the same user */
        enum filter_mode filter_mode;
        struct filter *process, *data_plane; /* the filters of their system calls */
};

int confinement_init(struct confinement *confinement, const char *user, const struct journal *journal);
void confinement_done(struct confinement *confinement);
const struct identity *confinement_identity(const struct confinement *confinement);
int confinement_drop_privileges(const struct confinement *confinement);
int confinement_fail_filter(const struct confinement *confinement, int error, const char *calls);
int confinement_limit_process(const struct confinement *confinement);
int confinement_limit_data_plane(void *userdata);
