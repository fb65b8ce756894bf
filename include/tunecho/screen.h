/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "tunecho/panel.h"

int screen_open(void);
void screen_close(void);

void screen_begin(struct panel *ret_panel);
void screen_end(void);
void screen_fit(void);

bool screen_key_quits(void);
