/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fuzzes drop_format_parse(), drop_reasons_parse() and the like. An input is the format file of
 * an event, the lines of a trace, and those of /proc/kallsyms: it is parsed as all of them.
 */

#include <string.h>
#include <sys/socket.h>

#include "client/drop-parse.h"
#include "common/util.h"
#include "fuzz.h"

#define FILTER_SIZE 4096

static void check_name(const char *name, size_t size)
{
        size_t length = strnlen(name, size);

        must(length < size, "a name has an end");
        must(strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.") == length,
             "a name is one of C");
}

static bool parse_format(const char *text)
{
        char filter[FILTER_SIZE];
        struct drop_format format;
        bool good = drop_format_parse(&format, text);

        must(format.n_names <= DROP_NAMES_MAX, "there is a limit for names");
        for (size_t i = 0; i < format.n_names; i++) {
                check_name(format.names[i].name, sizeof(format.names[i].name));
                must(format.names[i].name[0] != '\0' && format.names[i].number <= UINT16_MAX, "a name is complete");
        }
        if (drop_format_write_filter(&format, AF_INET6, filter, sizeof(filter)))
                must(strspn(filter, "protclreasn =!&0123456789") == strlen(filter), "a filter has nothing of the text");
        return good;
}

static size_t parse_lines(char *text)
{
        struct drop_reasons reasons = { 0 };
        uint64_t n = 0, lines = 0;

        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
                drop_reasons_parse(&reasons, line);
                drop_reasons_parse_address(&reasons, line);
                drop_reasons_parse_symbol(&reasons, line);
        }
        drop_reasons_finish(&reasons);

        must(reasons.n <= DROP_REASONS_MAX, "there is a limit for reasons");
        for (size_t i = 0; i < reasons.n; i++) {
                const struct drop_reason *item = &reasons.items[i];

                check_name(item->reason, sizeof(item->reason));
                check_name(item->location, sizeof(item->location));
                must(item->reason[0] != '\0' && item->count > 0, "a reason has packets");
                must(i == 0 || item->count <= reasons.items[i - 1].count, "the most frequent is first");
                n += item->count;
        }
        must(n + reasons.others <= lines, "a line is one packet at most");
        return reasons.n;
}

const char *fuzz_outcome(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = malloc(size + 1);
        bool is_format;
        size_t n;

        must(text != NULL, "there is memory");
        memcpy(text, data, size);
        text[size] = '\0';
        is_format = parse_format(text);
        n = parse_lines(text);
        if (is_format)
                return n > 0 ? "both" : "format";

        return n > 0 ? "lines" : "none";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        (void) fuzz_outcome(data, size);
        return 0;
}
