/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/* What systemd knows about the unit of an instance. */
struct unit_state {
        char active[24]; /* ActiveState= */
        char result[32]; /* Result= of its latest end */
        int32_t status;  /* with which its main process has exited */
};

int unit_state_read(struct unit_state *ret_state, const char *interface);
