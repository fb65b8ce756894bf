/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What one rule of nft can do with a ping, from its expressions in JSON (libnftables-json(5)). An expression
 * is an object with one member, whose key says what it is; those of extensions of iptables are called xt.
 *
 * A rule is taken to match unless it is certain that it does not.
 */

#include "client/nft-rule.h"

#include <string.h>
#include <sys/socket.h>

#include "common/util.h"

/**
 * nft_get() - find a member of an object
 * @object: any value, or NULL
 * @key: of the member
 *
 * Return: the member, or NULL if there is none or @object is no object.
 */
struct json_object *nft_get(struct json_object *object, const char *key)
{
        struct json_object *value = NULL;

        if (json_object_is_type(object, json_type_object))
                (void) json_object_object_get_ex(object, key, &value);

        return value;
}

/**
 * nft_get_text() - find a text in an object
 * @object: any value, or NULL
 * @key: of the text
 *
 * Return: the text, or NULL if there is none.
 */
const char *nft_get_text(struct json_object *object, const char *key)
{
        struct json_object *value = nft_get(object, key);

        return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static bool is_one_of(const char *text, const char *const *texts, size_t n)
{
        for (size_t i = 0; text && i < n; i++)
                if (strcmp(text, texts[i]) == 0)
                        return true;

        return false;
}

#define IS_ONE_OF(text, ...)                                   \
        is_one_of(text, (const char *const[]) { __VA_ARGS__ }, \
                  sizeof((const char *const[]) { __VA_ARGS__ }) / sizeof(const char *))

/* Whether a ping meets a condition. */
enum answer {
        NO,
        MAYBE,
        YES,
};

/* The values that the left side of a match has in a ping: one, and other names of it. */
struct wanted {
        const char *values[3];
};

static enum answer is_wanted(const char *text, const struct wanted *wanted)
{
        size_t size = strlen(text);

        if (text[0] == '@')
                return MAYBE;

        for (size_t i = 0; i < ARRAY_SIZE(wanted->values) && wanted->values[i]; i++) {
                if (strcmp(text, wanted->values[i]) == 0)
                        return YES;
                if (size > 0 && text[size - 1] == '*' && strncmp(text, wanted->values[i], size - 1) == 0)
                        return YES;
        }

        return NO;
}

/* Compares with a right side. What is neither a text nor a set of them is not understood. */
static enum answer compare(struct json_object *right, const struct wanted *wanted)
{
        struct json_object *set = nft_get(right, "set");
        enum answer answer = NO;

        if (json_object_is_type(right, json_type_string))
                return is_wanted(json_object_get_string(right), wanted);
        if (!json_object_is_type(set, json_type_array))
                return MAYBE;

        for (size_t i = 0; i < json_object_array_length(set) && answer != YES; i++) {
                struct json_object *element = json_object_array_get_idx(set, i);
                enum answer one = MAYBE;

                if (json_object_is_type(element, json_type_string))
                        one = is_wanted(json_object_get_string(element), wanted);
                answer = one > answer ? one : answer;
        }

        return answer;
}

/* Finds the values that the left side of a match has in a ping; false if it can have any. */
static bool find_wanted(struct json_object *left, const struct nft_scope *scope, struct wanted *ret_wanted)
{
        bool ipv4 = scope->family == AF_INET;
        const char *meta = nft_get_text(nft_get(left, "meta"), "key");
        const char *protocol = nft_get_text(nft_get(left, "payload"), "protocol");
        const char *field = nft_get_text(nft_get(left, "payload"), "field");
        unsigned with_iif = NFT_HOOK_INGRESS | NFT_HOOK_PREROUTING | NFT_HOOK_INPUT;
        unsigned with_oif = NFT_HOOK_EGRESS | NFT_HOOK_POSTROUTING | NFT_HOOK_OUTPUT;

        if (IS_ONE_OF(meta, "nfproto"))
                *ret_wanted = (struct wanted) { { ipv4 ? "ipv4" : "ipv6" } };
        else if (IS_ONE_OF(meta, "protocol") || (IS_ONE_OF(protocol, "ether") && IS_ONE_OF(field, "type")))
                *ret_wanted = (struct wanted) { { ipv4 ? "ip" : "ip6" } };
        else if (IS_ONE_OF(meta, "l4proto") || (IS_ONE_OF(protocol, "ip") && IS_ONE_OF(field, "protocol")))
                *ret_wanted = (struct wanted) { { ipv4 ? "icmp" : "ipv6-icmp", ipv4 ? NULL : "icmpv6" } };
        else if (scope->device && IS_ONE_OF(meta, "iifname", "iif") && (scope->hook & with_iif))
                *ret_wanted = (struct wanted) { { scope->device } };
        else if (scope->device && IS_ONE_OF(meta, "oifname", "oif") && (scope->hook & with_oif))
                *ret_wanted = (struct wanted) { { scope->device } };
        else
                return false;

        return true;
}

/* Whether packets of a ping have the header that a match looks into. */
static bool has_header(struct json_object *left, int family)
{
        const char *protocol = nft_get_text(nft_get(left, "payload"), "protocol");

        if (IS_ONE_OF(protocol, family == AF_INET ? "ip6" : "ip", family == AF_INET ? "icmpv6" : "icmp"))
                return false;

        return !IS_ONE_OF(protocol, "tcp", "udp", "udplite", "sctp", "dccp", "arp", "igmp");
}

static enum answer check_match(struct json_object *match, const struct nft_scope *scope)
{
        struct json_object *left = nft_get(match, "left"), *masked = nft_get(left, "&");
        const char *op = nft_get_text(match, "op");
        struct wanted wanted;
        enum answer answer;

        if (json_object_is_type(masked, json_type_array))
                left = json_object_array_get_idx(masked, 0);
        if (!has_header(left, scope->family))
                return NO;
        if (masked || !find_wanted(left, scope, &wanted) || !IS_ONE_OF(op, "==", "!="))
                return MAYBE;

        answer = compare(nft_get(match, "right"), &wanted);
        return op[0] == '=' ? answer : YES - answer;
}

/**
 * nft_rule_matches() - check whether a rule can match a ping
 * @expressions: those of the rule: an array of objects
 * @scope: the ping, and the hook
 */
bool nft_rule_matches(struct json_object *expressions, const struct nft_scope *scope)
{
        for (size_t i = 0; i < json_object_array_length(expressions); i++) {
                struct json_object *expression = json_object_array_get_idx(expressions, i);
                struct json_object *match = nft_get(expression, "match");

                if (match && check_match(match, scope) == NO)
                        return false;
                if (!has_header(nft_get(nft_get(expression, "vmap"), "key"), scope->family) ||
                    !has_header(nft_get(nft_get(expression, "mangle"), "key"), scope->family))
                        return false;
        }

        return true;
}

/* A changed mark matters where it decides the route of a packet. */
static bool mark_matters(const struct nft_scope *scope)
{
        return scope->hook == NFT_HOOK_PREROUTING || scope->is_route_chain;
}

/* Whether a statement that writes changes the packet, or where it is routed to. */
static bool mangle_loses(struct json_object *key, const struct nft_scope *scope)
{
        const char *meta = nft_get_text(nft_get(key, "meta"), "key");

        if (IS_ONE_OF(meta, "mark"))
                return mark_matters(scope);

        return nft_get(key, "payload") || nft_get(key, "exthdr") || nft_get(key, "ip option") ||
               IS_ONE_OF(meta, "pkttype");
}

/* Targets of iptables that are not known to be harmless can lose a ping. */
static bool xt_loses(struct json_object *xt, const struct nft_scope *scope)
{
        const char *name = nft_get_text(xt, "name");

        if (!IS_ONE_OF(nft_get_text(xt, "type"), "target"))
                return false;
        if (IS_ONE_OF(name, "MARK"))
                return mark_matters(scope);

        return !IS_ONE_OF(name, "AUDIT", "CHECKSUM", "CLASSIFY", "CONNMARK", "CONNSECMARK", "CT", "HMARK",
                          "IDLETIMER", "LED", "LOG", "MASQUERADE", "NFLOG", "NOTRACK", "RATEEST", "SECMARK",
                          "SET", "SNAT", "SYNPROXY", "TCPMSS", "TCPOPTSTRIP", "TEE", "TPROXY", "TRACE");
}

/* A verdict: alone, or the value of an element of a verdict map. */
static void add_verdict(struct nft_effect *effect, const char *name, struct json_object *value,
                        const struct nft_handlers *handlers)
{
        if (IS_ONE_OF(name, "drop", "queue"))
                effect->loses = true;
        if (IS_ONE_OF(name, "jump", "goto") && nft_get_text(value, "target"))
                handlers->on_jump(handlers->userdata, nft_get_text(value, "target"));
}

static void add_map(struct nft_effect *effect, struct json_object *vmap, const struct nft_handlers *handlers)
{
        struct json_object *data = nft_get(vmap, "data"), *elements = nft_get(data, "set");

        if (json_object_is_type(data, json_type_string) && json_object_get_string(data)[0] == '@')
                elements = handlers->find_map(handlers->userdata, json_object_get_string(data) + 1);
        if (!json_object_is_type(elements, json_type_array))
                return;

        for (size_t i = 0; i < json_object_array_length(elements); i++) {
                struct json_object *element = json_object_array_get_idx(elements, i), *verdict;

                if (!json_object_is_type(element, json_type_array))
                        continue;

                verdict = json_object_array_get_idx(element, 1);
                if (!json_object_is_type(verdict, json_type_object))
                        continue;

                json_object_object_foreach (verdict, name, value)
                        add_verdict(effect, name, value, handlers);
        }
}

/* Whether an expression can keep a rule from its verdict. */
static bool is_condition(const char *name, struct json_object *value, const struct nft_scope *scope)
{
        if (IS_ONE_OF(name, "match"))
                return check_match(value, scope) != YES;

        return !IS_ONE_OF(name, "accept", "comment", "counter", "drop", "goto", "log", "mangle", "queue", "reject",
                          "return");
}

static void check_expression(struct nft_effect *effect, const char *name, struct json_object *value,
                             const struct nft_scope *scope, const struct nft_handlers *handlers)
{
        if (IS_ONE_OF(name, "reject", "fwd", "dnat", "redirect") ||
            (IS_ONE_OF(name, "mangle") && mangle_loses(nft_get(value, "key"), scope)) ||
            (IS_ONE_OF(name, "xt") && xt_loses(value, scope)))
                effect->loses = true;
        if (IS_ONE_OF(name, "vmap"))
                add_map(effect, value, handlers);
        add_verdict(effect, name, value, handlers);
}

/**
 * nft_rule_check() - find out what a rule can do with a ping that it matches
 * @expressions: those of the rule: an array of objects
 * @scope: the ping, and the hook
 * @handlers: called for the chains that it leads to, and for maps
 */
struct nft_effect nft_rule_check(struct json_object *expressions, const struct nft_scope *scope,
                                 const struct nft_handlers *handlers)
{
        struct nft_effect effect = { 0 };
        bool is_conditional = false;

        for (size_t i = 0; i < json_object_array_length(expressions); i++) {
                struct json_object *expression = json_object_array_get_idx(expressions, i);

                if (!json_object_is_type(expression, json_type_object)) {
                        is_conditional = true;
                        continue;
                }

                json_object_object_foreach (expression, name, value) {
                        check_expression(&effect, name, value, scope, handlers);
                        is_conditional = is_conditional || is_condition(name, value, scope);
                        if (is_conditional)
                                continue;
                        if (IS_ONE_OF(name, "accept", "drop", "reject", "return", "goto", "queue"))
                                effect.is_last = true;
                        if (IS_ONE_OF(name, "accept"))
                                effect.accepts = true;
                }
        }

        return effect;
}
