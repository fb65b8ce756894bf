/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <systemd/sd-event.h>

struct instances_reader;
struct snapshot;

/* Which instances to ask for what, and how long to wait for each. */
struct instances_query {
        const char *directory; /* has a directory for each instance, with its sockets */
        char *const *names;
        size_t n_names; /* 0: all instances that are running */
        bool sessions;  /* also their sessions */
        unsigned timeout_msec;
};

struct instances {
        struct snapshot *snapshots;
        size_t n;
};

/* Called when all snapshots are complete; may free the reader. Returns what a handler of sd-event does. */
typedef int (*instances_handler_t)(void *userdata, const struct instances *instances);

int instances_reader_new(struct instances_reader **ret_reader, sd_event *event,
                         const struct instances_query *query, instances_handler_t handler, void *userdata);
struct instances_reader *instances_reader_free(struct instances_reader *reader);

int instances_read(struct instances *ret_instances, const struct instances_query *query);
void instances_free(struct instances *instances);
