/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A line on standard error for each instance with something wrong, which names the command that helps. */

#include "client/hint.h"

#include <err.h>
#include <string.h>

#include "client/ctl.h"
#include "client/instances.h"
#include "client/snapshot.h"

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

/**
 * hints_print() - print what is wrong with instances, and what helps
 * @instances: the instances
 * @only_silent: only with those that have not answered
 *
 * Return: 0, or CTL_WRONG if there is something, or no instance at all.
 */
int hints_print(const struct instances *instances, bool only_silent)
{
        int status = 0;

        if (instances->n == 0) {
                warnx("no instance is running; to start one: systemctl start tunecho@tun0");
                return CTL_WRONG;
        }

        for (size_t i = 0; i < instances->n; i++) {
                const struct snapshot *snapshot = &instances->snapshots[i];

                if ((only_silent && snapshot->error == 0) || strcmp(snapshot_state(snapshot), "running") == 0)
                        continue;

                print_hint(snapshot);
                status = CTL_WRONG;
        }

        return status;
}
