/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the answers about the pings of a client mean, and how that is printed. */

#include "client/from.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "unit.h"

#define PATHS_MAX 3

static const struct {
        const char *what;
        const char *device, *reply, *hop; /* causes, or NULL */
        const char *requests[PATHS_MAX];  /* "" is none; NULL behind the last */
        int likely;                       /* of the requests; -1: none */
        const char *stage, *cause;
        bool certain;
} cases[] = {
        { "all is well", NULL, NULL, NULL, { "", "" }, 0, NULL, NULL, true },
        { "the device", "device-down", NULL, NULL, { NULL }, -1, "device", "device-down", true },
        { "the likely interface, and no other", NULL, NULL, NULL, { "rp-filter", "martian" }, 0, "request", "rp-filter", true },
        { "the likely one, but another takes them", NULL, NULL, NULL, { "", "rp-filter" }, 1, "request", "rp-filter", false },
        { "another one", NULL, NULL, NULL, { "rp-filter", "" }, 1, NULL, NULL, true },
        { "all, by one cause", NULL, "no-return-route", NULL, { "no-route", "no-route" }, -1, "request", "no-route", true },
        { "all, by several causes", NULL, NULL, NULL, { "no-route", "martian" }, -1, "request", "no-route", false },
        { "requests before replies", NULL, "no-return-route", NULL, { "no-route" }, 0, "request", "no-route", true },
        { "replies", NULL, "no-return-route", NULL, { "martian", "" }, -1, "reply", "no-return-route", true },
        { "no interface, replies", NULL, "no-return-route", NULL, { NULL }, -1, "reply", "no-return-route", true },
        { "the next hop", NULL, NULL, "next-hop", { "" }, 0, "next-hop", "next-hop", false },
        { "requests before the next hop", NULL, NULL, "next-hop", { "martian" }, 0, "request", "martian", true },
};

/* Fills in what the kernel would have answered in a case. */
static struct from_report make_report(size_t n, struct from_path paths[static PATHS_MAX])
{
        struct from_report report = {
                .interface = "tun0",
                .neighbour = "stale",
                .requests = paths,
                .stage = cases[n].device ? "device" : NULL,
        };

        assert_int_equal(address_parse(&report.client, "192.0.2.9"), 0);
        assert_int_equal(address_parse(&report.peer, "198.18.0.2"), 0);
        assert_int_equal(address_parse(&report.next_hop, "192.0.2.254"), 0);
        strcpy(report.reply.in, "tun0");
        strcpy(report.reply.out, "lan");
        strcpy(report.reply.text, "reply text");
        strcpy(report.hop.text, "hop text");
        report.reply.cause = cases[n].reply;
        report.hop.cause = cases[n].device ? cases[n].device : cases[n].hop;
        for (size_t i = 0; i < PATHS_MAX && cases[n].requests[i]; i++) {
                paths[i] = (struct from_path) { .in = "lan", .out = "tun0", .text = "request text", .remedy = "help" };
                paths[i].cause = cases[n].requests[i][0] != '\0' ? cases[n].requests[i] : NULL;
                paths[i].is_likely = (int) i == cases[n].likely;
                report.n_requests++;
        }
        return report;
}

static void test_decide(void **state)
{
        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct from_path paths[PATHS_MAX];
                struct from_report report = make_report(i, paths);

                from_report_decide(&report);
                if ((report.stage != NULL) != (cases[i].stage != NULL) || report.certain != cases[i].certain)
                        fail_msg("%s: %s", cases[i].what, report.stage ? report.stage : "nothing");
                if (report.stage && (strcmp(report.stage, cases[i].stage) != 0 ||
                                     strcmp(report.path->cause, cases[i].cause) != 0))
                        fail_msg("%s: %s, %s", cases[i].what, report.stage, report.path->cause);
        }
}

static char *print(const struct from_reports *reports, bool json)
{
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        assert_non_null(file);
        if (json)
                assert_int_equal(from_print_json(reports, file), 0);
        else
                from_print(reports, file);
        assert_int_equal(fclose(file), 0);
        return text;
}

static void test_print(void **state)
{
        char suspect[] = "ip filter FORWARD: policy drop", *texts[] = { suspect }, *text;
        struct from_path paths[PATHS_MAX];
        struct from_report report = make_report(3, paths);
        struct from_reports reports = { .items = &report, .n = 1, .suspects = { .texts = texts, .n = 1 } };

        (void) state;

        from_report_decide(&report);
        text = print(&reports, false);
        assert_string_equal(text, "tun0 198.18.0.2: rp-filter, for pings from 192.0.2.9\n"
                                  "  stage:   request\n"
                                  "  cause:   request text (likely)\n"
                                  "  remedy:  help\n"
                                  "  request: on 'lan', taken, and routed into 'tun0'\n"
                                  "  request: on 'lan' (likely), rp-filter: request text\n"
                                  "  reply:   routed out of 'lan', next hop 192.0.2.254 (stale)\n"
                                  "  suspect: ip filter FORWARD: policy drop\n"
                                  "  unseen:  other hosts on the path, and what the client itself does with the "
                                  "replies\n"
                                  "  unseen:  on which interface the requests arrive, and rules for a mark or a "
                                  "protocol\n"
                                  "  unseen:  whether one of the suspected rules matches these pings\n");
        free(text);
}

static void test_json(void **state)
{
        static const char *const keys[] = { "interface", "address", "from", "ok", "stage", "cause", "text",
                                            "remedy", "certain", "paths", "next_hop", "neighbour", "suspects",
                                            "unseen" };
        struct from_path paths[PATHS_MAX];
        struct from_report report = make_report(0, paths);
        struct from_reports reports = { .items = &report, .n = 1 };
        struct json_object *array, *object;
        char *text;

        (void) state;

        from_report_decide(&report);
        text = print(&reports, true);
        array = json_tokener_parse(text);
        assert_int_equal(json_object_array_length(array), 1);
        object = json_object_array_get_idx(array, 0);
        assert_int_equal(json_object_object_length(object), ARRAY_SIZE(keys));
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                assert_true(json_object_object_get_ex(object, keys[i], NULL));
        assert_true(json_object_get_boolean(json_object_object_get(object, "ok")));
        assert_string_equal(json_object_get_string(json_object_object_get(object, "cause")), "healthy");
        assert_int_equal(json_object_array_length(json_object_object_get(object, "paths")), 3);
        (void) json_object_put(array);
        free(text);
}

static void test_unseen(void **state)
{
        static const struct {
                int error;
                const char *text; /* that the last line contains */
        } errors[] = {
                { 0, "which interface" },
                { -EPERM, "only root" },
                { -ENOENT, "not installed" },
                { -EIO, "could not be read" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
                const struct from_reports reports = { .suspects_error = errors[i].error };
                const char *texts[FROM_MAX_UNSEEN];
                size_t n = 0;

                from_list_unseen(texts, &reports);
                while (texts[n])
                        n++;
                assert_non_null(strstr(texts[n - 1], errors[i].text));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_decide),
                cmocka_unit_test(test_print),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_unseen),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
