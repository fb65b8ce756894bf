/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

struct panel;

/* What a key stands for. */
enum screen_command {
        SCREEN_NONE,
        SCREEN_REFRESH,
        SCREEN_QUIT,
};

int screen_open(void);
void screen_close(void);

void screen_begin(struct panel *ret_panel);
void screen_end(void);
void screen_resize(void);

enum screen_command screen_read_keys(void);
