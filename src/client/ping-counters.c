/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The counters of the kernel and of the daemon that a ping moves on its path. The files of /proc/net have
 * three forms, and each is parsed as text that may have anything in it:
 *
 *     pairs:   Icmp: InMsgs InErrors ...      a line of names, and a line of their values
 *              Icmp: 100 0 ...
 *     lines:   Icmp6InMsgs   100              a name and its value
 *     columns: tun0: 8400 100 0 0 ...         an interface, and its statistics
 */

#include "client/ping-counters.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/util.h"
#include "tunecho/status.h"

#define FILE_SIZE_MAX 65536 /* bytes; the longest, netstat, has about 6000 */

/* A word of a text. */
struct word {
        const char *text;
        size_t size;
};

/*
 * Which counter a name stands for. A counter with several rows is the sum of them. IPv6 counts what it forwards
 * on the device that it leaves by, so for what comes from the device, the host's counter is read.
 */
static const struct {
        enum ping_file file;
        const char *group, *name; /* a name that ends in * stands for all that begin so */
        enum ping_counter counter;
        int family;
} rows[] = {
        { PING_FILE_SNMP, "Icmp", "OutEchos", PING_OUT_ECHOS, AF_INET },
        { PING_FILE_DEV_SNMP6, NULL, "Icmp6OutEchos", PING_OUT_ECHOS_OTHER, AF_INET },
        { PING_FILE_DEV_SNMP6, NULL, "Icmp6InEchoReplies", PING_IN_ECHO_REPLIES_OTHER, AF_INET },
        { PING_FILE_SNMP, "Icmp", "OutEchos", PING_OUT_ECHOS_OTHER, AF_INET6 },
        { PING_FILE_SNMP, "Icmp", "InEchoReps", PING_IN_ECHO_REPLIES_OTHER, AF_INET6 },
        { PING_FILE_SNMP, "Ip", "OutDiscards", PING_OUT_DISCARDS, AF_INET },
        { PING_FILE_SNMP, "Ip", "OutNoRoutes", PING_OUT_NO_ROUTES, AF_INET },
        { PING_FILE_SNMP, "Ip", "OutTransmits", PING_OUT_TRANSMITS, AF_INET },
        { PING_FILE_SNMP, "Ip", "InReceives", PING_IN_RECEIVES, AF_INET },
        { PING_FILE_SNMP6, NULL, "Ip6OutTransmits", PING_OUT_TRANSMITS_OTHER, AF_INET },
        { PING_FILE_SNMP6, NULL, "Ip6InReceives", PING_IN_RECEIVES_OTHER, AF_INET },
        { PING_FILE_SNMP, "Ip", "InHdrErrors", PING_IN_HEADER_ERRORS, AF_INET },
        { PING_FILE_SNMP, "Ip", "InAddrErrors", PING_IN_ADDRESS_ERRORS, AF_INET },
        { PING_FILE_SNMP, "Ip", "ForwDatagrams", PING_FORWARDED, AF_INET },
        { PING_FILE_SNMP, "Ip", "ReasmReqds", PING_REASSEMBLY_REQUESTS, AF_INET },
        { PING_FILE_SNMP, "Ip", "ReasmOKs", PING_REASSEMBLIES, AF_INET },
        { PING_FILE_SNMP, "Ip", "ReasmFails", PING_REASSEMBLY_FAILURES, AF_INET },
        { PING_FILE_SNMP, "Ip", "InDelivers", PING_IN_DELIVERS, AF_INET },
        { PING_FILE_SNMP, "Icmp", "InErrors", PING_IN_ICMP_ERRORS, AF_INET },
        { PING_FILE_SNMP, "Icmp", "InCsumErrors", PING_IN_CHECKSUM_ERRORS, AF_INET },
        { PING_FILE_SNMP, "Icmp", "InEchoReps", PING_IN_ECHO_REPLIES, AF_INET },
        { PING_FILE_NETSTAT, "IpExt", "InNoRoutes", PING_IN_NO_ROUTES, AF_INET },
        { PING_FILE_NETSTAT, "IpExt", "InTruncatedPkts", PING_IN_TRUNCATED, AF_INET },
        { PING_FILE_NETSTAT, "TcpExt", "IPReversePathFilter", PING_IN_REVERSE_PATH, AF_INET },
        { PING_FILE_DEV_SNMP6, NULL, "Icmp6OutEchos", PING_OUT_ECHOS, AF_INET6 },
        { PING_FILE_DEV_SNMP6, NULL, "Ip6OutDiscards", PING_OUT_DISCARDS, AF_INET6 },
        { PING_FILE_SNMP6, NULL, "Ip6OutNoRoutes", PING_OUT_NO_ROUTES, AF_INET6 },
        { PING_FILE_SNMP6, NULL, "Ip6OutTransmits", PING_OUT_TRANSMITS, AF_INET6 },
        { PING_FILE_DEV_SNMP6, NULL, "Ip6OutTransmits", PING_OUT_DEVICE, AF_INET6 },
        { PING_FILE_DEV_SNMP6, NULL, "Ip6InReceives", PING_IN_DEVICE, AF_INET6 },
        { PING_FILE_DEV_SNMP6, NULL, "Ip6InHdrErrors", PING_IN_HEADER_ERRORS, AF_INET6 },
        { PING_FILE_DEV_SNMP6, NULL, "Ip6InAddrErrors", PING_IN_ADDRESS_ERRORS, AF_INET6 },
        { PING_FILE_DEV_SNMP6, NULL, "Ip6InNoRoutes", PING_IN_NO_ROUTES, AF_INET6 },
        { PING_FILE_DEV_SNMP6, NULL, "Ip6InTruncatedPkts", PING_IN_TRUNCATED, AF_INET6 },
        { PING_FILE_SNMP6, NULL, "Ip6OutForwDatagrams", PING_FORWARDED, AF_INET6 },
        { PING_FILE_SNMP6, NULL, "Ip6ReasmReqds", PING_REASSEMBLY_REQUESTS, AF_INET6 },
        { PING_FILE_SNMP6, NULL, "Ip6ReasmOKs", PING_REASSEMBLIES, AF_INET6 },
        { PING_FILE_SNMP6, NULL, "Ip6ReasmFails", PING_REASSEMBLY_FAILURES, AF_INET6 },
        { PING_FILE_DEV_SNMP6, NULL, "Ip6InDelivers", PING_IN_DELIVERS, AF_INET6 },
        { PING_FILE_DEV_SNMP6, NULL, "Icmp6InErrors", PING_IN_ICMP_ERRORS, AF_INET6 },
        { PING_FILE_DEV_SNMP6, NULL, "Icmp6InCsumErrors", PING_IN_CHECKSUM_ERRORS, AF_INET6 },
        { PING_FILE_DEV_SNMP6, NULL, "Icmp6InEchoReplies", PING_IN_ECHO_REPLIES, AF_INET6 },
        { PING_FILE_XFRM, NULL, "XfrmOut*", PING_OUT_XFRM, AF_UNSPEC },
        { PING_FILE_XFRM, NULL, "XfrmAcquireError", PING_OUT_XFRM, AF_UNSPEC },
        { PING_FILE_XFRM, NULL, "XfrmIn*", PING_IN_XFRM, AF_UNSPEC },
};

/* Columns of /proc/net/dev behind the name. */
static const struct {
        unsigned column;
        bool of_device; /* or the sum of all other interfaces */
        enum ping_counter counter;
} columns[] = {
        { 1, true, PING_LINK_RX },          { 3, true, PING_LINK_RX_DROPPED }, { 9, true, PING_LINK_TX },
        { 11, true, PING_LINK_TX_DROPPED }, { 1, false, PING_OTHER_RX },       { 9, false, PING_OTHER_TX },
};

static const char *next_line(const char *text)
{
        text += strcspn(text, "\n");
        return *text == '\n' ? text + 1 : text;
}

/* The next word of the line; it is empty at the end of it. */
static struct word next_word(const char **text)
{
        struct word word;

        *text += strspn(*text, " \t");
        word = (struct word) { *text, strcspn(*text, " \t\n") };
        *text += word.size;
        return word;
}

static bool word_equals(const struct word *word, const char *name)
{
        size_t size = strlen(name);

        if (size > 0 && name[size - 1] == '*')
                return word->size >= size - 1 && strncmp(word->text, name, size - 1) == 0;

        return word->size == size && strncmp(word->text, name, size) == 0;
}

/* A counter is never negative; some of the other values are. */
static bool parse_number(uint64_t *ret_number, const struct word *word)
{
        uint64_t number = 0;

        for (size_t i = 0; i < word->size; i++) {
                unsigned digit = (unsigned) word->text[i] - '0';

                if (digit > 9 || number > (UINT64_MAX - digit) / 10)
                        return false;
                number = number * 10 + digit;
        }

        *ret_number = number;
        return word->size > 0;
}

static void add(struct ping_sample *sample, enum ping_counter counter, const struct word *value)
{
        uint64_t number;

        if (!parse_number(&number, value))
                return;

        sample->values[counter] += number;
        sample->known[counter] = true;
}

static void add_named(struct ping_sample *sample, enum ping_file file, int family, const struct word *group,
                      const struct word *name, const struct word *value)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].file == file && (rows[i].family == family || rows[i].family == AF_UNSPEC) &&
                    (!rows[i].group || word_equals(group, rows[i].group)) && word_equals(name, rows[i].name))
                        add(sample, rows[i].counter, value);
}

static void parse_pairs(struct ping_sample *sample, enum ping_file file, int family, const char *text)
{
        while (*text != '\0') {
                const char *names = text, *values = next_line(text);
                struct word group = next_word(&names), same = next_word(&values), name, value;

                text = next_line(next_line(text));
                if (group.size < 1 || group.size != same.size ||
                    strncmp(group.text, same.text, group.size) != 0)
                        continue;

                group.size--; /* the colon */
                while ((name = next_word(&names)).size > 0 && (value = next_word(&values)).size > 0)
                        add_named(sample, file, family, &group, &name, &value);
        }
}

static void parse_lines(struct ping_sample *sample, enum ping_file file, int family, const char *text)
{
        for (; *text != '\0'; text = next_line(text)) {
                const char *line = text;
                struct word name = next_word(&line), value = next_word(&line);

                add_named(sample, file, family, NULL, &name, &value);
        }
}

static void add_column(struct ping_sample *sample, bool is_device, unsigned column, const struct word *value)
{
        for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
                if (columns[i].of_device == is_device && columns[i].column == column)
                        add(sample, columns[i].counter, value);
}

static void parse_columns(struct ping_sample *sample, const char *device, const char *text)
{
        for (; *text != '\0'; text = next_line(text)) {
                size_t blanks = strspn(text, " "), size = strcspn(text + blanks, ":\n");
                const char *line = text + blanks + size;
                const struct word name = { text + blanks, size };
                bool is_device = word_equals(&name, device);
                struct word value;

                if (*line != ':')
                        continue; /* one of the headings */

                line++;
                for (unsigned column = 0; (value = next_word(&line)).size > 0; column++)
                        add_column(sample, is_device, column, &value);
        }
}

/**
 * ping_sample_parse() - add the counters of a file
 * @sample: the counters that were read so far
 * @file: which file
 * @family: AF_INET or AF_INET6: whose counters
 * @device: name of the device
 * @text: the content of the file; what it should not have is ignored
 */
void ping_sample_parse(struct ping_sample *sample, enum ping_file file, int family, const char *device,
                       const char *text)
{
        switch (file) {
        case PING_FILE_DEV:
                parse_columns(sample, device, text);
                return;
        case PING_FILE_SNMP:
        case PING_FILE_NETSTAT:
                parse_pairs(sample, file, family, text);
                return;
        default:
                parse_lines(sample, file, family, text);
        }
}

/**
 * ping_sample_add_status() - add the counters of the daemon
 * @sample: the counters that were read so far
 * @status: what the daemon reports
 */
void ping_sample_add_status(struct ping_sample *sample, const struct status *status)
{
        sample->values[PING_READ] = status->packets;
        sample->values[PING_UNSENT] = status->counters.unsent;
        memcpy(&sample->values[PING_VERDICTS], status->counters.verdicts, sizeof(status->counters.verdicts));
        for (size_t i = PING_READ; i < PING_LOST_OUT; i++)
                sample->known[i] = true;
}

/* Reads a file of /proc, whose size is known at its end only; a missing one is empty. */
static void read_file(char *text, size_t size, const char *path)
{
        _cleanup_(close_fdp) int fd = open(path, O_RDONLY | O_CLOEXEC);
        size_t used = 0;
        ssize_t n;

        while (fd >= 0 && used < size - 1 && (n = read(fd, text + used, size - 1 - used)) > 0)
                used += (size_t) n;

        text[used] = '\0';
}

/**
 * ping_sample_read() - read the counters of the kernel
 * @ret_sample: set to them and to the present time
 * @family: AF_INET or AF_INET6
 * @device: name of the device
 *
 * What cannot be read is unknown.
 */
void ping_sample_read(struct ping_sample *ret_sample, int family, const char *device)
{
        static const char *const paths[] = {
                [PING_FILE_DEV] = "/proc/net/dev",
                [PING_FILE_SNMP] = "/proc/net/snmp",
                [PING_FILE_NETSTAT] = "/proc/net/netstat",
                [PING_FILE_SNMP6] = "/proc/net/snmp6",
                [PING_FILE_DEV_SNMP6] = "/proc/net/dev_snmp6/",
                [PING_FILE_XFRM] = "/proc/net/xfrm_stat",
        };
        char text[FILE_SIZE_MAX], path[64];

        *ret_sample = (struct ping_sample) { .usec = monotonic_usec() };
        for (enum ping_file file = 0; file < _PING_FILE_MAX; file++) {
                (void) snprintf(path, sizeof(path), "%s%s", paths[file],
                                file == PING_FILE_DEV_SNMP6 ? device : "");
                read_file(text, sizeof(text), path);
                ping_sample_parse(ret_sample, file, family, device, text);
        }
}
