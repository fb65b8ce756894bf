/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fuzzes ping_sample_parse(). The first byte of an input chooses the file of /proc/net and the family; the
 * rest is the content.
 *
 * Files of lines are parsed line by line: what two halves of one count is what the whole counts.
 */

#include <string.h>
#include <sys/socket.h>

#include "client/ping-counters.h"
#include "fuzz.h"

struct input {
        enum ping_file file;
        int family;
};

/* Of a text with an exact size, for the sanitizer. */
static void parse(struct ping_sample *sample, const struct input *input, const uint8_t *data, size_t size)
{
        char *text = malloc(size + 1);

        must(text != NULL, "there is memory");
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        ping_sample_parse(sample, input->file, input->family, "tun0", text);
        free(text);
}

static void check_halves(const struct ping_sample *whole, const struct input *input, const uint8_t *data,
                         size_t size)
{
        const uint8_t *newline = memrchr(data, '\n', size / 2);
        size_t first = newline ? (size_t) (newline - data) + 1 : 0;
        struct ping_sample halves = { 0 };

        if (memchr(data, '\0', size))
                return;

        parse(&halves, input, data, first);
        parse(&halves, input, data + first, size - first);
        for (size_t i = 0; i < _PING_COUNTER_MAX; i++)
                must(halves.known[i] == whole->known[i] && halves.values[i] == whole->values[i],
                     "a line means the same wherever it is");
}

const char *fuzz_outcome(const uint8_t *data, size_t size)
{
        struct ping_sample sample = { 0 }, twice = { 0 };
        bool some = false;
        struct input input;

        if (size == 0)
                return "none";

        input = (struct input) { data[0] % 8U % _PING_FILE_MAX, data[0] & 8 ? AF_INET6 : AF_INET };
        parse(&sample, &input, data + 1, size - 1);
        parse(&twice, &input, data + 1, size - 1);
        parse(&twice, &input, data + 1, size - 1);
        for (size_t i = 0; i < _PING_COUNTER_MAX; i++) {
                must(twice.values[i] == 2 * sample.values[i], "the same text counts the same");
                must(sample.known[i] || sample.values[i] == 0, "what is unknown has no value");
                must(i < PING_READ || !sample.known[i], "the kernel does not know what the daemon counts");
                some = some || sample.known[i];
        }

        if (input.file != PING_FILE_SNMP && input.file != PING_FILE_NETSTAT)
                check_halves(&sample, &input, data + 1, size - 1);
        return some ? "some" : "none";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        (void) fuzz_outcome(data, size);
        return 0;
}
