/* SPDX-License-Identifier: GPL-2.0-or-later */

/* tunechoctl status and metrics: one answer of each instance, printed in the form that was asked for. */

#include <err.h>
#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "client/ctl.h"
#include "client/print.h"
#include "client/snapshot.h"
#include "common/util.h"

/**
 * ctl_failed() - tell why a command cannot go on
 * @error: a negative errno
 * @what: what it is about
 *
 * Return: the exit status.
 */
int ctl_failed(int error, const char *what)
{
        errno = -error;
        warn("%s", what);
        return error == -EACCES || error == -EPERM ? EX_NOPERM : EX_OSERR;
}

/**
 * ctl_close_output() - see to it that all was written
 *
 * Return: 0 or the exit status.
 */
int ctl_close_output(void)
{
        if (fflush(stdout) == 0 && !ferror(stdout))
                return 0;

        warnx("the output cannot be written");
        return EX_IOERR;
}

/* Say what to do about an instance that has not answered. */
static void explain(const struct snapshot *snapshot)
{
        const char *name = snapshot->status.interface, *state = snapshot_state(snapshot);

        if (snapshot_is_running(snapshot))
                warnx("%s: %s (%s); see: systemctl status tunecho@%s", name, state,
                      strerror(-snapshot->error), name);
        else
                warnx("%s: %s; to start it: systemctl start tunecho@%s", name, state, name);
}

static int explain_all(const struct instances *instances)
{
        int status = 0;

        if (instances->n == 0) {
                warnx("no instance is running; to start one: systemctl start tunecho@tun0");
                return CTL_NOT_RUNNING;
        }

        for (size_t i = 0; i < instances->n; i++) {
                if (instances->snapshots[i].error == 0)
                        continue;

                explain(&instances->snapshots[i]);
                status = CTL_NOT_RUNNING;
        }

        return status;
}

/**
 * ctl_status() - tell the state of instances
 * @options: which, and in which form
 *
 * Return: 0 if there is at least one, and all answer; CTL_NOT_RUNNING if not; or an exit status of
 *         sysexits(3).
 */
int ctl_status(const struct ctl_options *options)
{
        _cleanup_(instances_free) struct instances instances = { 0 };
        int r;

        r = instances_read(&instances, &options->query);
        if (r < 0)
                return ctl_failed(r, options->query.directory);

        r = 0;
        if (options->json)
                r = json_print(&instances, stdout);
        else if (instances.n > 0)
                r = table_print(&instances, stdout);
        if (r < 0)
                return ctl_failed(r, "cannot print");

        r = ctl_close_output();
        return r > 0 ? r : explain_all(&instances);
}

/**
 * ctl_metrics() - print the counters of instances for Prometheus
 * @options: which, and in which form
 *
 * Return: 0, whether there are any or not, or an exit status of sysexits(3).
 */
int ctl_metrics(const struct ctl_options *options)
{
        _cleanup_(instances_free) struct instances instances = { 0 };
        int r;

        r = instances_read(&instances, &options->query);
        if (r < 0)
                return ctl_failed(r, options->query.directory);

        metrics_print(&instances, options->openmetrics, stdout);
        return ctl_close_output();
}
