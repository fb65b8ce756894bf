/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The table, the JSON and the metrics: their text, and what the programs say that they are made for. */

#include "client/print.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/instances.h"
#include "client/print-sessions.h"
#include "samples.h"
#include "unit.h"

#define OUTPUT_SIZE 65536

enum form {
        FORM_TABLE,
        FORM_JSON,
        FORM_METRICS,
        FORM_OPENMETRICS,
};

static void print(enum form form, const struct instances *instances, FILE *file)
{
        switch (form) {
        case FORM_TABLE:
                assert_int_equal(table_print(instances, file), 0);
                break;
        case FORM_JSON:
                assert_int_equal(json_print(instances, file), 0);
                break;
        default:
                metrics_print(instances, form == FORM_OPENMETRICS, file);
        }
}

/* What is printed, until the next call. */
static const char *output(enum form form, struct snapshot *snapshots, size_t n)
{
        static char text[OUTPUT_SIZE];
        const struct instances instances = { snapshots, n };
        FILE *file = fmemopen(text, sizeof(text), "w");

        assert_non_null(file);
        print(form, &instances, file);
        fclose(file);
        return text;
}

/* The blanks at the end of a line depend on the version of the library. */
static const char *without_blanks_at_ends(const char *text)
{
        static char result[OUTPUT_SIZE];
        size_t used = 0;

        for (const char *c = text; *c != '\0'; c++) {
                while (*c == '\n' && used > 0 && result[used - 1] == ' ')
                        used--;
                result[used++] = *c;
        }

        result[used] = '\0';
        return result;
}

static void assert_contains(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("no '%s' in:\n%s", part, text);
}

static struct snapshot quiet_snapshot(const char *interface)
{
        struct snapshot snapshot = sample_snapshot(interface);

        snapshot.status.counters = (struct counters) { 0 };
        snapshot.status.counters.verdicts[VERDICT_REPLY] = 52;
        snapshot.status.counters.verdicts[VERDICT_NOT_ECHO] = 1;
        snapshot.status.packets = 53;
        snapshot.status.replies = 52;
        snapshot.status.dropped = 1;
        return snapshot;
}

static void test_table(void **state)
{
        struct snapshot snapshots[] = { quiet_snapshot("tun0"), sample_silence("tun1", -ECONNREFUSED),
                                        quiet_snapshot("echo-a"), quiet_snapshot("tun2") };

        (void) state;

        snapshots[0].status.counters.verdicts[VERDICT_MALFORMED] = 12;
        snapshots[0].status.packets += 12;
        snapshots[2].status.ping[0][0] = snapshots[2].status.ping[1][0] = '\0';
        strcpy(snapshots[2].status.state, "reload-refused");
        snapshots[3].status.ping[1][0] = '\0';
        snapshots[3].status.counters.unsent = 7;
        snapshots[3].status.counters.verdicts[VERDICT_NOT_ECHO] = 0;
        snapshots[3].status.dropped = 0;
        strcpy(snapshots[3].status.engine, "syscall");
        assert_string_equal(
                without_blanks_at_ends(output(FORM_TABLE, snapshots, 4)),
                "INTERFACE STATE          PING       PACKETS  REPLIES DROPPED      SESSIONS UPTIME ENGINE\n"
                "tun0      running        198.18.0.2      65       52 12 malformed        3 3m12s  io_uring\n"
                "                         2001:2::2                   1 not-echo\n"
                "tun1      not-running\n"
                "echo-a    reload-refused                 53       52 1 not-echo          3 3m12s  io_uring\n"
                "tun2      running        198.18.0.2      53       52 0                   3 3m12s  syscall\n"
                "                                            7 unsent\n");
}

/* What sessions prints, until the next call. */
static const char *sessions_output(bool json, struct snapshot *snapshots, size_t n)
{
        static char text[OUTPUT_SIZE];
        const struct instances instances = { snapshots, n };
        FILE *file = fmemopen(text, sizeof(text), "w");
        char *table = NULL;

        assert_non_null(file);
        text[0] = '\0'; /* where nothing is printed */
        if (json)
                assert_int_equal(sessions_print_json(&instances, file), 0);
        else
                assert_int_equal(sessions_format(&table, &instances), 0);
        fputs(table ? table : "", file);
        fclose(file);
        free(table);
        return without_blanks_at_ends(text);
}

/* All instances in one table, the latest request first. */
static void test_sessions(void **state)
{
        struct sessions zero = sample_sessions("tun0"), one = sample_sessions("tun1");
        struct snapshot snapshots[] = { sample_snapshot("tun0"), sample_snapshot("tun1"),
                                        sample_silence("tun2", -ECONNREFUSED) };

        (void) state;

        one.n = one.open = 1;
        one.rows[0].idle_usec = 65000000;
        strcpy(zero.rows[1].unknown, "new-reason");
        snapshots[0].sessions = &zero;
        snapshots[1].sessions = &one;
        assert_string_equal(
                sessions_output(false, snapshots, 3),
                "INTERFACE FROM        TO           ID REQUESTS    MISSING DUPLICATE REORDERED TT"
                "L      SIZE        SEEN REFUSED\n"
                "tun0      198.18.0.1  198.18.0.2 4711       90         10         1         0 63"
                " to 64 84            1s 0\n"
                "tun0      2001:db8::7 2001:2::2     1        8    unknown         0         0 64"
                "       104 to 1500   9s 2\n"
                "                                               new-reason                       "
                "                        by 2001:db8::9\n"
                "                                                                                "
                "                        packet too big, MTU 1280\n"
                "tun1      198.18.0.1  198.18.0.2 4711       90         10         1         0 63"
                " to 64 84          1m5s 0\n");
        assert_string_equal(sessions_output(false, &snapshots[2], 1), "");
}

/* The columns of the addresses are absent if no instance has sent any. */
static void test_sessions_without_addresses(void **state)
{
        struct sessions sessions = sample_sessions("tun0");
        struct snapshot snapshot = sample_snapshot("tun0");
        const char *text;

        (void) state;

        snapshot.sessions = &sessions;
        strcpy(sessions.addresses, "no");
        for (size_t i = 0; i < sessions.n; i++)
                sessions.rows[i].source[0] = sessions.rows[i].destination[0] = sessions.rows[i].reporter[0] = '\0';
        text = sessions_output(false, &snapshot, 1);
        assert_null(strstr(text, "FROM"));
        assert_null(strstr(text, "TO "));
        assert_null(strstr(text, "by "));
        assert_contains(text, "every 2nd number");
        assert_contains(sessions_output(true, &snapshot, 1), "\"addresses\":false");
}

static void test_sessions_json(void **state)
{
        struct sessions sessions = sample_sessions("tun0");
        struct snapshot snapshots[] = { sample_snapshot("tun0"), sample_silence("tun1", -ECONNREFUSED) };
        const char *text;

        (void) state;

        snapshots[0].sessions = &sessions;
        text = sessions_output(true, snapshots, 2);
        assert_contains(text, "\"state\":\"running\",\n    \"recording\":true,\n    \"addresses\":true,\n"
                              "    \"open\":2");
        assert_contains(text, "\"from\":\"198.18.0.1\",\n        \"to\":\"198.18.0.2\"");
        assert_contains(text, "\"missing\":10,\n        \"step\":1,");
        assert_contains(text, "\"requests\":8,\n        \"unknown\":\"every-nth\",\n        \"step\":2,");
        assert_contains(text, "\"reason\":\"packet too big\",\n        \"type\":2,\n        \"code\":0");
        assert_contains(text, "\"interface\":\"tun1\",\n    \"state\":\"not-running\"\n  }");
}

/* One that runs on a terminal of 80 columns stays within it. */
static void test_table_is_narrow(void **state)
{
        struct snapshot snapshot = quiet_snapshot("tun0");
        const char *text = output(FORM_TABLE, &snapshot, 1);

        (void) state;

        for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
                assert_in_range(strcspn(line, "\n"), 1, 80);
}

static void test_durations(void **state)
{
        static const struct {
                uint64_t seconds;
                const char *text;
        } rules[] = {
                { 0, "0s" },
                { 59, "59s" },
                { 60, "1m0s" },
                { 3599, "59m59s" },
                { 3600, "1h0m" },
                { 86399, "23h59m" },
                { 86400, "1d0h" },
                { 8640000, "100d0h" },
                { UINT64_MAX / 1000000, "213503982d8h" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                char text[DURATION_TEXT_SIZE];

                assert_ptr_equal(duration_format(text, rules[i].seconds * 1000000), text);
                assert_string_equal(text, rules[i].text);
        }
}

/* Run a program on a text; -1 if it is not there. */
static int run_on(const char *command, const char *text)
{
        FILE *program = popen(command, "we");
        int status;

        assert_non_null(program);
        fputs(text, program);
        status = pclose(program);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status) == 127 ? -1 : WEXITSTATUS(status);
}

static const char json_is_right[] =
        "exec /usr/bin/python3 -c '\n"
        "import json, sys\n"
        "good, silent, without = json.load(sys.stdin)\n"
        "assert silent == {\"interface\": \"tun1\", \"state\": \"no-answer\"}, silent\n"
        "assert good[\"interface\"] == \"tun0\" and good[\"state\"] == \"running\", good\n"
        "assert good[\"ping\"] == [\"198.18.0.2\", \"2001:2::2\"] and without[\"ping\"] == [], good\n"
        "assert good[\"version\"] == \"0.1.0\" and good[\"engine\"] == \"io_uring\", good\n"
        "assert [good[key] for key in (\"pid\", \"mtu\", \"uptime_usec\")] == [4711, 1500, 192123456], good\n"
        "assert good[\"sessions\"] == 3 and good[\"refused\"] == 13 and good[\"unsent\"] == 2**64 - 1, good\n"
        "verdicts = good[\"verdicts\"]\n"
        "assert len(verdicts) == 16 and verdicts[\"bad-icmp-checksum\"] == 920, verdicts\n"
        "assert sum(verdicts.values()) == good[\"packets\"] == good[\"replies\"] + good[\"dropped\"]\n"
        "assert good[\"replies\"] == verdicts[\"reply\"] + verdicts[\"reply-fragment\"] == 1990, good\n"
        "assert without[\"version\"] == \"\\\"\\\\/\", without\n"
        "'";

static const char json_is_empty[] =
        "exec /usr/bin/python3 -c 'import json, sys; assert json.load(sys.stdin) == []'";

static void test_json(void **state)
{
        struct snapshot snapshots[] = { sample_snapshot("tun0"), sample_silence("tun1", -ETIMEDOUT),
                                        sample_snapshot("tun2") };

        (void) state;

        snapshots[0].status.counters.unsent = UINT64_MAX;
        snapshots[2].status.ping[0][0] = '\0';
        strcpy(snapshots[2].status.version, "\"\\/");
        assert_int_equal(run_on(json_is_right, output(FORM_JSON, snapshots, 3)), 0);
        assert_int_equal(run_on(json_is_empty, output(FORM_JSON, NULL, 0)), 0);
}

static void test_metrics(void **state)
{
        struct snapshot snapshots[] = { sample_snapshot("tun0"), sample_silence("tun1", -EBADMSG) };
        const char *text = output(FORM_METRICS, snapshots, 2);
        char sample[128];

        (void) state;

        assert_contains(text, "# HELP tunecho_packets_total Packets read");
        assert_contains(text, "\n# TYPE tunecho_packets_total counter\n");
        assert_contains(text, "\n# TYPE tunecho_info gauge\n");
        assert_contains(text, "\ntunecho_up{interface=\"tun0\"} 1\ntunecho_up{interface=\"tun1\"} 0\n");
        assert_contains(text, "\ntunecho_info{interface=\"tun0\",state=\"running\",engine=\"io_uring\","
                              "version=\"0.1.0\"} 1\n");
        assert_contains(text, "\ntunecho_state{interface=\"tun0\",state=\"running\"} 1\n"
                              "tunecho_state{interface=\"tun0\",state=\"down\"} 0\n");
        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                (void) snprintf(sample, sizeof(sample),
                                "\ntunecho_packets_total{interface=\"tun0\",verdict=\"%s\"} %u\n",
                                verdict_name(v), 1000 - 10 * v);
                assert_contains(text, sample);
        }
        assert_contains(text, "\ntunecho_unsent_replies_total{interface=\"tun0\"} 0\n");
        assert_contains(text, "\ntunecho_refused_replies_total{interface=\"tun0\"} 13\n");
        assert_contains(text, "\ntunecho_sessions{interface=\"tun0\"} 3\n");
        assert_contains(text, "\ntunecho_opened_sessions_total{interface=\"tun0\"} 300\n");
        assert_contains(text, "\ntunecho_evicted_sessions_total{interface=\"tun0\"} 30\n");
        assert_contains(text, "\ntunecho_mtu_bytes{interface=\"tun0\"} 1500\n");
        assert_contains(text, "\ntunecho_uptime_seconds{interface=\"tun0\"} 192.123456\n# EOF\n");
        assert_string_equal(text + strlen(text) - strlen("\n# EOF\n"), "\n# EOF\n");

        assert_null(strstr(strstr(text, "tun1") + 1, "tun1"));
}

static void test_openmetrics(void **state)
{
        struct snapshot snapshot = sample_snapshot("tun0");
        const char *text = output(FORM_OPENMETRICS, &snapshot, 1);

        (void) state;

        assert_contains(text, "# HELP tunecho_packets Packets read");
        assert_contains(text, "\n# TYPE tunecho_packets counter\n");
        assert_contains(text, "\n# TYPE tunecho info\n");
        assert_contains(text, "\ntunecho_packets_total{interface=\"tun0\",verdict=\"reply\"} 1000\n");
}

static void test_labels_are_escaped(void **state)
{
        struct snapshot snapshot = sample_snapshot("tun0");

        (void) state;

        strcpy(snapshot.status.version, "a\"b\\c");
        assert_contains(output(FORM_METRICS, &snapshot, 1), ",version=\"a\\\"b\\\\c\"} 1\n");
}

static const char promtool[] = "exec promtool check metrics >&2";

static void test_promtool(void **state)
{
        struct snapshot snapshots[] = { sample_snapshot("tun0"), sample_silence("tun1", -EBADMSG),
                                        sample_snapshot("tun2") };

        (void) state;

        strcpy(snapshots[2].status.version, "a\"b\\c");
        assert_int_equal(run_on(promtool, output(FORM_METRICS, snapshots, 3)), 0);
        assert_int_equal(run_on(promtool, output(FORM_METRICS, NULL, 0)), 0);
}

/* The parser of the specification's authors. */
static const char strict_parser[] =
        "exec /usr/bin/python3 -c '\n"
        "import sys\n"
        "from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse\n"
        "families = {family.name: family for family in parse(sys.stdin.read())}\n"
        "assert families[\"tunecho_packets\"].type == \"counter\", families\n"
        "assert families[\"tunecho\"].type == \"info\", families\n"
        "assert families[\"tunecho_sessions\"].type == \"gauge\", families\n"
        "assert all(family.documentation for family in families.values()), families\n"
        "info = [sample.labels for sample in families[\"tunecho\"].samples]\n"
        "assert not info or info[-1][\"version\"] == \"a\\\"b\\\\c\", info\n"
        "'";

static void test_strict_parser(void **state)
{
        struct snapshot snapshots[] = { sample_snapshot("tun0"), sample_silence("tun1", -EBADMSG),
                                        sample_snapshot("tun2") };

        (void) state;

        strcpy(snapshots[2].status.version, "a\"b\\c");
        assert_int_equal(run_on(strict_parser, output(FORM_OPENMETRICS, snapshots, 3)), 0);
        assert_int_equal(run_on(strict_parser, output(FORM_OPENMETRICS, NULL, 0)), 0);
}

int main(void)
{
        struct CMUnitTest promtool_test = cmocka_unit_test(test_promtool);
        struct CMUnitTest strict_parser_test = cmocka_unit_test(test_strict_parser);

        skip_unless(system("command -v promtool >/dev/null") == 0, &promtool_test, "needs promtool");
        skip_unless(system("exec /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null") == 0,
                    &strict_parser_test, "needs python3-prometheus-client");

        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_table_is_narrow),
                cmocka_unit_test(test_sessions),
                cmocka_unit_test(test_sessions_without_addresses),
                cmocka_unit_test(test_sessions_json),
                cmocka_unit_test(test_durations),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_metrics),
                cmocka_unit_test(test_openmetrics),
                cmocka_unit_test(test_labels_are_escaped),
                promtool_test,
                strict_parser_test,
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
