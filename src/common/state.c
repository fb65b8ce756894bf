/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The names of the states, in the status and in the metrics. */

#include "tunecho/state.h"

#include "common/util.h"

/**
 * state_name() - name a state, as the status has it
 * @state: the state
 */
const char *state_name(enum state state)
{
        static const char *const names[] = {
                [STATE_RUNNING] = "running",
                [STATE_DOWN] = "down",
                [STATE_MOVED] = "moved",
                [STATE_NO_ADDRESS] = "no-address",
                [STATE_NOT_ROUTED] = "not-routed",
                [STATE_RELOAD_REFUSED] = "reload-refused",
        };

        _Static_assert(ARRAY_SIZE(names) == _STATE_MAX, "every state needs a name");
        return names[state];
}
