/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which rules of a ruleset can lose a ping, and how they are printed; and nft itself, or what is in its place. */

#include "client/nft-rules.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "unit.h"

#define ALL_HOOKS 0x7fU

#define ICMP4                  "{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"l4proto\"}},\"right\":\"icmp\"}}"
#define DROP                   "{\"drop\":null}"
#define MATCH(left, op, right) "{\"match\":{\"op\":\"" op "\",\"left\":" left ",\"right\":" right "}}"
#define META(key)              "{\"meta\":{\"key\":\"" key "\"}}"
#define PAYLOAD(header, field) "{\"payload\":{\"protocol\":\"" header "\",\"field\":\"" field "\"}}"
#define IP4                    "{\"match\":{\"op\":\"==\",\"left\":" META("nfproto") ",\"right\":\"ipv4\"}}"

/* A rule of the input hook, for a ping of IPv4 whose replies arrive on tun0. */
static const struct {
        const char *expressions, *text; /* NULL: it loses no ping */
} rules[] = {
        { DROP, "drop" },
        { "{\"counter\":{\"packets\":3,\"bytes\":9}}," DROP, "drop" },
        { "{\"accept\":null}", NULL },
        { "{\"reject\":null}", "reject" },
        { "{\"reject\":{\"type\":\"icmpx\",\"expr\":\"port-unreachable\"}}", "reject with icmpx port-unreachable" },
        { "{\"queue\":{\"num\":1}}", "queue" },
        { "{\"dnat\":{\"addr\":\"10.0.0.1\"}}", "dnat to 10.0.0.1" },
        { "{\"redirect\":null}", "redirect" },
        { "{\"masquerade\":null}", NULL },
        { "{\"notrack\":null}", NULL },
        { "{\"fwd\":{\"dev\":\"lo\"}}", "fwd" },
        { "{\"mangle\":{\"key\":" PAYLOAD("ip", "ttl") ",\"value\":3}}", "ip ttl set 3" },
        { "{\"mangle\":{\"key\":" PAYLOAD("ip6", "hoplimit") ",\"value\":3}}", NULL },
        { "{\"vmap\":{\"key\":" PAYLOAD("ip6", "saddr") ",\"data\":{\"set\":[[\"::1\",{\"drop\":null}]]}}}", NULL },
        { "{\"mangle\":{\"key\":{\"payload\":{\"base\":\"nh\",\"offset\":0,\"len\":8}},\"value\":69}}",
          "@nh,0,8 set 69" },
        { "{\"mangle\":{\"key\":" META("mark") ",\"value\":3}}", NULL },
        { "{\"mangle\":{\"key\":" META("pkttype") ",\"value\":\"other\"}}", "meta pkttype set other" },
        { "{\"xt\":{\"type\":\"target\",\"name\":\"REJECT\"}}", "xt target REJECT" },
        { "{\"xt\":{\"type\":\"target\",\"name\":\"LOG\"}}", NULL },
        { "{\"xt\":{\"type\":\"match\",\"name\":\"comment\"}}," DROP, "xt match comment drop" },
        { "{\"limit\":{\"rate\":10,\"per\":\"second\",\"inv\":true}}," DROP, "limit rate over 10/second drop" },

        { MATCH(META("l4proto"), "==", "\"icmp\"") "," DROP, "meta l4proto icmp drop" },
        { MATCH(META("l4proto"), "==", "\"tcp\"") "," DROP, NULL },
        { MATCH(META("l4proto"), "!=", "\"tcp\"") "," DROP, "meta l4proto != tcp drop" },
        { MATCH(META("l4proto"), "!=", "\"icmp\"") "," DROP, NULL },
        { MATCH(META("l4proto"), "==", "{\"set\":[\"udp\",\"tcp\"]}") "," DROP, NULL },
        { MATCH(META("l4proto"), "==", "{\"set\":[\"udp\",\"icmp\"]}") "," DROP, "meta l4proto { udp, icmp } drop" },
        { MATCH(META("l4proto"), "==", "\"@set\"") "," DROP, "meta l4proto @set drop" },
        { MATCH(PAYLOAD("ip", "protocol"), "==", "\"udp\"") "," DROP, NULL },
        { MATCH(PAYLOAD("tcp", "dport"), "==", "22") "," DROP, NULL },
        { MATCH(PAYLOAD("ip6", "saddr"), "==", "\"::1\"") "," DROP, NULL },
        { MATCH(PAYLOAD("ip", "saddr"), "==", "{\"prefix\":{\"addr\":\"10.0.0.0\",\"len\":8}}") "," DROP,
          "ip saddr 10.0.0.0/8 drop" },
        { MATCH(PAYLOAD("ip", "saddr"), "==", "{\"range\":[\"10.0.0.1\",\"10.0.0.9\"]}") "," DROP,
          "ip saddr 10.0.0.1-10.0.0.9 drop" },
        { MATCH("{\"&\":[" PAYLOAD("ip", "frag-off") ",8191]}", "!=", "0") "," DROP, "ip frag-off & 8191 != 0 drop" },
        { MATCH("{\"&\":[" PAYLOAD("tcp", "flags") ",[\"syn\",\"fin\"]]}", "==", "\"fin\"") "," DROP, NULL },
        { MATCH("{\"ct\":{\"key\":\"state\"}}", "in", "[\"invalid\",\"new\"]") "," DROP, "ct state invalid,new drop" },
        { MATCH(META("iifname"), "==", "\"tun0\"") "," DROP, "iifname tun0 drop" },
        { MATCH(META("iifname"), "==", "\"tun*\"") "," DROP, "iifname tun* drop" },
        { MATCH(META("iifname"), "==", "\"eth0\"") "," DROP, NULL },
        { MATCH(META("iifname"), "!=", "\"tun0\"") "," DROP, NULL },
        { MATCH(META("oifname"), "==", "\"eth0\"") "," DROP, "oifname eth0 drop" },
        { MATCH(META("nfproto"), "==", "\"ipv6\"") "," DROP, NULL },
        { MATCH(META("protocol"), "==", "\"ip\"") "," DROP, "meta protocol ip drop" },
        { "{\"vmap\":{\"key\":" PAYLOAD("ip", "saddr") ",\"data\":{\"set\":[[\"10.0.0.1\",{\"drop\":null}]]}}}",
          "ip saddr vmap { 10.0.0.1 : drop }" },
        { "{\"vmap\":{\"key\":" PAYLOAD("ip", "saddr") ",\"data\":{\"set\":[[\"10.0.0.1\",{\"accept\":null}]]}}}",
          NULL },

        /* Not what nft prints. */
        { "", NULL },
        { "7,\"drop\",null", NULL },
        { "{\"match\":7}," DROP, "drop" },
        { "{\"match\":{\"op\":7,\"left\":[],\"right\":{}}}," DROP, "drop" },
        { "{\"drop\\u001b[1m\":null},{\"reject\":null}", "drop?[1m reject" },
};

static struct suspects parse(const char *ruleset, int family, unsigned hooks, const char *device)
{
        struct suspects suspects;
        char *copy = exact_copy(ruleset, strlen(ruleset));

        assert_int_equal(nft_suspects_parse(copy, strlen(ruleset), family, hooks, device, &suspects), 0);
        free(copy);
        return suspects;
}

static void test_rules(void **state)
{
        static const char begin[] = "{\"nftables\":[{\"chain\":{\"family\":\"inet\",\"table\":\"t\",\"name\":\"c\","
                                    "\"type\":\"filter\",\"hook\":\"input\",\"policy\":\"accept\"}},{\"rule\":{"
                                    "\"family\":\"inet\",\"table\":\"t\",\"chain\":\"c\",\"handle\":7,\"expr\":[";
        char ruleset[1024], text[256];

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct suspects suspects;

                (void) snprintf(ruleset, sizeof(ruleset), "%s%s]}}]}", begin, rules[i].expressions);
                (void) snprintf(text, sizeof(text), "inet t c handle 7: %s; see: nft --handle list chain inet t c",
                                rules[i].text ? rules[i].text : "");
                suspects = parse(ruleset, AF_INET, NFT_HOOK_INPUT, "tun0");
                if (suspects.n != (rules[i].text != NULL) || (suspects.n > 0 && strcmp(suspects.texts[0], text) != 0))
                        fail_msg("%s: %s", rules[i].expressions, suspects.n > 0 ? suspects.texts[0] : "no suspect");
                suspects_free(&suspects);
        }
}

#define TABLE(family)       "\"family\":\"" family "\",\"table\":\"t\""
#define CHAIN(family, name) "{\"chain\":{" TABLE(family) ",\"name\":\"" name "\"}}"
#define BASE(family, name, hook, rest) \
        "{\"chain\":{" TABLE(family) ",\"name\":\"" name "\",\"type\":\"filter\",\"hook\":\"" hook "\"" rest "}}"
#define RULE(family, chain, handle, expressions) \
        ",{\"rule\":{" TABLE(family) ",\"chain\":\"" chain "\",\"handle\":" handle ",\"expr\":[" expressions "]}}"
#define JUMP(target)   "{\"jump\":{\"target\":\"" target "\"}}"
#define GOTO(target)   "{\"goto\":{\"target\":\"" target "\"}}"
#define POLICY(policy) ",\"policy\":\"" policy "\""

#define MAP(family, name, verdict) \
        ",{\"map\":{" TABLE(family) ",\"name\":\"" name "\",\"elem\":[[1," verdict "]]}}"
#define VMAP(key, map) "{\"vmap\":{\"key\":" key ",\"data\":\"" map "\"}}"

/* A ruleset, and the chains and handles that are suspected, in order. */
static const struct {
        const char *what, *objects;
        int family;
        unsigned hooks;
        const char *found;
} rulesets[] = {
        { "a policy", BASE("ip", "c", "input", POLICY("drop")), AF_INET, NFT_HOOK_INPUT, "ip t c: policy drop|" },
        { "another hook", BASE("ip", "c", "input", POLICY("drop")), AF_INET, ALL_HOOKS & ~(unsigned) NFT_HOOK_INPUT, "" },
        { "another family", BASE("ip", "c", "input", POLICY("drop")), AF_INET6, ALL_HOOKS, "" },
        { "a bridge", BASE("bridge", "c", "input", POLICY("drop")), AF_INET, ALL_HOOKS, "" },
        { "all pings accepted before the policy",
          BASE("inet", "c", "input", POLICY("drop")) RULE("inet", "c", "1", ICMP4 ",{\"accept\":null}"), AF_INET,
          ALL_HOOKS, "" },
        { "only those of IPv4",
          BASE("inet", "c", "input", POLICY("drop")) RULE("inet", "c", "1", IP4 ",{\"accept\":null}"), AF_INET6,
          ALL_HOOKS, "inet t c: policy drop|" },
        { "some pings accepted before",
          BASE("ip", "c", "input", POLICY("drop"))
                  RULE("ip", "c", "1", MATCH(PAYLOAD("icmp", "type"), "==", "\"echo-reply\"") ",{\"accept\":null}"),
          AF_INET, ALL_HOOKS, "ip t c: policy drop|" },
        { "behind a verdict for all",
          BASE("ip", "c", "input", "") RULE("ip", "c", "1", "{\"counter\":null},{\"return\":null}") RULE("ip", "c", "2", DROP),
          AF_INET, ALL_HOOKS, "" },
        { "in a chain that is jumped to",
          BASE("ip", "c", "output", "") "," CHAIN("ip", "d") RULE("ip", "c", "1", JUMP("d")) RULE("ip", "d", "2", DROP),
          AF_INET, NFT_HOOK_OUTPUT, "ip t d handle 2: drop|" },
        { "in one that no ping is sent to",
          BASE("ip", "c", "output", "") "," CHAIN("ip", "d")
                  RULE("ip", "c", "1", MATCH(META("l4proto"), "==", "\"tcp\"") "," JUMP("d")) RULE("ip", "d", "2", DROP),
          AF_INET, NFT_HOOK_OUTPUT, "" },
        { "a chain that nothing leads to", CHAIN("ip", "d") RULE("ip", "d", "2", DROP), AF_INET, ALL_HOOKS, "" },
        { "a loop", BASE("ip", "c", "input", "") RULE("ip", "c", "1", JUMP("c")) RULE("ip", "c", "2", DROP), AF_INET,
          ALL_HOOKS, "ip t c handle 2: drop|" },
        { "two ways to one rule",
          BASE("ip", "c", "input", "") "," BASE("ip", "e", "output", "") "," CHAIN("ip", "d")
                  RULE("ip", "c", "1", GOTO("d")) RULE("ip", "e", "2", JUMP("d")) RULE("ip", "d", "3", DROP),
          AF_INET, ALL_HOOKS, "ip t d handle 3: drop|" },
        { "a rule for the second of two hooks",
          BASE("ip", "c", "input", "") "," BASE("ip", "e", "output", "") "," CHAIN("ip", "d")
                  RULE("ip", "c", "1", JUMP("d")) RULE("ip", "e", "2", JUMP("d"))
                          RULE("ip", "d", "3", MATCH(META("iifname"), "==", "\"lo\"") "," DROP),
          AF_INET, ALL_HOOKS, "ip t d handle 3: iifname lo drop|" },
        { "a map of verdicts",
          BASE("ip", "c", "input", "") MAP("ip", "m", "{\"drop\":null}") RULE("ip", "c", "1", VMAP(META("mark"), "@m")),
          AF_INET, ALL_HOOKS, "ip t c handle 1: meta mark vmap @m|" },
        { "a map of accepts",
          BASE("ip", "c", "input", "") MAP("ip", "m", "{\"accept\":null}") RULE("ip", "c", "1", VMAP(META("mark"), "@m")),
          AF_INET, ALL_HOOKS, "" },
        { "this device", BASE("netdev", "c", "ingress", POLICY("drop") ",\"dev\":\"tun0\""), AF_INET6, ALL_HOOKS,
          "netdev t c: policy drop|" },
        { "one of its devices", BASE("netdev", "c", "egress", POLICY("drop") ",\"dev\":[null,\"lo\",\"tun0\"]"), AF_INET,
          ALL_HOOKS, "netdev t c: policy drop|" },
        { "other devices", BASE("netdev", "c", "ingress", POLICY("drop") ",\"dev\":[\"lo\"]"), AF_INET, ALL_HOOKS, "" },
        { "an unknown device", BASE("netdev", "c", "ingress", POLICY("drop")), AF_INET, ALL_HOOKS,
          "netdev t c: policy drop|" },
        { "a dormant table",
          "{\"table\":{\"family\":\"ip\",\"name\":\"t\",\"flags\":\"dormant\"}}," BASE("ip", "c", "input", POLICY("drop")),
          AF_INET, ALL_HOOKS, "" },
        { "a mark before routing",
          BASE("ip", "c", "prerouting", "") RULE("ip", "c", "1", "{\"mangle\":{\"key\":" META("mark") ",\"value\":1}}"),
          AF_INET, ALL_HOOKS, "ip t c handle 1: meta mark set 1|" },
        { "nothing", "7,[],{},{\"chain\":null},{\"rule\":{}},{\"chain\":{\"hook\":\"input\"}}", AF_INET, ALL_HOOKS, "" },
};

static void test_rulesets(void **state)
{
        char ruleset[4096], found[1024];

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rulesets); i++) {
                struct suspects suspects;
                size_t used = 0;

                (void) snprintf(ruleset, sizeof(ruleset), "{\"nftables\":[%s]}", rulesets[i].objects);
                suspects = parse(ruleset, rulesets[i].family, rulesets[i].hooks, "tun0");
                found[0] = '\0';
                for (size_t j = 0; j < suspects.n; j++)
                        used += (size_t) snprintf(found + used, sizeof(found) - used, "%.*s|",
                                                  (int) (strstr(suspects.texts[j], "; see:") - suspects.texts[j]),
                                                  suspects.texts[j]);
                if (strcmp(found, rulesets[i].found) != 0)
                        fail_msg("%s: '%s'", rulesets[i].what, found);
                suspects_free(&suspects);
        }
}

/* More than a screen of them, and names that a shell or a terminal would obey. */
static void test_limits(void **state)
{
        static char ruleset[16384];
        struct suspects suspects;
        size_t used;

        (void) state;

        used = (size_t) snprintf(ruleset, sizeof(ruleset), "{\"nftables\":[" BASE("ip", "c", "input", ""));
        for (int i = 0; i < 50; i++)
                used += (size_t) snprintf(ruleset + used, sizeof(ruleset) - used, "%s",
                                          RULE("ip", "c", "1", MATCH(PAYLOAD("ip", "id"), "==", "1") "," DROP));
        (void) snprintf(ruleset + used, sizeof(ruleset) - used, "]}");
        suspects = parse(ruleset, AF_INET, ALL_HOOKS, NULL);
        assert_int_equal(suspects.n, 21);
        assert_string_equal(suspects.texts[20], "30 more; see: nft --handle list ruleset");
        suspects_free(&suspects);

        (void) snprintf(ruleset, sizeof(ruleset), "{\"nftables\":[%s]}",
                        BASE("ip", "$(reboot)\\u001b\\u0007\\u00e9", "input", POLICY("drop")));
        suspects = parse(ruleset, AF_INET, ALL_HOOKS, NULL);
        assert_int_equal(suspects.n, 1);
        assert_string_equal(suspects.texts[0], "ip t $(reboot)????: policy drop; see: nft --handle list ruleset");
        suspects_free(&suspects);
}

static void test_invalid(void **state)
{
        static const char *const texts[] = { "", "{", "[]", "null", "{}", "{\"nftables\":{}}", "{\"nftables\":[" };
        struct suspects suspects;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                assert_int_equal(nft_suspects_parse(texts[i], strlen(texts[i]), AF_INET, ALL_HOOKS, NULL, &suspects),
                                 -EBADMSG);
}

/* What stands in the place of nft, and what is returned. */
static const struct {
        const char *script; /* NULL: no program */
        int result;
} programs[] = {
        { NULL, -ENOENT },
        { "exit 1", -EIO },
        { "kill -9 $$", -EIO },
        { "echo '{'", -EBADMSG },
        { "exec cat /dev/zero", -EFBIG },
        { "exec sleep 1000", -ETIMEDOUT },
        { "exec >&-; exec sleep 1000", -ETIMEDOUT },
        { "echo '{\"nftables\":[]}'; exec >&-; sleep 0.1", 0 },
        { "[ \"$*\" = '--json list ruleset' ] && echo '{\"nftables\":[]}'", 0 },
        { "read x; env | grep -q . && [ ! -e /proc/$$/fd/3 ] && echo '{\"nftables\":[]}'", 0 },
};

static bool write_program(const char *path, const char *script)
{
        FILE *file = fopen(path, "we");

        if (!file)
                return false;

        fprintf(file, "#!/bin/sh\n%s\n", script);
        return fclose(file) == 0 && chmod(path, 0755) == 0;
}

static const char *run_programs(void)
{
        static char failure[64];
        struct suspects suspects;
        const char *problem = become_root(CLONE_NEWNS);

        if (problem)
                return problem;
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return "the mounts cannot be made private";
        for (size_t i = 0; i < 2; i++)
                if (mount("tmpfs", i == 0 ? "/usr/sbin" : "/usr/local/sbin", "tmpfs", 0, NULL) < 0)
                        return "a tmpfs cannot be mounted";

        /* It would run as root, and is not used. */
        if (!write_program("/usr/local/sbin/nft", "echo '{\"nftables\":[]}'"))
                return "there is no program in /usr/local";

        for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
                int r;

                if (programs[i].script && !write_program("/usr/sbin/nft", programs[i].script))
                        return "there is no program";

                r = nft_suspects_read(AF_INET, ALL_HOOKS, NULL, &suspects);
                if (r == 0)
                        suspects_free(&suspects);
                if (r != programs[i].result) {
                        (void) snprintf(failure, sizeof(failure), "program %zu: %d", i, r);
                        return failure;
                }
        }
        return NULL;
}

static const char *run_as_user(void)
{
        struct suspects suspects;

        if (geteuid() == 0 && setuid(65534) < 0)
                return "there is no other user";

        return nft_suspects_read(AF_INET, ALL_HOOKS, NULL, &suspects) == -EPERM ? NULL : "not refused";
}

static void test_read(void **state)
{
        const child_function functions[] = { run_programs, run_as_user };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
                const char *failure = in_child(functions[i], NULL, 0);

                if (failure)
                        fail_msg("%s", failure);
        }
}

int main(void)
{
        struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rules),
                cmocka_unit_test(test_rulesets),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_invalid),
                cmocka_unit_test(test_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
