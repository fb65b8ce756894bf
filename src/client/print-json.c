/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The instances as JSON: an array of objects, whose keys are those of the status protocol. */

#include "client/print.h"

#include <errno.h>
#include <json-c/json.h>

#include "client/instances.h"
#include "client/snapshot.h"
#include "common/util.h"

static void json_putp(struct json_object **object)
{
        (void) json_object_put(*object);
}

/* Add a value to an object, or to the end of an array, which has no keys; frees the value on failure. Both
 * may be NULL, if memory was short, so a caller only needs to check the result. */
static bool add(struct json_object *to, const char *key, struct json_object *value)
{
        _cleanup_(json_putp) struct json_object *added = value;

        if (!to || !added)
                return false;
        if ((key ? json_object_object_add(to, key, added) : json_object_array_add(to, added)) < 0)
                return false;

        added = NULL;
        return true;
}

static bool add_text(struct json_object *to, const char *key, const char *text)
{
        return add(to, key, json_object_new_string(text ? text : ""));
}

static bool add_key(struct json_object *object, const struct status *status, const struct protocol_key *key)
{
        struct json_object *texts;
        const char *text;
        bool added;

        if (key->size == 0)
                return add(object, key->json,
                           json_object_new_uint64(protocol_get_number(status, key->offset)));
        if (key->max == 1)
                return add_text(object, key->json, protocol_get_text(status, key, 0));

        texts = json_object_new_array();
        added = add(object, key->json, texts);
        for (size_t i = 0; added && (text = protocol_get_text(status, key, i)); i++)
                added = add_text(texts, NULL, text);

        return added;
}

static bool add_status(struct json_object *object, const struct status *status)
{
        struct json_object *verdicts = json_object_new_object();
        bool added = true;

        for (const struct protocol_key *key = status_keys; added && key->name; key++)
                added = add_key(object, status, key);

        added = add(object, "verdicts", verdicts) && added;
        for (enum verdict v = 0; added && v < _VERDICT_MAX; v++)
                added = add(verdicts, verdict_name(v),
                            json_object_new_uint64(status->counters.verdicts[v]));

        return added;
}

static bool add_instance(struct json_object *array, const struct snapshot *snapshot)
{
        struct json_object *object = json_object_new_object();

        if (!add(array, NULL, object))
                return false;
        if (snapshot->error == 0)
                return add_status(object, &snapshot->status);

        return add_text(object, "interface", snapshot->status.interface) &&
               add_text(object, "state", snapshot_state(snapshot));
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
        _cleanup_(json_putp) struct json_object *array = json_object_new_array();
        const char *text;

        for (size_t i = 0; i < instances->n; i++)
                if (!add_instance(array, &instances->snapshots[i]))
                        return -ENOMEM;

        text = json_object_to_json_string_ext(array,
                                              JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
        if (!array || !text)
                return -ENOMEM;

        fprintf(file, "%s\n", text);
        return 0;
}
