/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The instances as JSON: an array of objects, whose keys are those in the tables of the protocol. */

#include "client/print.h"

#include <errno.h>
#include <string.h>

#include "client/instances.h"
#include "client/json.h"
#include "client/print-sessions.h"
#include "client/snapshot.h"
#include "common/util.h"
#include "tunecho/sessions.h"

static bool add_number(struct json_object *object, const struct protocol_key *key, uint64_t number)
{
        if (key->may_be_none && number == PROTOCOL_NONE)
                return true;

        return json_add(object, key->json, json_object_new_uint64(number));
}

static bool add_key(struct json_object *object, const void *values, const struct protocol_key *key)
{
        struct json_object *texts;
        const char *text = key->size > 0 ? protocol_get_text(values, key, 0) : NULL;
        bool added;

        if (key->size == 0)
                return add_number(object, key, protocol_get_number(values, key->offset));
        if (key->max == 1)
                return key->is_optional && !text ? true : json_add_text(object, key->json, text);

        texts = json_object_new_array();
        added = json_add(object, key->json, texts);
        for (size_t i = 0; added && (text = protocol_get_text(values, key, i)); i++)
                added = json_add_text(texts, NULL, text);

        return added;
}

static bool add_keys(struct json_object *object, const void *values, const struct protocol_key *keys)
{
        bool added = true;

        for (const struct protocol_key *key = keys; added && key->name; key++)
                added = add_key(object, values, key);

        return added;
}

static bool add_status(struct json_object *object, const struct status *status)
{
        struct json_object *verdicts = json_object_new_object();
        bool added = add_keys(object, status, status_keys);

        added = json_add(object, "verdicts", verdicts) && added;
        for (enum verdict v = 0; added && v < _VERDICT_MAX; v++)
                added = json_add(verdicts, verdict_name(v),
                            json_object_new_uint64(status->counters.verdicts[v]));

        return added;
}

static bool add_name(struct json_object *object, const struct snapshot *snapshot)
{
        return json_add_text(object, "interface", snapshot->status.interface) &&
               json_add_text(object, "state", snapshot_state(snapshot));
}

static bool add_instance(struct json_object *object, const struct snapshot *snapshot)
{
        return snapshot->error == 0 ? add_status(object, &snapshot->status) : add_name(object, snapshot);
}

static bool add_switch(struct json_object *object, const char *key, const char *value)
{
        return json_add(object, key, json_object_new_boolean(strcmp(value, "yes") == 0));
}

static bool add_sessions(struct json_object *object, const struct snapshot *snapshot)
{
        const struct sessions *sessions = snapshot->sessions;
        struct json_object *rows;
        bool added = add_name(object, snapshot);

        if (!added || !sessions)
                return added;

        rows = json_object_new_array();
        added = add_switch(object, "recording", sessions->recording) &&
                add_switch(object, "addresses", sessions->addresses) &&
                json_add(object, "open", json_object_new_uint64(sessions->open));
        added = json_add(object, "sessions", rows) && added;
        for (size_t i = 0; added && i < sessions->n; i++) {
                struct json_object *row = json_object_new_object();

                added = json_add(rows, NULL, row) && add_keys(row, &sessions->rows[i], session_row_keys);
        }

        return added;
}

/* Prints an array with an object for each instance. */
static int print(const struct instances *instances, FILE *file,
                 bool (*add_members)(struct json_object *object, const struct snapshot *snapshot))
{
        _cleanup_(json_putp) struct json_object *array = json_object_new_array();

        for (size_t i = 0; i < instances->n; i++) {
                struct json_object *object = json_object_new_object();

                if (!json_add(array, NULL, object) || !add_members(object, &instances->snapshots[i]))
                        return -ENOMEM;
        }

        return json_write(array, file);
}

/**
 * json_print() - print instances as JSON
 * @instances: the instances
 * @file: where to
 *
 * Return: 0 or -ENOMEM.
 */
int json_print(const struct instances *instances, FILE *file)
{
        return print(instances, file, add_instance);
}

/**
 * sessions_print_json() - print the sessions of instances as JSON
 * @instances: the instances
 * @file: where to
 *
 * Return: 0 or -ENOMEM.
 */
int sessions_print_json(const struct instances *instances, FILE *file)
{
        return print(instances, file, add_sessions);
}
