/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "tunecho/config.h"

struct link;

/* What happened to an interface. */
struct link_change {
        bool came_up; /* it was down in between */
        bool left;    /* it is in this network namespace no more */
        unsigned mtu; /* the one it has now, or 0 if nothing happened to it */
};

int link_new(struct link **ret_link, const char *name, unsigned *ret_mtu);
struct link *link_free(struct link *link);
void link_freep(struct link **link);

int link_set_limits(struct link *link, unsigned mtu, unsigned queue_length);
int link_has_ipv6(struct link *link);
int link_set_addresses(struct link *link, const struct config *config);
int link_set_up(struct link *link);
int link_wait_routed(struct link *link, const struct config *config, unsigned patience,
                     const struct address **reterr_address);

int link_watch(struct link *link, int *ret_fd);
struct link_change link_changes(struct link *link);
