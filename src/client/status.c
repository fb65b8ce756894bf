/* SPDX-License-Identifier: GPL-2.0-or-later */

/* tunechoctl status: a table or JSON, and a hint for each instance with something wrong. */

#include <err.h>
#include <string.h>

#include "client/ctl.h"
#include "client/print.h"
#include "client/snapshot.h"
#include "common/util.h"

static void print_hint(const struct snapshot *snapshot)
{
        const char *name = snapshot->status.interface, *state = snapshot_state(snapshot);

        if (snapshot->error == 0)
                warnx("%s: %s; see: journalctl -u tunecho@%s", name, state, name);
        else if (snapshot_is_running(snapshot))
                warnx("%s: %s (%s); see: systemctl status tunecho@%s", name, state,
                      strerror(-snapshot->error), name);
        else
                warnx("%s: %s; to start it: systemctl start tunecho@%s", name, state, name);
}

static int print_hints(const struct instances *instances)
{
        int status = 0;

        if (instances->n == 0) {
                warnx("no instance is running; to start one: systemctl start tunecho@tun0");
                return CTL_WRONG;
        }

        for (size_t i = 0; i < instances->n; i++) {
                if (strcmp(snapshot_state(&instances->snapshots[i]), "running") == 0)
                        continue;

                print_hint(&instances->snapshots[i]);
                status = CTL_WRONG;
        }

        return status;
}

/**
 * ctl_status() - print the state of instances
 * @options: which instances, and in which form
 *
 * Return: 0 if there is at least one, and a ping to each is answered; CTL_WRONG if not; or CTL_FAILED.
 */
int ctl_status(const struct ctl_options *options)
{
        _cleanup_(instances_free) struct instances instances = { 0 };
        int r;

        r = instances_read(&instances, &options->query);
        if (r < 0)
                return ctl_print_error(r, options->query.directory);

        if (options->json)
                r = json_print(&instances, stdout);
        else if (instances.n > 0)
                r = table_print(&instances, stdout);
        if (r < 0)
                return ctl_print_error(r, "cannot print");

        r = ctl_close_output();
        return r > 0 ? r : print_hints(&instances);
}
