/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Applies a changed settings file under traffic: all of it, or nothing but the report of its errors. */

#include "daemon/reload.h"

#include "daemon/device.h"
#include "daemon/report.h"
#include "engine/engine.h"

/* How long a reload waits at most for the data plane to use the new policy. */
#define POLICY_TIMEOUT_USEC 10000000

/**
 * reload_apply() - read the settings again and apply them
 * @config: the settings in force; replaced
 * @device: the device, which is configured with them
 * @engine: the data plane, which gets the new policy
 * @report: the report
 * @journal: where to report
 *
 * A change of the engine requires a restart; every other change is applied.
 *
 * Return: whether all settings are those of the file now.
 */
bool reload_apply(struct config *config, struct device *device, struct engine *engine, struct report *report,
                  const struct journal *journal)
{
        struct config before = *config, after;
        struct policy policy;
        bool complete;

        if (config_reload(&after, &before, journal_send_error, (void *) journal) != 0) {
                journal_send(journal, MESSAGE_RELOAD_REFUSED, NULL, 0,
                             "'%s' keeps its settings, as the new ones have errors", before.interface);
                return false;
        }

        complete = after.engine == before.engine;
        if (!complete)
                journal_send(journal, MESSAGE_RELOAD_REFUSED, NULL, 0,
                             "'%s' keeps Type=%s, which only a restart can change",
                             before.interface, engine_type_name(before.engine));
        after.engine = before.engine;

        *config = after;
        if (device_configure(device) != 0) {
                *config = before;
                (void) device_configure(device);
                journal_send(journal, MESSAGE_RELOAD_REFUSED, NULL, 0,
                             "'%s' keeps its settings, as the new ones cannot be applied", before.interface);
                return false;
        }

        config_policy(config, &policy);
        (void) engine_set_policy(engine, &policy, POLICY_TIMEOUT_USEC);
        report_select(report, config->log_packets, config->sessions);
        journal_send(journal, MESSAGE_RELOADED, NULL, 0, "'%s' applied its %snew settings",
                     before.interface, complete ? "" : "other ");
        return complete;
}
