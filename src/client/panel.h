/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

#include "client/history.h"

enum panel_style {
        PANEL_PLAIN,
        PANEL_GOOD, /* what runs */
        PANEL_BAD,  /* what does not */
        PANEL_GRAPH,
        PANEL_HEADING,
        PANEL_DROPPED,
};

struct panel {
        int width;    /* in columns */
        bool unicode; /* the terminal shows block elements */
        void (*put)(void *userdata, enum panel_style style, const char *line);
        void *userdata;
};

void panel_print(const struct panel *panel, const struct history *history);
