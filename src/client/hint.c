/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A line on standard error for each instance with something wrong, which names the command that helps. */

#include "client/hint.h"

#include <err.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "client/ctl.h"
#include "client/instances.h"
#include "client/snapshot.h"
#include "client/unit-state.h"

/* What an exit status of the daemon stands for. */
static const char *text_of_status(int status)
{
        switch (status) {
        case EX_USAGE:
                return ": wrong usage";
        case EX_UNAVAILABLE:
                return ": no device is available";
        case EX_NOPERM:
                return ": a privilege is lacking";
        case EX_CONFIG:
                return ": an error in the configuration";
        default:
                return "";
        }
}

static void print_failed(const char *name, const struct unit_state *unit)
{
        char status[64] = "";

        if (strcmp(unit->result, "exit-code") == 0)
                (void) snprintf(status, sizeof(status), " %d%s", unit->status, text_of_status(unit->status));
        warnx("%s: failed (%s%s); see: journalctl -u tunecho@%s", name, unit->result, status, name);
}

/* Of an instance on this host. */
static void print_absent(const char *name, const struct unit_state *unit)
{
        if (strcmp(unit->active, "failed") == 0)
                print_failed(name, unit);
        else if (strcmp(unit->active, "active") == 0)
                warnx("%s: its unit is active, but has no status socket; see: journalctl -u tunecho@%s", name,
                      name);
        else if (unit->active[0] != '\0' && strcmp(unit->active, "inactive") != 0)
                warnx("%s: its unit is %s; see: systemctl status tunecho@%s", name, unit->active, name);
        else if (if_nametoindex(name) == 0)
                warnx("%s: not-running, no such interface; to start it: systemctl start tunecho@%s", name, name);
        else
                warnx("%s: not-running, the interface does not belong to tunecho; see: ip -details link show %s",
                      name, name);
}

static void print_hint(const struct snapshot *snapshot, const struct unit_state *unit)
{
        const char *name = snapshot->status.interface, *state = snapshot_state(snapshot);

        if (snapshot->error == 0)
                warnx("%s: %s; see: journalctl -u tunecho@%s", name, state, name);
        else if (snapshot_is_running(snapshot))
                warnx("%s: %s (%s); see: systemctl status tunecho@%s", name, state,
                      strerror(-snapshot->error), name);
        else if (unit)
                print_absent(name, unit);
        else
                warnx("%s: %s; to start it: systemctl start tunecho@%s", name, state, name);
}

/**
 * hints_print() - print what is wrong with instances, and what helps
 * @instances: the instances
 * @query: how they were found; systemd is asked about those of this host
 * @only_silent: only with those that have not answered
 *
 * Return: 0, or CTL_WRONG if there is something, or no instance at all.
 */
int hints_print(const struct instances *instances, const struct instances_query *query, bool only_silent)
{
        bool is_host = strcmp(query->directory, TUNECHO_RUN_DIR) == 0, has_systemd = true;
        int status = 0;

        if (instances->n == 0) {
                warnx("no instance is running; to start one: systemctl start tunecho@tun0");
                return CTL_WRONG;
        }

        for (size_t i = 0; i < instances->n; i++) {
                const struct snapshot *snapshot = &instances->snapshots[i];
                struct unit_state unit = { 0 };

                if ((only_silent && snapshot->error == 0) || strcmp(snapshot_state(snapshot), "running") == 0)
                        continue;

                /* One that did not answer in time is not asked again. */
                if (is_host && has_systemd && !snapshot_is_running(snapshot))
                        has_systemd = unit_state_read(&unit, snapshot->status.interface) >= 0;
                print_hint(snapshot, is_host ? &unit : NULL);
                status = CTL_WRONG;
        }

        return status;
}
