/* SPDX-License-Identifier: GPL-2.0-or-later */

/* tunechoctl status: a table or JSON, and a hint for each instance with something wrong. */

#include "client/ctl.h"
#include "client/hint.h"
#include "client/print.h"
#include "common/util.h"

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
        return r > 0 ? r : hints_print(&instances, &options->query, false);
}
