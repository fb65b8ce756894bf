/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

struct netlink;

int netlink_open(struct netlink **ret_netlink);
struct netlink *netlink_close(struct netlink *netlink);
void netlink_closep(struct netlink **netlink);
