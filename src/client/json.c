/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Building and writing JSON with json-c, where memory can be short at every step. */

#include "client/json.h"

#include <errno.h>

#include "common/util.h"

/* For the cleanup attribute. */
void json_putp(struct json_object **object)
{
        (void) json_object_put(*object);
}

/**
 * json_add() - add a value to an object, or to the end of an array
 * @to: the object or the array, or NULL if memory was short
 * @key: of the value; NULL: @to is an array
 * @value: the value, which is freed on failure, or NULL if memory was short
 *
 * As both may be NULL, a caller only needs to check the result.
 *
 * Return: whether that worked.
 */
bool json_add(struct json_object *to, const char *key, struct json_object *value)
{
        _cleanup_(json_putp) struct json_object *added = value;

        if (!to || !added)
                return false;
        if ((key ? json_object_object_add(to, key, added) : json_object_array_add(to, added)) < 0)
                return false;

        added = NULL;
        return true;
}

/**
 * json_add_text() - add a text, as of json_add()
 * @to: the object or the array, or NULL
 * @key: of the text; NULL: @to is an array
 * @text: the text; NULL: an empty one
 *
 * Return: whether that worked.
 */
bool json_add_text(struct json_object *to, const char *key, const char *text)
{
        return json_add(to, key, json_object_new_string(text ? text : ""));
}

/**
 * json_add_optional() - add a text or null, as of json_add()
 * @to: the object, or NULL
 * @key: of the text
 * @text: the text; NULL: null
 *
 * Return: whether that worked.
 */
bool json_add_optional(struct json_object *to, const char *key, const char *text)
{
        if (text)
                return json_add_text(to, key, text);

        return to && json_object_object_add(to, key, NULL) >= 0;
}

/**
 * json_add_texts() - add an array of texts, as of json_add()
 * @to: the object, or NULL
 * @key: of the array
 * @texts: the texts
 * @n: number of texts
 *
 * Return: whether that worked.
 */
bool json_add_texts(struct json_object *to, const char *key, const char *const *texts, size_t n)
{
        struct json_object *array = json_object_new_array();
        bool added = json_add(to, key, array);

        for (size_t i = 0; added && i < n; i++)
                added = json_add_text(array, NULL, texts[i]);

        return added;
}

/**
 * json_write() - write a value, and a newline
 * @object: the value, or NULL if memory was short
 * @file: where to
 *
 * Return: 0 or -ENOMEM.
 */
int json_write(struct json_object *object, FILE *file)
{
        const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY |
                                                                          JSON_C_TO_STRING_NOSLASHESCAPE);

        if (!object || !text)
                return -ENOMEM;

        fprintf(file, "%s\n", text);
        return 0;
}
