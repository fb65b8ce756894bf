/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Mistyped commands, and names of instances in the place of a command. */

#include "client/command.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

static const char *const names[] = { "status", "metrics", "sessions", "watch", "ping" };

static void test_similar(void **state)
{
        static const struct {
                const char *word, *similar; /* or NULL */
        } rules[] = {
                { "stauts", "status" },    /* swapped */
                { "satus", "status" },     /* left out */
                { "statuss", "status" },   /* added */
                { "stqtus", "status" },    /* replaced */
                { "metric", "metrics" },   /* the begin */
                { "se", "sessions" },      /* likewise */
                { "seesions", "sessions" },
                { "wacht", "watch" },
                { "pnig", "ping" },
                { "pong", "ping" },
                { "sttaus", "status" },
                { "STATUS", NULL },
                { "", NULL },
                { "s", NULL },
                { "xy", NULL },
                { "eth0", NULL },
                { "start", NULL },
                { "statistics", NULL },
                { "a word that is far too long for a command", NULL },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                const char *similar = command_find_similar(rules[i].word, names, ARRAY_SIZE(names));

                if ((similar == NULL) != (rules[i].similar == NULL) ||
                    (similar && strcmp(similar, rules[i].similar) != 0))
                        fail_msg("'%s' is like '%s'", rules[i].word, similar ? similar : "none");
        }
}

static void test_instances(void **state)
{
        static const struct {
                const char *word;
                bool is_instance;
        } rules[] = {
                { "tun0", true },    { "tun255", true }, { "tun", false },  { "tun0x", false },     { "tunx", false },
                { "echo-a", true },  { "eth0", false },  { "", false },     { "../echo-a", false }, { ".", false },
                { "tun0/", false },  { "all", false },   { "tun12345678901234", false },
        };
        char directory[] = "/tmp/tunecho-command-XXXXXX", path[64];

        (void) state;

        assert_non_null(mkdtemp(directory));
        (void) snprintf(path, sizeof(path), "%s/echo-a", directory);
        assert_int_equal(mkdir(path, 0700), 0);
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
                if (command_is_instance(rules[i].word, directory) != rules[i].is_instance)
                        fail_msg("'%s'", rules[i].word);
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_similar),
                cmocka_unit_test(test_instances),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
