/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Prints the tables of the libraries as JSON, for tests that compare documents or programs with them. */

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>

#include "client/snapshot.h"
#include "common/util.h"
#include "daemon/journal.h"
#include "tunecho/sessions.h"
#include "tunecho/status.h"
#include "tunecho/verdict.h"

static struct json_object *text_or_null(const char *text)
{
        return text ? json_object_new_string(text) : NULL;
}

/* The verdicts by their names: field, identifier of the entries, whether there is a reply, whether no entry. */
static struct json_object *verdicts(void)
{
        struct json_object *all = json_object_new_object();

        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                struct json_object *verdict = json_object_new_object();

                json_object_object_add(verdict, "field", text_or_null(verdict_field(v)));
                json_object_object_add(verdict, "id", text_or_null(verdict_message_id(v)));
                json_object_object_add(verdict, "reply", json_object_new_boolean(verdict_is_reply(v)));
                json_object_object_add(verdict, "silent", json_object_new_boolean(verdict_is_silent(v)));
                json_object_object_add(all, verdict_name(v), verdict);
        }

        return all;
}

/* The keys of a table of the protocol, with their names in JSON. */
static struct json_object *names_of(const struct protocol_key *keys)
{
        struct json_object *all = json_object_new_object();

        for (const struct protocol_key *key = keys; key->name; key++)
                json_object_object_add(all, key->name, text_or_null(key->json));

        return all;
}

static struct json_object *keys(void)
{
        struct json_object *all = json_object_new_object();

        json_object_object_add(all, "status", names_of(status_keys));
        json_object_object_add(all, "sessions", names_of(sessions_keys));
        json_object_object_add(all, "session", names_of(session_row_keys));
        return all;
}

static struct json_object *message_ids(void)
{
        struct json_object *all = json_object_new_array();

        for (int message = 0; message < _MESSAGE_MAX; message++)
                json_object_array_add(all, json_object_new_string(message_id((enum message) message)));

        return all;
}

/* Those that the client finds, beside what an instance reports. */
static struct json_object *states(void)
{
        static const int errors[] = { ENOENT, ETIMEDOUT, EACCES, EBADMSG, EIO };
        struct json_object *all = json_object_new_array();

        for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
                struct snapshot snapshot = { .error = -errors[i] };

                json_object_array_add(all, json_object_new_string(snapshot_state(&snapshot)));
        }

        return all;
}

int main(void)
{
        struct json_object *tables = json_object_new_object();

        json_object_object_add(tables, "verdicts", verdicts());
        json_object_object_add(tables, "keys", keys());
        json_object_object_add(tables, "message_ids", message_ids());
        json_object_object_add(tables, "states", states());
        json_object_object_add(tables, "status_text_max", json_object_new_int(STATUS_TEXT_MAX));
        puts(json_object_to_json_string_ext(tables, JSON_C_TO_STRING_PRETTY));
        json_object_put(tables);
        return 0;
}
