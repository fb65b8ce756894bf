/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The state of an instance: what a ping would find. */
enum state {
        STATE_RUNNING,
        STATE_DOWN,
        STATE_MOVED,          /* to another network namespace */
        STATE_NO_ADDRESS,     /* one of the settings is missing */
        STATE_NOT_ROUTED,     /* an address to ping is not routed into the device */
        STATE_RELOAD_REFUSED, /* pings are answered, with the settings from before the last reload */
        _STATE_MAX,
};

const char *state_name(enum state state);
