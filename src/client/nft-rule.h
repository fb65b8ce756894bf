/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "client/nft-rules.h"

/* The packets that rules are checked for, and the base chain that they are in. */
struct nft_scope {
        int family;
        const char *device; /* NULL: any */
        enum nft_hook hook;
        bool is_route_chain; /* of type route: a changed mark changes the route */
};

/* What a rule can do with a ping. */
struct nft_effect {
        bool loses;   /* it drops, rejects, redirects or changes it */
        bool is_last; /* no rule behind it in the chain is reached */
        bool accepts; /* nor the policy of the chain */
};

/* Called for each chain that a rule can lead to. */
typedef void (*nft_jump_handler_t)(void *userdata, const char *chain);

/* Returns the elements of a named map, or NULL. */
typedef struct json_object *(*nft_map_handler_t)(void *userdata, const char *map);

struct nft_handlers {
        nft_jump_handler_t on_jump;
        nft_map_handler_t find_map;
        void *userdata;
};

struct nft_effect nft_rule_check(struct json_object *expressions, const struct nft_scope *scope,
                                 const struct nft_handlers *handlers);
bool nft_rule_matches(struct json_object *expressions, const struct nft_scope *scope);

/* The members of a JSON value that may be anything: NULL where it is something else. */
struct json_object *nft_get(struct json_object *object, const char *key);
const char *nft_get_text(struct json_object *object, const char *key);

void nft_rule_format(char *text, size_t size, struct json_object *expressions);
