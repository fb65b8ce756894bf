/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "client/panel.h"

/* What the keys ask for. */
enum screen_wish {
        SCREEN_NOTHING,
        SCREEN_REFRESH,
        SCREEN_QUIT,
};

int screen_open(void);
void screen_close(void);

void screen_begin(struct panel *ret_panel);
void screen_end(void);
void screen_fit(void);

enum screen_wish screen_read_keys(void);
