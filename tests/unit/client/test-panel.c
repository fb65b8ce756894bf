/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What watch shows of an instance, in wide and narrow terminals, with and without block elements. */

#include <errno.h>
#include <string.h>

#include "client/history.h"
#include "client/panel.h"
#include "samples.h"
#include "unit.h"

#define TEXT_SIZE 16384

/* The lines that were printed, each with the letter of its style. */
static char shown[TEXT_SIZE];

static void print_line(void *userdata, enum panel_style style, const char *line)
{
        static const char letters[] = "TRNgHD";
        size_t used = strlen(userdata);

        (void) snprintf((char *) userdata + used, TEXT_SIZE - used, "%c|%s\n", letters[style], line);
}

static void show(const struct history *history, int width, bool unicode)
{
        const struct panel panel = { width, unicode, print_line, shown, .rows = 24 };

        shown[0] = '\0';
        panel_print(&panel, history);
}

/* An instance that gets more and more packets, 0 to 7 a second, of which one is dropped. */
static void fill(struct history *history)
{
        struct snapshot snapshot = sample_snapshot("tun0");

        snapshot.status.counters = (struct counters) { 0 };
        snapshot.status.packets = snapshot.status.replies = snapshot.status.dropped = 0;
        snapshot.status.uptime_usec = 3600 * UINT64_C(1000000);
        for (uint64_t i = 0; i <= 8; i++) {
                snapshot.status.dropped = i / 8;
                snapshot.status.counters.verdicts[VERDICT_BAD_ICMP_CHECKSUM] = i / 8;
                snapshot.status.replies = i * (i - 1) / 2 - i / 8;
                snapshot.status.counters.verdicts[VERDICT_REPLY] = snapshot.status.replies;
                snapshot.status.packets = snapshot.status.replies + snapshot.status.dropped;
                snapshot.status.uptime_usec += 1000000;
                history_add(history, &snapshot);
        }
}

static void test_wide(void **state)
{
        struct history history = { 0 };

        (void) state;

        fill(&history);
        show(&history, 80, true);
        assert_string_equal(shown,
                            "R|tun0: running, up 1h0m, 3 sessions, io_uring\n"
                            "T|ping 198.18.0.2 or 2001:2::2\n"
                            "g|▁▂▃▄▅▆▇█ peak 7/s\n"
                            "H|                           total         per s        change\n"
                            "T|packets                       28             7           +28\n"
                            "T|replies                       27             6           +27\n"
                            "D|dropped                        1             1            +1\n"
                            "D| bad-icmp-checksum             1             1            +1\n");
}

static void test_narrow(void **state)
{
        struct history history = { 0 };

        (void) state;

        fill(&history);
        show(&history, 40, false);
        assert_string_equal(shown, "R|tun0: running, up 1h0m, 3 sessions, io_u\n"
                                   "T|ping 198.18.0.2 or 2001:2::2\n"
                                   "g|_.:-=+*# peak 7/s\n"
                                   "H|                    total  per s change\n"
                                   "T|packets                28      7    +28\n"
                                   "T|replies                27      6    +27\n"
                                   "D|dropped                 1      1     +1\n"
                                   "D| bad-icmp-checksum      1      1     +1\n");
}

/* However it is rounded, the peak is the highest column. */
static void test_graph_of_any_peak(void **state)
{
        uint64_t random = 1;

        (void) state;

        for (unsigned i = 0; i < 2000; i++) {
                struct history history = { 0 };
                struct snapshot snapshot = sample_snapshot("tun0");

                history_add(&history, &snapshot);
                snapshot.status.packets += 1 + random_word(&random) % 100000;
                snapshot.status.uptime_usec += 900000 + random_word(&random) % 200000;
                history_add(&history, &snapshot);
                show(&history, 80, false);
                assert_non_null(strstr(shown, "g|# peak "));
        }
}

/* The newest columns stay, and the peak is that of what is seen. */
static void test_graph_is_cut_at_the_left(void **state)
{
        struct history history = { 0 };
        struct snapshot last;

        (void) state;

        fill(&history);
        last = (struct snapshot) { .status = history.last };
        last.status.uptime_usec += 1000000;
        history_add(&history, &last);
        show(&history, 18, false);
        assert_non_null(strstr(shown, "g|*#_ peak 7/s\n"));
        show(&history, 16, false);
        assert_non_null(strstr(shown, "g|_ peak 0/s\n"));
        show(&history, 3, false);
        assert_non_null(strstr(shown, "g| peak 0/s\n"));
}

/* What was there last stays in view, and the graph has a gap. */
static void test_gone(void **state)
{
        const struct snapshot silent = sample_silence("tun0", -ECONNREFUSED);
        struct history history = { 0 };

        (void) state;

        fill(&history);
        history_add(&history, &silent);
        show(&history, 80, true);
        assert_string_equal(shown,
                            "N|tun0: not-running, waiting\n"
                            "T|ping 198.18.0.2 or 2001:2::2\n"
                            "g|▁▂▃▄▅▆▇█  peak 7/s\n"
                            "H|                           total         per s        change\n"
                            "T|packets                       28             -           +28\n"
                            "T|replies                       27             -           +27\n"
                            "D|dropped                        1             -            +1\n"
                            "D| bad-icmp-checksum             1             -            +1\n");
}

static void test_never_there(void **state)
{
        const struct snapshot silent = sample_silence("tun0", -ETIMEDOUT);
        struct history history = { 0 };

        (void) state;

        history_add(&history, &silent);
        show(&history, 80, true);
        assert_string_equal(shown, "N|tun0: no-answer, waiting\n");
}

static void test_back_again(void **state)
{
        struct history history = { 0 };
        struct snapshot again;

        (void) state;

        fill(&history);
        again = (struct snapshot) { .status = history.last };
        again.status.pid++;
        again.status.sessions = 1;
        again.status.uptime_usec = 4000000;
        again.status.counters.unsent = 2;
        again.status.ping[1][0] = '\0';
        history_add(&history, &again);
        show(&history, 80, false);
        assert_non_null(strstr(shown, "R|tun0: running, up 4s, 1 restart, 1 session, io_uring\n"
                                      "T|ping 198.18.0.2\n"));
        assert_non_null(strstr(shown, "packets                       28             7           +56\n"));
        assert_non_null(strstr(shown, "T|unsent                         2             1            +2\n"));

        again.status.pid++;
        again.status.ping[0][0] = '\0';
        history_add(&history, &again);
        show(&history, 80, false);
        assert_non_null(strstr(shown, "up 4s, 2 restarts, 1 session"));
        assert_non_null(strstr(shown, "T|every address routed into it answers\n"));
}

/* Every number has its place, however large; and a line is never wider than the terminal. */
static void test_large_numbers(void **state)
{
        static const struct {
                uint64_t packets;
                const char *text;
        } rules[] = {
                { 999999, " 999999 " },
                { 1000000, " 1000k " },
                { 9999999, " 10000k " },
                { 12345678, " 12346k " },
                { 1234567890, " 1235M " },
                { 12345678900000, " 12346G " },
                { 99999999999999, " 100.0T " },
                { UINT64_MAX, " 18447P " },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                struct snapshot snapshot = sample_snapshot("tun0");
                struct history history = { 0 };

                snapshot.status.packets = rules[i].packets;
                history_add(&history, &snapshot);
                show(&history, 40, false);
                if (!strstr(shown, rules[i].text))
                        fail_msg("no '%s' in:\n%s", rules[i].text, shown);
                for (const char *line = shown; *line != '\0'; line += strcspn(line, "\n") + 1)
                        assert_in_range(strcspn(line, "\n"), 2, 42);
        }
}

/* As wide as a terminal may be, with all the columns that there are. */
static void test_any_width(void **state)
{
        struct history history = { 0 };

        (void) state;

        fill(&history);
        while (history.n_packets < HISTORY_MAX)
                history.packets[history.n_packets++] = 1;
        for (int width = 1; width < 4000; width += width < 200 ? 1 : 97)
                show(&history, width, true);
        assert_non_null(strstr(shown, "R|tun0: running"));
}

/* As many lines as there may be, the first ones; and none where not even one session fits. */
static void test_sessions(void **state)
{
        static const struct {
                int max, lines;
                const char *last; /* how the last line begins */
        } rules[] = {
                { 2, 0, NULL },
                { 3, 3, "T|198.18.0.1" },
                { 4, 4, "T|2001:db8::7" },
                { 20, 6, "T|   " },
        };
        struct sessions sessions = sample_sessions("tun0");
        struct snapshot snapshot = sample_snapshot("tun0");
        const struct panel panel = { 60, false, print_line, shown, .rows = 24 };

        (void) state;

        assert_int_equal(panel_print_sessions(&panel, &snapshot, 20), 0);
        snapshot.sessions = &sessions;
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                const char *last = shown;
                int lines = 0;

                shown[0] = '\0';
                assert_int_equal(panel_print_sessions(&panel, &snapshot, rules[i].max), rules[i].lines);
                for (const char *line = shown; *line != '\0'; line += strcspn(line, "\n") + 1) {
                        assert_in_range(strcspn(line, "\n"), 2, 62);
                        last = line;
                        lines++;
                }
                assert_int_equal(lines, rules[i].lines);
                if (lines > 0)
                        assert_memory_equal(last, rules[i].last, strlen(rules[i].last));
                if (lines > 0)
                        assert_memory_equal(shown, "T|\nH|FROM", strlen("T|\nH|FROM"));
        }

        sessions.n = 0;
        assert_int_equal(panel_print_sessions(&panel, &snapshot, 20), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_wide),
                cmocka_unit_test(test_narrow),
                cmocka_unit_test(test_gone),
                cmocka_unit_test(test_graph_of_any_peak),
                cmocka_unit_test(test_graph_is_cut_at_the_left),
                cmocka_unit_test(test_never_there),
                cmocka_unit_test(test_back_again),
                cmocka_unit_test(test_large_numbers),
                cmocka_unit_test(test_any_width),
                cmocka_unit_test(test_sessions),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
