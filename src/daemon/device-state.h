/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/route.h"
#include "config/config.h"
#include "daemon/journal.h"
#include "tunecho/state.h"

struct link_info;
struct netlink;

/* An address that is not routed into the device, and where it is. */
struct device_unrouted {
        struct address address;
        struct route route;
};

struct device_condition {
        enum state state;
        struct address missing; /* the first address that is */
        size_t n_missing;
        bool ipv6_off;                      /* it is missing as IPv6 is switched off */
        struct device_unrouted unrouted[2]; /* one for each family */
        size_t n_unrouted;
};

#define DEVICE_NOTICE_SIZE 128 /* bytes */

bool device_condition_equal(const struct device_condition *a, const struct device_condition *b);
void device_condition_find(struct device_condition *ret_condition, struct netlink *netlink,
                           const struct config *config, const struct link_info *link, bool here);
void device_condition_report(const struct device_condition *condition, const struct device_condition *before,
                             const struct link_info *link, struct netlink *netlink,
                             const struct journal *journal);
const char *device_condition_notice(const struct device_condition *condition,
                                    char text[static DEVICE_NOTICE_SIZE]);
