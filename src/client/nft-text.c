/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The text of a rule from its expressions in JSON, close to what nft prints: enough to recognize the rule.
 * An expression that has no row here is written as its key. Characters that a terminal might obey, which names
 * can have, are replaced.
 */

#include "client/nft-rule.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"

/* Values are nested; what is deeper than any that nft prints is cut off. */
#define DEPTH_MAX 12

struct writer {
        char *text;
        size_t size, used;
        unsigned depth;
};

static void write_value(struct writer *writer, struct json_object *value);

static void write_text(struct writer *writer, const char *text)
{
        for (; *text != '\0' && writer->used < writer->size - 1; text++)
                writer->text[writer->used++] = *text >= ' ' && *text <= '~' ? *text : '?';

        writer->text[writer->used] = '\0';
}

static void write_separator(struct writer *writer)
{
        if (writer->used > 0 && writer->text[writer->used - 1] != ' ')
                write_text(writer, " ");
}

static void write_member(struct writer *writer, struct json_object *object, const char *key)
{
        struct json_object *value = nft_get(object, key);

        if (!value)
                return;

        write_separator(writer);
        write_value(writer, value);
}

static void write_list(struct writer *writer, struct json_object *array, const char *separator)
{
        for (size_t i = 0; i < json_object_array_length(array); i++) {
                if (i > 0)
                        write_text(writer, separator);
                write_value(writer, json_object_array_get_idx(array, i));
        }
}

static void write_set(struct writer *writer, struct json_object *set)
{
        if (!json_object_is_type(set, json_type_array)) {
                write_value(writer, set);
                return;
        }

        write_text(writer, "{ ");
        for (size_t i = 0; i < json_object_array_length(set); i++) {
                struct json_object *element = json_object_array_get_idx(set, i);

                if (i > 0)
                        write_text(writer, ", ");
                if (json_object_is_type(element, json_type_array))
                        write_list(writer, element, " : ");
                else
                        write_value(writer, element);
        }
        write_text(writer, " }");
}

static void write_payload(struct writer *writer, struct json_object *payload)
{
        if (!nft_get(payload, "base")) {
                write_member(writer, payload, "protocol");
                write_member(writer, payload, "field");
                return;
        }

        write_separator(writer);
        write_text(writer, "@");
        write_value(writer, nft_get(payload, "base"));
        write_text(writer, ",");
        write_value(writer, nft_get(payload, "offset"));
        write_text(writer, ",");
        write_value(writer, nft_get(payload, "len"));
}

static void write_match(struct writer *writer, struct json_object *match)
{
        const char *op = nft_get_text(match, "op");

        write_member(writer, match, "left");
        if (op && strcmp(op, "==") != 0 && strcmp(op, "in") != 0) {
                write_separator(writer);
                write_text(writer, op);
        }
        write_member(writer, match, "right");
}

static void write_meta(struct writer *writer, struct json_object *meta)
{
        const char *key = nft_get_text(meta, "key");

        /* nft prints the names of interfaces and some others without the word meta. */
        if (key && (strncmp(key, "iif", 3) == 0 || strncmp(key, "oif", 3) == 0))
                write_text(writer, key);
        else {
                write_text(writer, "meta");
                write_member(writer, meta, "key");
        }
}

static void write_ct(struct writer *writer, struct json_object *ct)
{
        write_text(writer, "ct");
        write_member(writer, ct, "dir");
        write_member(writer, ct, "key");
}

static void write_mangle(struct writer *writer, struct json_object *mangle)
{
        write_member(writer, mangle, "key");
        write_text(writer, " set");
        write_member(writer, mangle, "value");
}

static void write_vmap(struct writer *writer, struct json_object *vmap)
{
        write_member(writer, vmap, "key");
        write_text(writer, " vmap");
        write_member(writer, vmap, "data");
}

static void write_prefix(struct writer *writer, struct json_object *prefix)
{
        write_value(writer, nft_get(prefix, "addr"));
        write_text(writer, "/");
        write_value(writer, nft_get(prefix, "len"));
}

static void write_range(struct writer *writer, struct json_object *range)
{
        if (json_object_is_type(range, json_type_array))
                write_list(writer, range, "-");
}

static void write_mask(struct writer *writer, struct json_object *operands)
{
        if (json_object_is_type(operands, json_type_array))
                write_list(writer, operands, " & ");
}

static void write_dnat(struct writer *writer, struct json_object *dnat)
{
        write_text(writer, "dnat to");
        write_member(writer, dnat, "addr");
}

static void write_target(struct writer *writer, struct json_object *target)
{
        write_member(writer, target, "target");
}

static void write_xt(struct writer *writer, struct json_object *xt)
{
        write_text(writer, "xt");
        write_member(writer, xt, "type");
        write_member(writer, xt, "name");
}

static void write_reject(struct writer *writer, struct json_object *reject)
{
        write_text(writer, "reject");
        if (!nft_get(reject, "type"))
                return;

        write_text(writer, " with");
        write_member(writer, reject, "type");
        write_member(writer, reject, "expr");
}

static void write_limit(struct writer *writer, struct json_object *limit)
{
        write_text(writer, "limit rate");
        if (json_object_get_boolean(nft_get(limit, "inv")))
                write_text(writer, " over");
        write_member(writer, limit, "rate");
        write_text(writer, "/");
        write_value(writer, nft_get(limit, "per"));
}

static void write_concatenation(struct writer *writer, struct json_object *list)
{
        if (json_object_is_type(list, json_type_array))
                write_list(writer, list, " . ");
}

static const struct {
        const char *key, *prefix;
        void (*write)(struct writer *writer, struct json_object *value);
} rows[] = {
        { "match", "", write_match },
        { "payload", "", write_payload },
        { "meta", "", write_meta },
        { "ct", "", write_ct },
        { "mangle", "", write_mangle },
        { "vmap", "", write_vmap },
        { "set", "", write_set },
        { "prefix", "", write_prefix },
        { "range", "", write_range },
        { "&", "", write_mask },
        { "concat", "", write_concatenation },
        { "dnat", "", write_dnat },
        { "reject", "", write_reject },
        { "limit", "", write_limit },
        { "xt", "", write_xt },
        { "jump", "jump", write_target },
        { "goto", "goto", write_target },
};

static void write_expression(struct writer *writer, const char *key, struct json_object *value)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                if (strcmp(key, rows[i].key) != 0)
                        continue;

                write_text(writer, rows[i].prefix);
                rows[i].write(writer, value);
                return;
        }

        write_text(writer, key);
}

static void write_value(struct writer *writer, struct json_object *value)
{
        if (++writer->depth > DEPTH_MAX) {
                write_text(writer, "...");
        } else if (json_object_is_type(value, json_type_object)) {
                json_object_object_foreach (value, key, member)
                        write_expression(writer, key, member);
        } else if (json_object_is_type(value, json_type_array)) {
                write_list(writer, value, ",");
        } else if (value) {
                write_text(writer, json_object_get_string(value));
        }
        writer->depth--;
}

/**
 * nft_rule_format() - write a rule as nft does, but for its counters and its comment
 * @text: set to the rule; what does not fit is cut off, which "..." at its end says
 * @size: of @text in bytes, at least 4
 * @expressions: those of the rule: an array of objects
 */
void nft_rule_format(char *text, size_t size, struct json_object *expressions)
{
        struct writer writer = { .text = text, .size = size };

        text[0] = '\0';
        for (size_t i = 0; i < json_object_array_length(expressions); i++) {
                struct json_object *expression = json_object_array_get_idx(expressions, i);

                if (nft_get(expression, "counter"))
                        continue;

                write_separator(&writer);
                write_value(&writer, expression);
        }

        if (writer.used == size - 1)
                strcpy(text + size - 4, "...");
}
