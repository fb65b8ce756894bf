/* SPDX-License-Identifier: GPL-2.0-or-later */

/* tunechoctl sessions: the pings that are running, as a table, as JSON, or refreshed on a screen. */

#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl.h"
#include "client/hint.h"
#include "client/panel.h"
#include "client/print-sessions.h"
#include "client/refresh.h"
#include "client/snapshot.h"
#include "common/util.h"
#include "tunecho/sessions.h"

static const char addresses_hint[] = "addresses are shown to root and the groups adm and systemd-journal";

/* Returns the exit status. */
static int print_hint(const struct snapshot *snapshot)
{
        const struct sessions *sessions = snapshot->sessions;
        const char *name = snapshot->status.interface;

        if (!sessions && snapshot->error == 0) {
                warnx("%s: no answer about sessions (%s); see: systemctl status tunecho@%s", name,
                      strerror(-snapshot->sessions_error), name);
                return CTL_WRONG;
        }

        if (sessions && strcmp(sessions->recording, "no") == 0)
                warnx("%s: no sessions are recorded, as its settings have Sessions=no", name);
        if (sessions && sessions->n < sessions->open)
                warnx("%s: %zu of %llu sessions are shown, as net.core.wmem_max limits the answer", name,
                      sessions->n, (unsigned long long) sessions->open);
        return 0;
}

static int print_hints(const struct instances *instances, const struct instances_query *query)
{
        int status = 0;

        for (size_t i = 0; i < instances->n; i++)
                if (print_hint(&instances->snapshots[i]) != 0)
                        status = CTL_WRONG;
        if (!sessions_show_addresses(instances))
                warnx("%s", addresses_hint);

        return hints_print(instances, query, true) != 0 ? CTL_WRONG : status;
}

static int print_table(const struct instances *instances)
{
        char *text;
        int r;

        r = sessions_format(&text, instances);
        if (r < 0)
                return r;

        fputs(text, stdout);
        free(text);
        return 0;
}

static int print_once(const struct ctl_options *options, const struct instances_query *query)
{
        _cleanup_(instances_free) struct instances instances = { 0 };
        int r;

        r = instances_read(&instances, query);
        if (r < 0)
                return ctl_print_error(r, query->directory);

        r = options->json ? sessions_print_json(&instances, stdout) : print_table(&instances);
        if (r < 0)
                return ctl_print_error(r, "cannot print");

        r = ctl_close_output();
        return r > 0 ? r : print_hints(&instances, query);
}

static int update(void *userdata, const struct instances *instances)
{
        const struct instances **shown = userdata;

        *shown = instances;
        return 0;
}

static void draw_states(const struct panel *panel, const struct instances *instances)
{
        char line[128];

        for (size_t i = 0; i < instances->n; i++) {
                const struct snapshot *snapshot = &instances->snapshots[i];

                if (snapshot->sessions)
                        continue;

                (void) snprintf(line, sizeof(line), "%s: %s, waiting", snapshot->status.interface,
                                snapshot_state(snapshot));
                panel->print(panel->userdata, PANEL_NOT_RUNNING, line);
        }
        if (instances->n == 0)
                panel->print(panel->userdata, PANEL_NOT_RUNNING, "no instance is running, waiting");
}

static void draw(void *userdata, const struct panel *panel)
{
        const struct instances *instances = *(const struct instances **) userdata;
        char *text;

        if (!instances)
                return;

        draw_states(panel, instances);
        if (sessions_format(&text, instances) < 0)
                return;

        if (text[0] == '\0' && instances->n > 0)
                panel->print(panel->userdata, PANEL_TEXT, "no ping is running");
        panel_print_text(panel, text, INT_MAX);
        free(text);
}

static void print_refreshed(void *userdata)
{
        (void) print_table(*(const struct instances **) userdata);
        putchar('\n');
}

/**
 * ctl_sessions() - print the open ping sessions of instances
 * @options: which instances, in which form, and whether to refresh
 *
 * Return: 0 if there is at least one instance, and each has answered; CTL_WRONG if not; or CTL_FAILED.
 */
int ctl_sessions(const struct ctl_options *options)
{
        struct instances_query query = options->query;
        const struct instances *shown = NULL;
        const struct refresh_view view = { update, draw, print_refreshed, (void *) &shown };
        int r;

        query.sessions = true;
        if (!options->watch)
                return print_once(options, &query);

        r = refresh_run(options, &query, &view);
        return r < 0 ? ctl_print_error(r, query.directory) : ctl_close_output();
}
