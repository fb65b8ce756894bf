/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

void json_putp(struct json_object **object);
bool json_add(struct json_object *to, const char *key, struct json_object *value);
bool json_add_text(struct json_object *to, const char *key, const char *text);
bool json_add_optional(struct json_object *to, const char *key, const char *text);
bool json_add_texts(struct json_object *to, const char *key, const char *const *texts, size_t n);
int json_write(struct json_object *object, FILE *file);
