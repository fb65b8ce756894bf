/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The instances as JSON: an array of objects. */

#include "client/print.h"

#include <errno.h>
#include <json-c/json.h>
#include <stddef.h>

#include "common/util.h"

/* What an instance that does not answer has not. */
static const struct {
        const char *key;
        size_t offset; /* within struct snapshot */
} texts[] = {
        { "version", offsetof(struct snapshot, version) },
        { "engine", offsetof(struct snapshot, engine) },
},
  numbers[] = {
          { "pid", offsetof(struct snapshot, pid) },
          { "mtu", offsetof(struct snapshot, mtu) },
          { "uptime_usec", offsetof(struct snapshot, uptime_usec) },
          { "sessions", offsetof(struct snapshot, sessions) },
          { "packets", offsetof(struct snapshot, packets) },
          { "replies", offsetof(struct snapshot, replies) },
          { "dropped", offsetof(struct snapshot, dropped) },
          { "unsent", offsetof(struct snapshot, counters.unsent) },
  };

static void put_jsonp(struct json_object **object)
{
        (void) json_object_put(*object);
}

/* Hand a value over to an object, or to the end of an array, which has no keys. Without memory, either is
 * NULL; that is told by the result, so that nobody else needs to look. */
static bool give(struct json_object *to, const char *key, struct json_object *value)
{
        _cleanup_(put_jsonp) struct json_object *given = value;

        if (!to || !given)
                return false;
        if ((key ? json_object_object_add(to, key, given) : json_object_array_add(to, given)) < 0)
                return false;

        given = NULL;
        return true;
}

static bool give_peers(struct json_object *object, const struct snapshot *snapshot)
{
        struct json_object *peers = json_object_new_array();
        bool given = give(object, "ping", peers);

        for (size_t i = 0; given && i < SNAPSHOT_MAX_PEERS && snapshot->peers[i][0] != '\0'; i++)
                given = give(peers, NULL, json_object_new_string(snapshot->peers[i]));

        return given;
}

static bool give_verdicts(struct json_object *object, const struct snapshot *snapshot)
{
        struct json_object *verdicts = json_object_new_object();
        bool given = give(object, "verdicts", verdicts);

        for (enum verdict v = 0; given && v < _VERDICT_MAX; v++)
                given = give(verdicts, verdict_name(v),
                             json_object_new_uint64(snapshot->counters.verdicts[v]));

        return given;
}

static bool give_answer(struct json_object *object, const struct snapshot *snapshot)
{
        bool given = give_peers(object, snapshot);

        for (size_t i = 0; given && i < ARRAY_SIZE(texts); i++)
                given = give(object, texts[i].key,
                             json_object_new_string((const char *) snapshot + texts[i].offset));
        for (size_t i = 0; given && i < ARRAY_SIZE(numbers); i++)
                given = give(object, numbers[i].key,
                             json_object_new_uint64(snapshot_number(snapshot, numbers[i].offset)));

        return given && give_verdicts(object, snapshot);
}

static bool give_instance(struct json_object *array, const struct snapshot *snapshot)
{
        struct json_object *object = json_object_new_object();

        return give(array, NULL, object) &&
               give(object, "interface", json_object_new_string(snapshot->interface)) &&
               give(object, "state", json_object_new_string(snapshot_state(snapshot))) &&
               (snapshot->error < 0 || give_answer(object, snapshot));
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
        _cleanup_(put_jsonp) struct json_object *array = json_object_new_array();
        const char *text;

        for (size_t i = 0; i < instances->n; i++)
                if (!give_instance(array, &instances->snapshots[i]))
                        return -ENOMEM;

        text = json_object_to_json_string_ext(array,
                                              JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
        if (!array || !text)
                return -ENOMEM;

        fprintf(file, "%s\n", text);
        return 0;
}
