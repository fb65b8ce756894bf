/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What this instance reports of itself: what to ping, and its status. */

#include "daemon/instance.h"

#include <stdio.h>
#include <unistd.h>

#include "common/util.h"
#include "daemon/device.h"
#include "engine/engine.h"
#include "engine/records.h"

static const int families[] = { AF_INET, AF_INET6 };

/**
 * instance_text_to_try() - write what to ping: "ping 198.18.0.2 or ping 2001:2::2"
 * @config: the settings
 * @device: the device
 * @text: set to it, with the addresses that are routed into the device
 *
 * Return: @text.
 */
const char *instance_text_to_try(const struct config *config, struct device *device,
                                 char text[static INSTANCE_TRY_SIZE])
{
        size_t used = 0;

        (void) snprintf(text, INSTANCE_TRY_SIZE, "ping an address that is routed into it");
        for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
                struct address address = config_address_to_try(config, families[i]);
                char address_buffer[PREFIX_TEXT_SIZE];

                if (address.family != AF_UNSPEC && device_is_pinged(device, &address))
                        used += (size_t) snprintf(text + used, INSTANCE_TRY_SIZE - used, "%sping %s",
                                                  used > 0 ? " or " : "",
                                                  address_text(address_buffer, &address));
        }

        return text;
}

/**
 * instance_read_status() - fill in a status
 * @ret_status: set to the status, but for the time since READY=1
 * @config: the settings
 * @device: the device
 * @engine: the data plane
 * @records: what it recorded
 */
void instance_read_status(struct status *ret_status, const struct config *config, struct device *device,
                          const struct engine *engine, struct records *records)
{
        struct session_totals totals;
        size_t n = 0;

        (void) snprintf(ret_status->interface, sizeof(ret_status->interface), "%s", config->interface);
        (void) snprintf(ret_status->version, sizeof(ret_status->version), "%s", TUNECHO_VERSION);
        (void) snprintf(ret_status->state, sizeof(ret_status->state), "%s",
                        state_name(device_find_state(device)));
        (void) snprintf(ret_status->engine, sizeof(ret_status->engine), "%s",
                        engine_type_name(engine_status(engine)->type));
        for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
                struct address address = config_address_to_try(config, families[i]);
                char text[PREFIX_TEXT_SIZE];

                if (address.family != AF_UNSPEC)
                        (void) snprintf(ret_status->ping[n++], sizeof(ret_status->ping[0]), "%s",
                                        address_text(text, &address));
        }

        ret_status->pid = (uint64_t) getpid();
        ret_status->mtu = device_mtu(device);
        ret_status->sessions = records_sessions_count(records);
        records_sessions_totals(records, &totals);
        ret_status->sessions_opened = totals.opened;
        ret_status->sessions_evicted = totals.evicted;
        ret_status->refused = records_refusals(records);
        records_counters(records, &ret_status->counters);
        ret_status->packets = counters_packets(&ret_status->counters);
        ret_status->replies = counters_replies(&ret_status->counters);
        ret_status->dropped = ret_status->packets - ret_status->replies;
}
