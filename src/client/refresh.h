/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

struct ctl_options;
struct instances;
struct instances_query;
struct panel;

/* How a command shows what was read: on a screen, or as lines on standard output. */
struct refresh_view {
        int (*update)(void *userdata, const struct instances *instances);
        void (*draw)(void *userdata, const struct panel *panel);
        void (*print)(void *userdata);
        void *userdata;
};

int refresh_run(const struct ctl_options *options, const struct instances_query *query,
                const struct refresh_view *view);
