/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

struct history;
struct snapshot;

enum panel_style {
        PANEL_TEXT,
        PANEL_RUNNING,
        PANEL_NOT_RUNNING,
        PANEL_GRAPH,
        PANEL_HEADING,
        PANEL_DROPPED,
};

struct panel {
        int width;    /* in columns */
        bool unicode; /* the terminal shows block elements */
        void (*print)(void *userdata, enum panel_style style, const char *line);
        void *userdata;
        int rows; /* those that are seen */
};

void panel_print_text(const struct panel *panel, const char *text, int max);
int panel_print_sessions(const struct panel *panel, const struct snapshot *snapshot, int max);
void panel_print(const struct panel *panel, const struct history *history);
