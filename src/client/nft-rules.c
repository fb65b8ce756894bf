/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Which rules of nft can lose a ping, from the ruleset in JSON:
 *
 *     objects  ->  chains with their rules, maps  ->  base chains of the hooks  ->  chains that they jump to
 *
 * Tables of iptables-nft are in the ruleset, too. The text is not trusted: its size, its depth and the number of
 * results have limits, names are printed only as printable characters, and a command only with names that a
 * shell takes literally.
 */

#include "client/nft-rules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "client/json.h"
#include "client/nft-process.h"
#include "client/nft-rule.h"
#include "common/util.h"

#define NFT_SIZE_MAX     (16 << 20) /* bytes; some 50,000 rules */
#define NFT_TIMEOUT_MSEC 5000

#define SUSPECTS_MAX 20 /* beyond, only their number is listed */

/* Sizes in bytes of what a line has. */
#define NAME_SIZE    65
#define RULE_SIZE    120
#define COMMAND_SIZE 256

/* A member that marks a rule; nft has none of this name. */
#define LISTED "tunecho-listed"

/* The kernel follows no more jumps than these. */
#define JUMPS_MAX 16

/* What both walks over the ruleset need: chains and maps by their family, table and name. */
struct ruleset {
        struct json_object *chains, *maps, *dormant; /* the last one has tables */
        struct suspects *suspects;
        size_t n_suspects;
        int error;

        /* of the base chain that is looked at */
        struct nft_scope scope;
        const char *family, *table;
        unsigned n_jumps;
};

static const struct {
        const char *name;
        enum nft_hook hook;
} hook_names[] = {
        { "ingress", NFT_HOOK_INGRESS },
        { "prerouting", NFT_HOOK_PREROUTING },
        { "input", NFT_HOOK_INPUT },
        { "forward", NFT_HOOK_FORWARD },
        { "output", NFT_HOOK_OUTPUT },
        { "postrouting", NFT_HOOK_POSTROUTING },
        { "egress", NFT_HOOK_EGRESS },
};

/* The key of a chain or a map in the index; NULL if memory is short. The caller frees it. */
static char *make_key(const char *family, const char *table, const char *name)
{
        char *key;

        if (asprintf(&key, "%s\n%s\n%s", family ? family : "", table ? table : "", name ? name : "") < 0)
                return NULL;

        return key;
}

static void freep(char **text)
{
        free(*text);
        *text = NULL;
}

/* Finds an entry of the index, or adds an empty one. */
static struct json_object *get_entry(struct json_object *index, const char *family, const char *table,
                                     const char *name, bool create)
{
        _cleanup_(freep) char *key = make_key(family, table, name);
        struct json_object *entry = key ? nft_get(index, key) : NULL;

        if (entry || !key || !create)
                return entry;

        entry = json_object_new_object();
        if (!json_add(index, key, entry) || !json_add(entry, "rules", json_object_new_array()))
                return NULL;

        return entry;
}

static bool index_object(struct ruleset *ruleset, const char *kind, struct json_object *object)
{
        const char *family = nft_get_text(object, "family"), *table = nft_get_text(object, "table");
        const char *name = nft_get_text(object, "name"), *chain = nft_get_text(object, "chain");
        const char *flag = nft_get_text(object, "flags");
        struct json_object *entry;

        if (strcmp(kind, "chain") == 0) {
                entry = get_entry(ruleset->chains, family, table, name, true);
                return json_add(entry, "chain", json_object_get(object));
        }
        if (strcmp(kind, "rule") == 0) {
                entry = get_entry(ruleset->chains, family, table, chain, true);
                return json_add(nft_get(entry, "rules"), NULL, json_object_get(object));
        }
        if (strcmp(kind, "map") == 0) {
                entry = get_entry(ruleset->maps, family, table, name, true);
                return json_add(entry, "map", json_object_get(object));
        }
        if (strcmp(kind, "table") == 0 && flag && strcmp(flag, "dormant") == 0)
                return get_entry(ruleset->dormant, family, name, NULL, true) != NULL;

        return true;
}

static bool index_all(struct ruleset *ruleset, struct json_object *objects)
{
        ruleset->chains = json_object_new_object();
        ruleset->maps = json_object_new_object();
        ruleset->dormant = json_object_new_object();
        for (size_t i = 0; i < json_object_array_length(objects); i++) {
                struct json_object *object = json_object_array_get_idx(objects, i);

                if (!json_object_is_type(object, json_type_object))
                        continue;

                json_object_object_foreach (object, kind, value) {
                        if (json_object_is_type(value, json_type_object) && !index_object(ruleset, kind, value))
                                return false;
                }
        }

        return true;
}

/* Appends a name, with every character replaced that is none of a name. */
static void copy_name(char *text, size_t size, const char *name)
{
        size_t i = 0;

        for (; name && name[i] != '\0' && i < size - 1; i++)
                text[i] = name[i] > ' ' && name[i] <= '~' ? name[i] : '?';
        text[i] = '\0';
}

static bool is_literal(const char *name)
{
        return name && name[0] != '\0' && name[0] != '-' &&
               strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(name);
}

/* Writes the command that shows a chain; names that a shell would not take literally are left out. */
static void write_command(char *text, size_t size, const struct ruleset *ruleset, const char *chain)
{
        if (is_literal(ruleset->table) && is_literal(chain))
                (void) snprintf(text, size, "nft --handle list chain %s %s %s", ruleset->family, ruleset->table,
                                chain);
        else
                (void) snprintf(text, size, "nft --handle list ruleset");
}

/* Adds a line: where it is, what is there, and the command that shows it. */
static void add_suspect(struct ruleset *ruleset, const char *chain, struct json_object *handle, const char *what)
{
        char table_name[NAME_SIZE], chain_name[NAME_SIZE], command[COMMAND_SIZE], rule[40] = "", *text;
        struct suspects *suspects = ruleset->suspects;

        if (++ruleset->n_suspects > SUSPECTS_MAX)
                return;

        copy_name(table_name, sizeof(table_name), ruleset->table);
        copy_name(chain_name, sizeof(chain_name), chain);
        write_command(command, sizeof(command), ruleset, chain);
        if (handle)
                (void) snprintf(rule, sizeof(rule), " handle %" PRId64, json_object_get_int64(handle));
        if (asprintf(&text, "%s %s %s%s: %s; see: %s", ruleset->family, table_name, chain_name, rule, what,
                     command) < 0)
                ruleset->error = -ENOMEM;
        else
                suspects->texts[suspects->n++] = text;
}

static struct json_object *find_map(void *userdata, const char *map)
{
        const struct ruleset *ruleset = userdata;
        struct json_object *entry = get_entry(ruleset->maps, ruleset->family, ruleset->table, map, false);

        return nft_get(nft_get(entry, "map"), "elem");
}

static bool check_chain(struct ruleset *ruleset, const char *name);

static void on_jump(void *userdata, const char *chain)
{
        struct ruleset *ruleset = userdata;

        if (ruleset->n_jumps >= JUMPS_MAX)
                return;

        ruleset->n_jumps++;
        (void) check_chain(ruleset, chain);
        ruleset->n_jumps--;
}

/* Marks a chain as checked at the hook; returns false if it is already, which ends loops of jumps, too. */
static bool mark_checked(struct ruleset *ruleset, struct json_object *chain)
{
        int checked = json_object_get_int(nft_get(chain, "checked")), hook = (int) ruleset->scope.hook;

        if (checked & hook)
                return false;

        if (!json_add(chain, "checked", json_object_new_int(checked | hook)))
                ruleset->error = -ENOMEM;
        return ruleset->error == 0;
}

/* A rule that can be reached from several hooks is added once. */
static void add_rule(struct ruleset *ruleset, const char *chain, struct json_object *rule)
{
        char text[RULE_SIZE];

        if (nft_get(rule, LISTED))
                return;

        if (!json_add(rule, LISTED, json_object_new_boolean(true)))
                ruleset->error = -ENOMEM;
        nft_rule_format(text, sizeof(text), nft_get(rule, "expr"));
        add_suspect(ruleset, chain, nft_get(rule, "handle"), text);
}

/* Checks the rules of a chain. Returns whether a packet can reach the end of it. */
static bool check_chain(struct ruleset *ruleset, const char *name)
{
        const struct nft_handlers handlers = { .on_jump = on_jump, .find_map = find_map, .userdata = ruleset };
        struct json_object *entry = get_entry(ruleset->chains, ruleset->family, ruleset->table, name, false);
        struct json_object *rules = nft_get(entry, "rules");
        struct nft_effect effect = { 0 };

        if (!entry || !mark_checked(ruleset, entry))
                return true;

        for (size_t i = 0; i < json_object_array_length(rules) && !effect.is_last; i++) {
                struct json_object *rule = json_object_array_get_idx(rules, i);
                struct json_object *expressions = nft_get(rule, "expr");

                if (!json_object_is_type(expressions, json_type_array) ||
                    !nft_rule_matches(expressions, &ruleset->scope))
                        continue;

                effect = nft_rule_check(expressions, &ruleset->scope, &handlers);
                if (effect.loses)
                        add_rule(ruleset, name, rule);
        }

        return !effect.accepts;
}

static bool is_for_family(const char *table_family, int family)
{
        return strcmp(table_family, family == AF_INET ? "ip" : "ip6") == 0 || strcmp(table_family, "inet") == 0 ||
               strcmp(table_family, "netdev") == 0;
}

/* Some versions of nft do not print the device of a chain: it is any of them then. */
static bool is_for_device(struct json_object *chain, const char *device)
{
        struct json_object *devices = nft_get(chain, "dev");

        if (!device || !devices)
                return true;
        if (json_object_is_type(devices, json_type_string))
                return strcmp(json_object_get_string(devices), device) == 0;
        if (!json_object_is_type(devices, json_type_array))
                return true;

        for (size_t i = 0; i < json_object_array_length(devices); i++) {
                const char *name = json_object_get_string(json_object_array_get_idx(devices, i));

                if (name && strcmp(name, device) == 0)
                        return true;
        }

        return false;
}

static void check_base_chain(struct ruleset *ruleset, struct json_object *chain, unsigned wanted_hooks)
{
        const char *hook = nft_get_text(chain, "hook"), *policy = nft_get_text(chain, "policy");
        const char *name = nft_get_text(chain, "name"), *type = nft_get_text(chain, "type");

        ruleset->family = nft_get_text(chain, "family");
        ruleset->table = nft_get_text(chain, "table");
        if (!hook || !name || !ruleset->family || !ruleset->table ||
            !is_for_family(ruleset->family, ruleset->scope.family) ||
            !is_for_device(chain, ruleset->scope.device) ||
            get_entry(ruleset->dormant, ruleset->family, ruleset->table, NULL, false))
                return;

        ruleset->scope.is_route_chain = type && strcmp(type, "route") == 0;
        for (size_t i = 0; i < ARRAY_SIZE(hook_names); i++) {
                if (!(wanted_hooks & hook_names[i].hook) || strcmp(hook, hook_names[i].name) != 0)
                        continue;

                ruleset->scope.hook = hook_names[i].hook;
                if (check_chain(ruleset, name) && policy && strcmp(policy, "drop") == 0)
                        add_suspect(ruleset, name, NULL, "policy drop");
        }
}

static void check_all(struct ruleset *ruleset, unsigned wanted_hooks)
{
        json_object_object_foreach (ruleset->chains, key, entry) {
                (void) key;
                check_base_chain(ruleset, nft_get(entry, "chain"), wanted_hooks);
        }

        if (ruleset->n_suspects <= SUSPECTS_MAX || ruleset->error < 0)
                return;

        if (asprintf(&ruleset->suspects->texts[ruleset->suspects->n], "%zu more; see: nft --handle list ruleset",
                     ruleset->n_suspects - SUSPECTS_MAX) < 0)
                ruleset->error = -ENOMEM;
        else
                ruleset->suspects->n++;
}

static void ruleset_done(struct ruleset *ruleset)
{
        (void) json_object_put(ruleset->chains);
        (void) json_object_put(ruleset->maps);
        (void) json_object_put(ruleset->dormant);
}

static void tokener_freep(struct json_tokener **tokener)
{
        if (*tokener)
                json_tokener_free(*tokener);
}

/**
 * nft_suspects_parse() - find rules that can lose a ping in the output of `nft --json list ruleset`
 * @text: the output
 * @size: its size in bytes
 * @family: of the addresses of the ping, AF_INET or AF_INET6
 * @hooks: where to look, NFT_HOOK_INPUT and the like
 * @device: that the packets arrive on or leave by at these hooks; NULL: any
 * @ret_suspects: set to them; suspects_free() frees them
 *
 * These are rules that drop, reject or redirect packets, or write to them, and policies that drop; of base
 * chains, and of the chains that they jump to. A rule that certainly matches no ping is not one of them.
 *
 * Return: 0, -EBADMSG if this is no ruleset, or -ENOMEM.
 */
int nft_suspects_parse(const char *text, size_t size, int family, unsigned hooks, const char *device,
                       struct suspects *ret_suspects)
{
        _cleanup_(tokener_freep) struct json_tokener *tokener = json_tokener_new();
        _cleanup_(ruleset_done) struct ruleset ruleset = { .scope = { .family = family, .device = device } };
        _cleanup_(suspects_free) struct suspects suspects = { 0 };
        _cleanup_(json_putp) struct json_object *root = NULL;
        struct json_object *objects;

        suspects.texts = calloc(SUSPECTS_MAX + 1, sizeof(*suspects.texts));
        if (!tokener || !suspects.texts)
                return -ENOMEM;
        if (size > NFT_SIZE_MAX)
                return -EBADMSG;

        root = json_tokener_parse_ex(tokener, text, (int) size);
        objects = nft_get(root, "nftables");
        if (!json_object_is_type(objects, json_type_array))
                return -EBADMSG;

        ruleset.suspects = &suspects;
        if (!index_all(&ruleset, objects))
                return -ENOMEM;

        check_all(&ruleset, hooks);
        if (ruleset.error < 0)
                return ruleset.error;

        *ret_suspects = suspects;
        suspects = (struct suspects) { 0 };
        return 0;
}

/**
 * nft_suspects_read() - find rules of this network namespace that can lose a ping
 * @family: as of nft_suspects_parse()
 * @hooks: as of nft_suspects_parse()
 * @device: as of nft_suspects_parse()
 * @ret_suspects: as of nft_suspects_parse()
 *
 * Runs nft(8), which needs root.
 *
 * Return: 0; -EPERM if this process is not root; -ENOENT if nft is not installed; -ETIMEDOUT if it does not
 *         end; -EFBIG if the ruleset is too large; -EIO if nft fails; -EBADMSG if its output is no ruleset; or
 *         another negative errno.
 */
int nft_suspects_read(int family, unsigned hooks, const char *device, struct suspects *ret_suspects)
{
        static const char *const arguments[] = { "nft", "--json", "list", "ruleset", NULL };
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (geteuid() != 0)
                return -EPERM;

        r = nft_process_run(arguments, NFT_SIZE_MAX, NFT_TIMEOUT_MSEC, &text, &size);
        if (r < 0)
                return r;

        return nft_suspects_parse(text, size, family, hooks, device, ret_suspects);
}

/**
 * suspects_free() - free a list
 * @suspects: the list, which is empty afterwards
 */
void suspects_free(struct suspects *suspects)
{
        for (size_t i = 0; i < suspects->n; i++)
                free(suspects->texts[i]);
        free(suspects->texts);
        *suspects = (struct suspects) { 0 };
}
