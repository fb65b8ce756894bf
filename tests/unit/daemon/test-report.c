/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What is reported of records that the test makes, and when: lines on stderr, and a timer. The clock is the
 * test's own, so that a minute takes no time.
 */

#include <systemd/sd-event.h>

#include "common/util.h"

static uint64_t now_usec;

static uint64_t fake_usec(void);
static int fake_event_now(sd_event *event, clockid_t clock, uint64_t *ret_usec);
static int fake_set_time(sd_event_source *source, uint64_t usec);

#define monotonic_usec           fake_usec
#define sd_event_now             fake_event_now
#define sd_event_source_set_time fake_set_time
#include "daemon/report.c"
#undef sd_event_now
#undef sd_event_source_set_time

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "unit.h"

static const struct journal journal = { .interface = "tun0" };

static struct {
        sd_event *event;
        struct records *records;
        struct report *report;
        unsigned n_woken;
        uint64_t due; /* of the timer */
        int output;   /* stands for stderr while the report runs */
        off_t read;   /* how much of it was read */
} test;

static uint64_t fake_usec(void)
{
        return now_usec;
}

static int fake_event_now(sd_event *event, clockid_t clock, uint64_t *ret_usec)
{
        (void) event;

        assert_int_equal(clock, CLOCK_MONOTONIC);
        *ret_usec = now_usec;
        return 0;
}

/* The loop does not dispatch the timer, advance() does: it is due after years, as many as 32 bits can count. */
static int fake_set_time(sd_event_source *source, uint64_t usec)
{
        test.due = usec;
        return sd_event_source_set_time(source, UINT64_C(1) << 50);
}

static void on_records(void *userdata)
{
        assert_ptr_equal(userdata, &test);
        test.n_woken++;
}

static int set_up(void **state)
{
        (void) state;

        memset(&test, 0, sizeof(test));
        now_usec = 1000 * SECOND_USEC;
        test.output = memfd_create("stderr", MFD_CLOEXEC);
        if (test.output < 0 || unsetenv("NOTIFY_SOCKET") < 0 || sd_event_new(&test.event) < 0 ||
            records_new(&test.records, 1) < 0)
                return -1;

        return report_new(&test.report, test.event, test.records, &journal, on_records, &test);
}

static int tear_down(void **state)
{
        (void) state;

        test.report = report_free(test.report);
        test.records = records_free(test.records);
        test.event = sd_event_unref(test.event);
        close(test.output);
        return 0;
}

/* Between these two stderr is read by the test. */
static int divert(void)
{
        int before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

        assert_true(before >= 0);
        assert_true(dup2(test.output, STDERR_FILENO) >= 0);
        return before;
}

static void restore(int before)
{
        assert_true(dup2(before, STDERR_FILENO) >= 0);
        close(before);
}

/* Dispatches the wake-up, if there is one. */
static bool run(void)
{
        int before = divert(), r = sd_event_run(test.event, 0);

        restore(before);
        assert_true(r >= 0);
        return r > 0;
}

static bool is_scheduled(void)
{
        int enabled;

        assert_true(sd_event_source_get_enabled(test.report->timer, &enabled) >= 0);
        return enabled != SD_EVENT_OFF;
}

/* Lets time pass, with the timer as often as it is due. */
static void advance(uint64_t usec)
{
        uint64_t until = now_usec + usec;

        while (is_scheduled() && test.due <= until) {
                int before = divert();

                if (test.due > now_usec)
                        now_usec = test.due;
                assert_int_equal(sd_event_source_set_enabled(test.report->timer, SD_EVENT_OFF), 0);
                assert_int_equal(on_timer(test.report->timer, test.due, test.report), 0);
                restore(before);
        }
        now_usec = until;
}

static const char *output(void)
{
        static char text[65536];
        ssize_t size = pread(test.output, text, sizeof(text) - 1, test.read);

        assert_true(size >= 0);
        text[size] = '\0';
        test.read += size;
        return text;
}

/* How many of the lines that were written since begin so. */
static unsigned count_lines(const char *text, const char *begin)
{
        unsigned n = 0;

        for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
                n += strncmp(line, begin, strlen(begin)) == 0;

        return n;
}

static void add_verdict(enum verdict verdict, unsigned n)
{
        const struct record record = { .size = 3, .verdict = verdict };

        for (unsigned i = 0; i < n; i++)
                records_add(test.records, now_usec, &record, 1, 0);
}

static void add_echo(uint16_t identifier, uint16_t sequence, enum verdict verdict)
{
        const struct record record = {
                .packet = { .source = { AF_INET, .bytes = { 198, 18, 0, 1 } },
                            .destination = { AF_INET, .bytes = { 198, 18, 0, 2 } },
                            .protocol = 1,
                            .hop_limit = 64,
                            .has_icmp = true,
                            .type = 8,
                            .is_echo = true,
                            .identifier = identifier,
                            .sequence = sequence },
                .size = 84,
                .verdict = verdict,
        };

        records_add(test.records, now_usec, &record, 1, 0);
}

static void add_numbered(uint16_t identifier, uint16_t sequence)
{
        add_echo(identifier, sequence, VERDICT_REPLY);
}

static void add_request(uint16_t identifier)
{
        add_numbered(identifier, 0);
}

/* A packet that needs no entry: one look a second later, and nothing from then on. */
static void test_nothing_to_report(void **state)
{
        (void) state;

        assert_false(run());
        assert_false(is_scheduled());
        add_request(1);
        assert_true(run());
        assert_int_equal(test.n_woken, 1);
        assert_false(run());
        advance(3600 * SECOND_USEC);
        assert_false(is_scheduled());
        assert_false(run());
        assert_string_equal(output(), "");

        /* And it begins again with the next packet. */
        add_request(1);
        assert_true(run());
        assert_true(is_scheduled());
}

/* However many packets there are, it is woken up by the first of a period. */
static void test_woken_once(void **state)
{
        unsigned n = 0;

        (void) state;

        for (unsigned i = 0; i < 100; i++) {
                add_request(1);
                n += run();
        }
        assert_int_equal(n, 1);
        advance(PERIOD_USEC);
        for (unsigned i = 0; i < 100; i++) {
                add_request(1);
                n += run();
        }
        assert_int_equal(n, 2);
}

/* The first drop at once, the next ones together after a minute, each verdict by itself. */
static void test_drops(void **state)
{
        const char *text;

        (void) state;

        add_verdict(VERDICT_NOT_ICMP, 1);
        assert_true(run());
        text = output();
        assert_int_equal(count_lines(text, "'tun0' dropped 1 packet as not-icmp: "), 1);
        assert_int_equal(count_lines(text, ""), 1);

        advance(10 * SECOND_USEC);
        add_verdict(VERDICT_NOT_ICMP, 4);
        add_verdict(VERDICT_MALFORMED, 2);
        (void) run();
        advance(10 * SECOND_USEC);
        add_verdict(VERDICT_NOT_ICMP, 3);
        (void) run();
        text = output();
        assert_int_equal(count_lines(text, "'tun0' dropped 2 packets as malformed: "), 1);
        assert_int_equal(count_lines(text, ""), 1);

        advance(39 * SECOND_USEC);
        assert_string_equal(output(), "");
        advance(2 * SECOND_USEC);
        text = output();
        assert_int_equal(count_lines(text, "'tun0' dropped 7 packets as not-icmp: "), 1);
        assert_int_equal(count_lines(text, ""), 1);
        advance(120 * SECOND_USEC);
        assert_false(is_scheduled());
        assert_string_equal(output(), "");

        /* Replies are no drops. */
        add_verdict(VERDICT_REPLY_FRAGMENT, 1);
        (void) run();
        advance(120 * SECOND_USEC);
        assert_string_equal(output(), "");
}

/* A hundred entries a second, and one for the rest. */
static void test_packets(void **state)
{
        const char *text;

        (void) state;

        report_select(test.report, true, CONFIG_SESSIONS_NONE);
        for (unsigned i = 0; i < 60; i++) {
                add_request(1);
                assert_true(run());
                assert_int_equal(count_lines(output(), "198.18.0.1 > 198.18.0.2: icmp type 8 code 0 id 1 "),
                                 1);
        }
        for (unsigned i = 0; i < RECORDS_PACKETS_MAX + 72; i++)
                add_request(2);
        while (run())
                ;
        text = output();
        assert_int_equal(count_lines(text, "198.18.0.1 > 198.18.0.2: icmp type 8 code 0 id 2 "), 40);
        assert_int_equal(count_lines(text, ""), 40);

        advance(PERIOD_USEC);
        assert_string_equal(output(), "160 packets of 'tun0' have no entry\n");
        for (unsigned i = 0; i < 10; i++) {
                add_request(3);
                assert_true(run());
                assert_int_equal(count_lines(output(), "198.18.0.1 > "), 1);
        }
        advance(3600 * SECOND_USEC);
        assert_false(is_scheduled());
        assert_string_equal(output(), "");

        report_select(test.report, false, CONFIG_SESSIONS_NONE);
        add_request(4);
        (void) run();
        advance(3600 * SECOND_USEC);
        assert_string_equal(output(), "");
}

/* Ten seconds after its last request a session has an entry; of many ten have one, the others a sum. */
static void test_sessions(void **state)
{
        const char *text;

        (void) state;

        report_select(test.report, false, CONFIG_SESSIONS_ALL);
        add_request(7);
        assert_true(run());
        advance(SESSION_IDLE_USEC - 1);
        assert_string_equal(output(), "");
        assert_true(is_scheduled());
        advance(PERIOD_USEC);
        text = output();
        assert_int_equal(count_lines(text, "ping 198.18.0.1 > 198.18.0.2 id 7: 1 request"), 1);
        assert_int_equal(count_lines(text, ""), 1);
        advance(PERIOD_USEC);
        assert_false(is_scheduled());

        for (uint16_t i = 0; i < 100; i++)
                add_request(i);
        (void) run();
        advance(SESSION_IDLE_USEC + PERIOD_USEC);
        advance(2 * PERIOD_USEC);
        text = output();
        assert_int_equal(count_lines(text, "ping 198.18.0.1 > "), 10);
        assert_int_equal(count_lines(text, "90 more pings ended on 'tun0': 90 requests, "), 1);
        assert_int_equal(count_lines(text, ""), 11);
        assert_false(is_scheduled());
}

/* Adds the requests of a ping of one a second, without some of them. */
static void add_ping(uint16_t identifier, uint16_t n, uint16_t lost_from, uint16_t lost_to)
{
        for (uint16_t i = 1; i <= n; i++) {
                if (i < lost_from || i > lost_to)
                        add_numbered(identifier, i);
                (void) run();
                advance(SECOND_USEC);
        }
}

/* With Sessions=loss a whole ping has no entry, one with a gap does. */
static void test_sessions_with_loss(void **state)
{
        const char *text;

        (void) state;

        report_select(test.report, false, CONFIG_SESSIONS_LOSS);
        add_ping(7, 20, 1, 0);
        advance(SESSION_IDLE_USEC + 2 * PERIOD_USEC);
        assert_string_equal(output(), "");

        add_ping(8, 20, 9, 11);
        advance(SESSION_IDLE_USEC + 2 * PERIOD_USEC);
        text = output();
        assert_int_equal(count_lines(text, "ping 198.18.0.1 > 198.18.0.2 id 8: 17 requests in 19 s, seq 1 to 20, "
                                           "3 missing, "),
                         1);
        assert_int_equal(count_lines(text, ""), 1);
}

/* A ping that is idle and comes back: both while it runs, and how many requests lie between. */
static void test_session_resumes(void **state)
{
        const char *text;

        (void) state;

        report_select(test.report, false, CONFIG_SESSIONS_ALL);
        add_ping(7, 30, 6, 25);
        text = output();
        assert_int_equal(count_lines(text, "ping 198.18.0.1 > 198.18.0.2 id 7: 5 requests in 4 s, seq 1 to 5, "),
                         1);
        assert_non_null(strstr(text, "; idle 10 s: if the ping goes on, its requests do not arrive\n"));
        assert_int_equal(count_lines(text, "ping 198.18.0.1 > 198.18.0.2 id 7 goes on after 21 s, 20 numbers "
                                           "later\n"),
                         1);
        assert_int_equal(count_lines(text, ""), 2);
        advance(SESSION_IDLE_USEC + 2 * PERIOD_USEC);
        text = output();
        assert_int_equal(count_lines(text, "ping 198.18.0.1 > 198.18.0.2 id 7: 5 requests in 4 s, seq 26 to 30, "),
                         1);
        assert_int_equal(count_lines(text, ""), 1);
}

/* The entry of a ping does not say that its requests do not arrive if they do. */
static void test_session_dropped(void **state)
{
        (void) state;

        report_select(test.report, false, CONFIG_SESSIONS_ALL);
        add_ping(7, 3, 0, 0);
        add_echo(7, 4, VERDICT_BAD_ICMP_CHECKSUM);
        add_echo(7, 5, VERDICT_NOT_ECHO);
        advance(SESSION_IDLE_USEC + 2 * PERIOD_USEC);
        assert_non_null(strstr(output(), "; idle 10 s: 1 more request was dropped as bad-icmp-checksum\n"));
}

/* An ICMP error about the reply to a ping, as the data plane records it. */
static void add_error(uint16_t identifier, uint8_t reporter, uint8_t type, uint8_t code, uint32_t mtu)
{
        const struct icmp_error error = {
                .reporter = { AF_INET, .bytes = { 192, 0, 2, reporter } },
                .type = type,
                .code = code,
                .mtu = mtu,
                .source = { AF_INET, .bytes = { 198, 18, 0, 2 } },
                .destination = { AF_INET, .bytes = { 198, 18, 0, 1 } },
                .identifier = identifier,
                .sequence = 5,
        };

        records_add_error(test.records, now_usec, &error);
        add_verdict(VERDICT_ICMP_ERROR, 1);
}

/* One entry for each kind at once, and one in ten seconds; what quotes no reply is a drop, and nothing else is. */
static void test_refusals(void **state)
{
        const char *text;

        (void) state;

        report_select(test.report, false, CONFIG_SESSIONS_ALL);
        add_request(7);
        add_error(7, 1, 3, 1, 0);
        assert_true(run());
        assert_string_equal(output(), "192.0.2.1 refuses the reply 198.18.0.2 > 198.18.0.1 id 7 seq 5: host "
                                      "unreachable\n");

        /* The same ones, another code, another reporter. */
        add_error(7, 1, 3, 1, 0);
        add_error(7, 1, 3, 1, 0);
        add_error(7, 1, 3, 4, 1400);
        add_error(7, 2, 3, 1, 0);
        advance(PERIOD_USEC);
        text = output();
        assert_int_equal(count_lines(text, "192.0.2.1 refuses the reply 198.18.0.2 > 198.18.0.1 id 7 seq 5: packet "
                                           "too big, MTU 1400\n"),
                         1);
        assert_int_equal(count_lines(text, "192.0.2.2 refuses the reply "), 1);
        assert_int_equal(count_lines(text, ""), 2);

        /* After ten seconds, with the number of those before; the session counts all of them. */
        advance(8 * SECOND_USEC);
        assert_string_equal(output(), "");
        add_request(7);
        (void) run();
        advance(2 * SECOND_USEC);
        add_error(7, 1, 3, 1, 0);
        (void) run();
        advance(2 * SECOND_USEC);
        text = output();
        assert_int_equal(count_lines(text, "192.0.2.1 refuses the reply 198.18.0.2 > 198.18.0.1 id 7 seq 5: host "
                                           "unreachable, 2 more since the last entry\n"),
                         1);
        assert_int_equal(count_lines(text, ""), 1);

        /* The reply to a ping that was not seen here. */
        add_error(8, 1, 3, 1, 0);
        (void) run();
        advance(PERIOD_USEC);
        text = output();
        assert_int_equal(count_lines(text, "'tun0' dropped 1 packet as icmp-error: "), 1);
        assert_int_equal(count_lines(text, ""), 1);

        advance(SESSION_IDLE_USEC);
        text = output();
        assert_int_equal(count_lines(text, "ping "), 1);
        assert_non_null(strstr(text, " reordered, 6 refused, 84 bytes, "));
        assert_int_equal(count_lines(text, ""), 1);
}

/* However many hosts send errors, there are ten entries a second at most. */
static void test_many_refusals(void **state)
{
        (void) state;

        report_select(test.report, false, CONFIG_SESSIONS_ALL);
        add_request(7);
        for (uint8_t i = 0; i < RECORDS_ERRORS_MAX + 10; i++)
                add_error(7, i, 3, 1, 0);
        (void) run();
        advance(PERIOD_USEC - 1);
        assert_int_equal(count_lines(output(), ""), 10);
}

/* Totals that systemd could not receive are sent later. */
static void test_status_later(void **state)
{
        (void) state;

        assert_int_equal(setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1), 0);
        add_request(1);
        (void) run();
        for (unsigned i = 0; i < 5; i++) {
                advance(PERIOD_USEC);
                assert_true(is_scheduled());
        }
        assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
        advance(PERIOD_USEC);
        assert_false(is_scheduled());
}

/* The end of the data plane is not missed if the timer clears the wake-up. */
static void test_wake_up_at_the_timer(void **state)
{
        unsigned before;

        (void) state;

        add_request(1);
        (void) run();
        before = test.n_woken;
        records_wake(test.records);
        advance(PERIOD_USEC);
        (void) run();
        assert_in_range(test.n_woken, before + 1, before + 2);
}

/* At the end nothing is left, whatever was reported a moment ago. */
static void test_rest(void **state)
{
        const char *text;
        int before;

        (void) state;

        report_select(test.report, true, CONFIG_SESSIONS_ALL);
        add_verdict(VERDICT_NOT_ECHO, 1);
        (void) run();
        (void) output();
        add_verdict(VERDICT_NOT_ECHO, 2);
        for (uint16_t i = 0; i < 12; i++)
                add_request(i);
        before = divert();
        report_rest(test.report);
        report_totals(test.report, MESSAGE_STOPPED, "stopped");
        restore(before);
        text = output();
        assert_int_equal(count_lines(text, "3 bytes "), 2);
        assert_int_equal(count_lines(text, "198.18.0.1 > "), 12);
        assert_int_equal(count_lines(text, "ping 198.18.0.1 > "), 10);
        assert_int_equal(count_lines(text, "2 more pings ended on 'tun0': 2 requests, "), 1);
        assert_int_equal(count_lines(text, "'tun0' dropped 2 packets as not-echo: "), 1);
        assert_int_equal(count_lines(text, "'tun0' stopped: 15 packets, 12 replies, 3 dropped (3 not-echo)"),
                         1);
        assert_int_equal(count_lines(text, ""), 27);
        assert_int_equal(records_sessions_count(test.records), 0);
}

static void test_status_text(void **state)
{
        char text[REPORT_STATUS_SIZE];

        (void) state;

        add_request(1);
        assert_string_equal(report_status_text(test.report, text), "1 packets, 1 replies, 0 dropped");
        report_set_notice(test.report, "Notice; ");
        assert_string_equal(report_status_text(test.report, text), "Notice; 1 packets, 1 replies, 0 dropped");
        assert_null(report_free(NULL));
}

#define with_report(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                with_report(test_nothing_to_report),
                with_report(test_woken_once),
                with_report(test_drops),
                with_report(test_packets),
                with_report(test_sessions),
                with_report(test_sessions_with_loss),
                with_report(test_session_resumes),
                with_report(test_session_dropped),
                with_report(test_refusals),
                with_report(test_many_refusals),
                with_report(test_status_later),
                with_report(test_wake_up_at_the_timer),
                with_report(test_rest),
                with_report(test_status_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
