/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The format file of kfree_skb, its filter, and the lines of a trace. */

#include "client/drop-parse.h"

#include <string.h>
#include <sys/socket.h>

#include "unit.h"

static const char format_text[] = "name: kfree_skb\nformat:\n\tfield:void * location;\toffset:16;\n"
                                  "\tfield:unsigned short protocol;\toffset:32;\tsize:2;\tsigned:0;\n"
                                  "\tfield:enum skb_drop_reason reason;\toffset:36;\n\n"
                                  "print fmt: \"skbaddr=%p protocol=%u location=%pS reason: %s\", REC->skbaddr, "
                                  "__print_symbolic(REC->reason, { 2, \"NOT_SPECIFIED\" }, { 10, \"TCP_CSUM\" }, "
                                  "{ 11, \"UDP_CSUM\" }, { 12, \"NETFILTER_DROP\" }, { x, \"A\" }, { 99999, \"B\" }, "
                                  "{ 13, \"\" }, { 14, \"OTHERHOST\" })\n";

static void test_format(void **state)
{
        struct drop_format format;
        char filter[128];

        (void) state;

        assert_true(drop_format_parse(&format, format_text));
        assert_int_equal(format.n_names, 5);
        assert_int_equal(format.names[4].number, 14);
        assert_string_equal(format.names[4].name, "OTHERHOST");

        assert_true(drop_format_write_filter(&format, AF_INET, filter, sizeof(filter)));
        assert_string_equal(filter, "protocol == 2048 && reason != 10 && reason != 11");
        assert_true(drop_format_write_filter(&format, AF_INET6, filter, sizeof(filter)));
        assert_string_equal(filter, "protocol == 34525 && reason != 10 && reason != 11");
        assert_false(drop_format_write_filter(&format, AF_INET, filter, 40));
}

/* An event without a reason, as of Linux 5.10, and none. */
static void test_other_formats(void **state)
{
        static const char *const texts[] = {
                "",
                "\tfield:unsigned short protocol;\n\nprint fmt: \"skbaddr=%p protocol=%u location=%p\", REC->skbaddr",
                "\tfield:enum skb_drop_reason reason;\n\nprint fmt: \"reason: %s\", __print_symbolic(REC->reason,",
        };
        struct drop_format format;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                assert_false(drop_format_parse(&format, texts[i]));
        assert_int_equal(format.n_names, 0);
}

#define EVENT "  ping-42  [000] ..s1. 1.5: kfree_skb: skbaddr=0000 rx_sk=0000 protocol=2048 "

static void test_lines(void **state)
{
        static const char *const lines[] = {
                "# tracer: nop\n",
                "# entries-in-buffer/entries-written: 9/9   #P:2\n",
                EVENT "location=nft_do_chain+0x1/0x2 [nf_tables] reason: NETFILTER_DROP\n",
                EVENT "location=ip_rcv+0x1/0x2 reason: OTHERHOST\n",
                EVENT "location=ip_rcv+0x1/0x2 reason: OTHERHOST\n",
                EVENT "location=00000000deadbeef reason: OTHERHOST\n",
                EVENT "location=ping_rcv+0xab/0xd0 reason: NO_SOCKET\n",
                EVENT "location=ip_rcv+0x1/0x2\n",
                EVENT "location=ip_rcv+0x1/0x2 reason: \n",
                "  ping-42  [000] ..s1. 1.5: consume_skb: location=ip_rcv+0x1/0x2 reason: OTHERHOST\n",
                "#" EVENT "location=ip_rcv+0x1/0x2 reason: OTHERHOST\n",
                "\n",
                "",
        };
        static const struct drop_reason expected[] = {
                { .reason = "OTHERHOST", .location = "ip_rcv", .count = 2 },
                { .reason = "NETFILTER_DROP", .location = "nft_do_chain", .count = 1 },
                { .reason = "OTHERHOST", .location = "", .count = 1 },
        };
        struct drop_reasons reasons = { 0 };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                drop_reasons_parse(&reasons, lines[i]);
        drop_reasons_finish(&reasons);
        assert_int_equal(reasons.n, ARRAY_SIZE(expected));
        for (size_t i = 0; i < reasons.n; i++) {
                assert_string_equal(reasons.items[i].reason, expected[i].reason);
                assert_string_equal(reasons.items[i].location, expected[i].location);
                assert_int_equal(reasons.items[i].count, expected[i].count);
        }
        assert_false(reasons.is_cut);
        drop_reasons_parse(&reasons, "# entries-in-buffer/entries-written: 9/10   #P:2\n");
        assert_true(reasons.is_cut);
}

/* Addresses in place of functions: two in one function, in a module, below every function, and of data. */
static void test_symbols(void **state)
{
        static const char *const lines[] = {
                EVENT "location=00000000c0ffee01 reason: A\n",
                EVENT "location=00000000c0ffee02 reason: A\n",
                EVENT "location=00000000c0ffee01 reason: A\n",
                EVENT "location=00000000c0ffee03 reason: A\n",
                EVENT "location=00000000c0ffee04 reason: A\n",
                EVENT "location=00000000c0ffee05 reason: A\n",
                EVENT "location=00000000c0ffee06 reason: NO_SOCKET\n",
        };
        static const char *const addresses[] = {
                "# tracer: nop\n",
                EVENT "location=ffffffff81000010 reason: \n",
                EVENT "location=ffffffff81000020 reason: \n",
                EVENT "location=ffffffff81000010 reason: \n",
                EVENT "location=ffffffff81000100 reason: \n",
                EVENT "location=ffffffffc0000000 reason: \n",
                EVENT "location=0000000000000009 reason: \n",
                EVENT "location=ffffffff81000210 reason: \n",
        };
        static const char *const symbols[] = {
                "ffffffff81000200 t ping_rcv\n",
                "ffffffff81000000 T first\n",
                "ffffffff81000100 w second\n",
                "ffffffff81000008 D data\n",
                "0000000000000000 T hidden\n",
                "ffffffffc0000000 t third\t[module]\n",
                "ffffffff81000018",
                "",
                "ffffffff81000019 ",
        };
        static const struct drop_reason expected[] = {
                { .location = "first", .count = 3 },
                { .location = "", .count = 1 },
                { .location = "second", .count = 1 },
                { .location = "third", .count = 1 },
        };
        struct drop_reasons reasons = { 0 };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
                drop_reasons_parse(&reasons, lines[i]);
        assert_true(drop_reasons_need_symbols(&reasons));
        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
                drop_reasons_parse_address(&reasons, addresses[i]);
        for (size_t i = 0; i < ARRAY_SIZE(symbols); i++)
                drop_reasons_parse_symbol(&reasons, symbols[i]);
        drop_reasons_finish(&reasons);
        assert_int_equal(reasons.n, ARRAY_SIZE(expected));
        for (size_t i = 0; i < reasons.n; i++) {
                assert_string_equal(reasons.items[i].location, expected[i].location);
                assert_int_equal(reasons.items[i].count, expected[i].count);
        }

        reasons = (struct drop_reasons) { 0 };
        drop_reasons_parse(&reasons, EVENT "location=ip_rcv+0x1/0x2 reason: A\n");
        assert_false(drop_reasons_need_symbols(&reasons));
}

static void test_many(void **state)
{
        struct drop_reasons reasons = { 0 };
        char line[256];

        (void) state;

        for (int i = 0; i < DROP_REASONS_MAX + 7; i++) {
                (void) snprintf(line, sizeof(line), EVENT "location=f%d reason: R\n", i);
                drop_reasons_parse(&reasons, line);
        }
        assert_int_equal(reasons.n, DROP_REASONS_MAX);
        assert_int_equal(reasons.others, 7);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_other_formats),
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_symbols),
                cmocka_unit_test(test_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
