/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Asks systemd for the state of a unit, over D-Bus. Without systemd or a bus there is an error soon. */

#include "client/unit-state.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "common/util.h"

#define TIMEOUT_USEC 500000

struct query {
        struct unit_state *state;
        bool is_complete;
        int result;
};

static void freep(char **text)
{
        free(*text);
}

static int read_text(sd_bus_message *reply, char *text, size_t size)
{
        const char *value;
        int r = sd_bus_message_read(reply, "v", "s", &value);

        if (r >= 0)
                (void) snprintf(text, size, "%s", value);
        return r;
}

static int read_property(sd_bus_message *reply, const char *name, struct unit_state *state)
{
        if (strcmp(name, "ActiveState") == 0)
                return read_text(reply, state->active, sizeof(state->active));
        if (strcmp(name, "Result") == 0)
                return read_text(reply, state->result, sizeof(state->result));
        if (strcmp(name, "ExecMainStatus") == 0)
                return sd_bus_message_read(reply, "v", "i", &state->status);

        return sd_bus_message_skip(reply, "v");
}

static int read_properties(sd_bus_message *reply, struct unit_state *state)
{
        const char *name;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = sd_bus_message_read(reply, "s", &name);
                if (r >= 0)
                        r = read_property(reply, name, state);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }

        return r < 0 ? r : 0;
}

static int on_reply(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
        struct query *query = userdata;

        (void) error;

        query->is_complete = true;
        query->result = sd_bus_message_is_method_error(reply, NULL) ? -sd_bus_message_get_errno(reply)
                                                                    : read_properties(reply, query->state);
        return 0;
}

/* Not sd_bus_call(3), whose timeout does not cover a bus that never answers the authentication. */
static int wait_for_reply(sd_bus *bus, const struct query *query)
{
        uint64_t deadline = monotonic_usec() + TIMEOUT_USEC;

        while (!query->is_complete) {
                uint64_t now = monotonic_usec();
                int r = sd_bus_process(bus, NULL);

                if (r == 0 && now >= deadline)
                        return -ETIMEDOUT;
                if (r == 0)
                        r = sd_bus_wait(bus, deadline - now);
                if (r < 0)
                        return r;
        }

        return query->result;
}

/* Does not flush, which could wait. */
static void bus_closep(sd_bus **bus)
{
        (void) sd_bus_close_unref(*bus);
}

/**
 * unit_state_read() - ask systemd for the state of the unit of an instance
 * @ret_state: set to it
 * @interface: the name of the instance
 *
 * Return: 0, -ETIMEDOUT after half a second, or another negative errno, as -ENOENT without a bus.
 */
int unit_state_read(struct unit_state *ret_state, const char *interface)
{
        _cleanup_(bus_closep) sd_bus *bus = NULL;
        _cleanup_(freep) char *path = NULL;
        struct query query = { .state = ret_state };
        char unit[64];
        int r;

        *ret_state = (struct unit_state) { 0 };
        (void) snprintf(unit, sizeof(unit), "tunecho@%s.service", interface);
        r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, &path);
        if (r < 0)
                return r;

        r = sd_bus_open_system(&bus);
        if (r < 0)
                return r;

        r = sd_bus_call_method_async(bus, NULL, "org.freedesktop.systemd1", path,
                                     "org.freedesktop.DBus.Properties", "GetAll", on_reply, &query, "s", "");
        return r < 0 ? r : wait_for_reply(bus, &query);
}
