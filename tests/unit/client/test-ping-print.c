/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The reports of pings: for a person, for a monitor, and as JSON. */

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/socket.h>

#include "client/ping-print.h"
#include "client/ping-run.h"
#include "unit.h"

static struct ping_report make_good(void)
{
        struct ping_report report = {
                .interface = "tun0",
                .result = { .attempts = 100, .sent = 100, .received = 100, .median_usec = 61 },
                .decision = { .cause = PING_CAUSE_HEALTHY, .stage = PING_NOWHERE, .is_certain = true },
                .text = "every ping was answered",
        };

        (void) address_parse(&report.address, "2001:2::2");
        for (enum ping_stage stage = 0; stage < _PING_STAGE_MAX; stage++)
                report.decision.passed[stage] = 100;
        return report;
}

static struct ping_report make_broken(unsigned received)
{
        static char *rules[] = { (char *) "a rule" };
        struct ping_report report = make_good();

        report.result.received = received;
        report.decision.cause = CAUSE_RP_FILTER;
        report.decision.stage = PING_IP_IN;
        for (enum ping_stage stage = PING_IP_IN; stage < _PING_STAGE_MAX; stage++)
                report.decision.passed[stage] = received;
        strcpy(report.text, "the text");
        strcpy(report.remedy, "the remedy");
        report.suspects = (struct suspects) { .texts = rules, .n = 1 };
        report.reasons.n = 1;
        report.reasons.items[0] = (struct drop_reason) { .reason = "NETFILTER_DROP", .count = 40 };
        return report;
}

static struct ping_report make_untested(void)
{
        return (struct ping_report) { .interface = "tun1", .error = -EACCES, .error_advice = "the advice" };
}

static void assert_printed(const struct ping_report *report, const char *expected)
{
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        assert_non_null(file);
        ping_print(report, file);
        (void) fclose(file);
        assert_string_equal(text, expected);
        free(text);
}

static void test_person(void **state)
{
        struct ping_report good = make_good(), broken = make_broken(0), untested = make_untested();

        (void) state;

        assert_printed(&good, "tun0 2001:2::2: healthy, 100 of 100 pings answered, median 0.061 ms\n");
        assert_printed(
                &broken,
                "tun0 2001:2::2: rp-filter, 0 of 100 pings answered\n"
                "  stage:   ip-in\n"
                "  passed:  sent 100, ip-out 100, device-out 100, tunecho 100, device-in 100, ip-in 0, "
                "icmp-in 0, socket 0\n"
                "  cause:   the text\n"
                "  remedy:  the remedy\n"
                "  suspect: a rule\n"
                "  kernel:  NETFILTER_DROP in ?, 40 packets\n");
        assert_printed(&untested, "tun1: not tested: Permission denied; the advice\n");
}

static void test_monitor(void **state)
{
        const struct {
                struct ping_report reports[2];
                size_t n;
                int status;
                const char *line;
        } cases[] = {
                { { make_good() },
                  1,
                  0,
                  "TUNECHO OK: tun0 2001:2::2 healthy (100/100) | 'tun0 2001:2::2 pl'=0%;0;99;0;100 'tun0 "
                  "2001:2::2 "
                  "rta'=0.061ms;;;0\n" },
                { { make_broken(60), make_untested() },
                  2,
                  1,
                  "TUNECHO WARNING: tun0 2001:2::2 rp-filter (60/100), tun1 not tested (0/0) | 'tun0 "
                  "2001:2::2 "
                  "pl'=40%;0;99;0;100 'tun0 2001:2::2 rta'=0.061ms;;;0\n" },
                { { make_untested(), make_broken(0) },
                  2,
                  2,
                  "TUNECHO CRITICAL: tun1 not tested (0/0), tun0 2001:2::2 rp-filter (0/100) | 'tun0 "
                  "2001:2::2 "
                  "pl'=100%;0;99;0;100\n" },
                { { make_good(), make_untested() },
                  2,
                  3,
                  "TUNECHO UNKNOWN: tun0 2001:2::2 healthy (100/100), tun1 not tested (0/0) | 'tun0 "
                  "2001:2::2 "
                  "pl'=0%;0;99;0;100 'tun0 2001:2::2 rta'=0.061ms;;;0\n" },
                { { make_good() }, 0, 3, "TUNECHO UNKNOWN: no instance is running\n" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char *text = NULL;
                size_t size;
                FILE *file = open_memstream(&text, &size);

                assert_non_null(file);
                ping_print_nagios(cases[i].reports, cases[i].n, file);
                (void) fclose(file);
                assert_string_equal(text, cases[i].line);
                assert_int_equal(ping_nagios_status(cases[i].reports, cases[i].n), cases[i].status);
                free(text);
        }
}

static const char *get_text(struct json_object *object, const char *key)
{
        struct json_object *value;

        assert_true(json_object_object_get_ex(object, key, &value));
        return json_object_get_string(value);
}

static void test_json(void **state)
{
        const struct ping_report reports[] = { make_broken(60), make_good(), make_untested() };
        struct json_object *array, *object, *value;
        char *text = NULL;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        (void) state;

        assert_int_equal(ping_print_json(reports, ARRAY_SIZE(reports), file), 0);
        (void) fclose(file);
        array = json_tokener_parse(text);
        assert_int_equal(json_object_array_length(array), ARRAY_SIZE(reports));

        object = json_object_array_get_idx(array, 0);
        assert_string_equal(get_text(object, "interface"), "tun0");
        assert_string_equal(get_text(object, "address"), "2001:2::2");
        assert_string_equal(get_text(object, "ok"), "false");
        assert_string_equal(get_text(object, "sent"), "100");
        assert_string_equal(get_text(object, "received"), "60");
        assert_string_equal(get_text(object, "stage"), "ip-in");
        assert_string_equal(get_text(object, "cause"), "rp-filter");
        assert_string_equal(get_text(object, "remedy"), "the remedy");
        assert_string_equal(get_text(object, "certain"), "true");
        assert_string_equal(get_text(object, "suspects"), "[ \"a rule\" ]");
        assert_string_equal(get_text(object, "reasons"),
                            "[ { \"reason\": \"NETFILTER_DROP\", \"location\": \"\", \"packets\": 40 } ]");
        assert_true(json_object_object_get_ex(object, "stages", &value));
        assert_int_equal(json_object_array_length(value), _PING_STAGE_MAX);
        assert_string_equal(get_text(json_object_array_get_idx(value, 0), "name"), "sent");
        assert_string_equal(get_text(json_object_array_get_idx(value, PING_IP_IN), "packets"), "60");

        object = json_object_array_get_idx(array, 1);
        assert_string_equal(get_text(object, "ok"), "true");
        assert_string_equal(get_text(object, "cause"), "healthy");
        assert_null(get_text(object, "stage"));

        object = json_object_array_get_idx(array, 2);
        assert_string_equal(get_text(object, "ok"), "false");
        assert_null(get_text(object, "cause"));
        assert_null(get_text(object, "address"));
        assert_string_equal(get_text(object, "text"), "Permission denied");
        assert_string_equal(get_text(object, "remedy"), "the advice");

        json_object_put(array);
        free(text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_person),
                cmocka_unit_test(test_monitor),
                cmocka_unit_test(test_json),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
