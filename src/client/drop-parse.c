/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What tracefs says of the event kfree_skb: its format file, and the lines of a trace. Nothing here opens a file.
 *
 *     print fmt: "... reason: %s", ..., __print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, ...)
 *     ping-42 [000] ..s1. 1.5: kfree_skb: skbaddr=... protocol=2048 location=ping_rcv+0xab/0xd0 reason: NO_SOCKET
 */

#include "client/drop-parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/util.h"

/* Copies a word of the characters of a name in C, and returns its length; 0 if it does not fit. */
static size_t copy_name(char *name, size_t size, const char *text)
{
        size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.");

        if (length == 0 || length >= size)
                return 0;

        memcpy(name, text, length);
        name[length] = '\0';
        return length;
}

/* Reads the pairs of a number and a name, { 2, "NOT_SPECIFIED" }, behind the name of the field. */
static void parse_names(struct drop_format *format, const char *text)
{
        text = strstr(text, "__print_symbolic(REC->reason,");
        while (text && format->n_names < DROP_NAMES_MAX && (text = strchr(text, '{'))) {
                char *end;
                unsigned long number = strtoul(++text, &end, 10);

                if (end == text || number > UINT16_MAX || strncmp(end, ", \"", 3) != 0 ||
                    copy_name(format->names[format->n_names].name, DROP_REASON_SIZE, end + 3) == 0)
                        continue;

                format->names[format->n_names++].number = (unsigned) number;
        }
}

/**
 * drop_format_parse() - parse the format file of the event
 * @ret_format: set to what it says
 * @text: the file
 *
 * Return: whether packets can be counted by their reason, which older kernels do not record.
 */
bool drop_format_parse(struct drop_format *ret_format, const char *text)
{
        *ret_format = (struct drop_format) {
                .has_reason = strstr(text, " reason;") && strstr(text, "reason: %s"),
                .has_protocol = strstr(text, " protocol;") && strstr(text, "protocol=%u"),
        };
        if (ret_format->has_reason)
                parse_names(ret_format, text);

        return ret_format->has_reason && ret_format->has_protocol;
}

/* Reasons of other protocols than that of a ping. */
static bool is_foreign(const char *name)
{
        static const char *const prefixes[] = { "TCP_", "UDP_", "UNIX_" };

        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
                if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
                        return true;

        return false;
}

/**
 * drop_format_write_filter() - write a filter of the event that leaves out what is no ping, as far as it can
 * @format: the format of the event
 * @family: of the addresses of the ping, AF_INET or AF_INET6
 * @text: set to the filter
 * @size: of @text in bytes
 *
 * Return: whether it fits.
 */
bool drop_format_write_filter(const struct drop_format *format, int family, char *text, size_t size)
{
        size_t used = (size_t) snprintf(text, size, "protocol == %d", family == AF_INET ? 0x0800 : 0x86dd);

        for (size_t i = 0; i < format->n_names && used < size; i++)
                if (is_foreign(format->names[i].name))
                        used += (size_t) snprintf(text + used, size - used, " && reason != %u",
                                                  format->names[i].number);

        return used < size;
}

static bool is_same(const struct drop_reason *a, const struct drop_reason *b)
{
        return strcmp(a->reason, b->reason) == 0 && strcmp(a->location, b->location) == 0;
}

static void add(struct drop_reasons *reasons, const struct drop_reason *reason)
{
        for (size_t i = 0; i < reasons->n; i++) {
                struct drop_reason *item = &reasons->items[i];

                if (is_same(item, reason) && item->address == reason->address) {
                        item->count++;
                        return;
                }
        }

        if (reasons->n == DROP_REASONS_MAX) {
                reasons->others++;
                return;
        }

        reasons->items[reasons->n] = *reason;
        reasons->items[reasons->n++].count = 1;
}

/* No name of a function has these digits alone. */
static uint64_t parse_address(const char *location)
{
        size_t length = strspn(location, "0123456789abcdef");

        if (location[length] != '\0' || (length != 8 && length != 16))
                return 0;

        return strtoull(location, NULL, 16);
}

/* Finds the packet of a line: a comment has none. */
static const char *find_event(const char *line)
{
        return line[0] == '#' ? NULL : strstr(line, ": kfree_skb: ");
}

/* Sets the place: the name of a function, or an address. */
static void parse_location(struct drop_reason *reason, const char *event)
{
        const char *location = strstr(event, " location=");

        if (!location ||
            copy_name(reason->location, sizeof(reason->location), location + strlen(" location=")) == 0)
                reason->location[0] = '\0';

        reason->address = parse_address(reason->location);
        if (reason->address > 0)
                reason->location[0] = '\0';
}

/**
 * drop_reasons_parse() - count the packet of a line of a trace
 * @reasons: the counters
 * @line: the line; one that is none of the event is ignored
 */
void drop_reasons_parse(struct drop_reasons *reasons, const char *line)
{
        const char *event = find_event(line), *text;
        unsigned long long in_buffer, written;
        struct drop_reason reason = { 0 };

        if (sscanf(line, "# entries-in-buffer/entries-written: %19llu/%19llu", &in_buffer, &written) == 2)
                reasons->is_cut = in_buffer < written;
        if (!event)
                return;

        reason.packet = ++reasons->n_parsed;
        text = strstr(event, " reason: ");
        if (!text || copy_name(reason.reason, sizeof(reason.reason), text + strlen(" reason: ")) == 0)
                return;

        parse_location(&reason, event);
        add(reasons, &reason);
}

/**
 * drop_reasons_parse_address() - read the real address of a place
 * @reasons: the counters
 * @line: of the same trace as before, with real addresses
 *
 * Kernels before 6.10 print an address in place of a function: a useless one, and with the option hash-ptr off the
 * real one, but no reason. So the trace is read twice.
 */
void drop_reasons_parse_address(struct drop_reasons *reasons, const char *line)
{
        const char *event = find_event(line);
        struct drop_reason place = { 0 };

        if (!event)
                return;

        reasons->n_addresses++;
        parse_location(&place, event);
        for (size_t i = 0; i < reasons->n; i++)
                if (reasons->items[i].packet == reasons->n_addresses)
                        reasons->items[i].address = place.address;
}

/**
 * drop_reasons_need_symbols() - check whether the kernel printed addresses in place of functions
 * @reasons: the counters
 */
bool drop_reasons_need_symbols(const struct drop_reasons *reasons)
{
        for (size_t i = 0; i < reasons->n; i++)
                if (reasons->items[i].address > 0)
                        return true;

        return false;
}

/**
 * drop_reasons_parse_symbol() - name the places that are in a function
 * @reasons: the counters
 * @line: a line of /proc/kallsyms, in any order: an address, a type and a name
 */
void drop_reasons_parse_symbol(struct drop_reasons *reasons, const char *line)
{
        char *end;
        uint64_t symbol = strtoull(line, &end, 16);

        /* Those of data are not between functions, and without privilege all addresses are 0. */
        if (symbol == 0 || end[0] != ' ' || end[1] == '\0' || !strchr("tTwW", end[1]) || end[2] != ' ')
                return;

        for (size_t i = 0; i < reasons->n; i++) {
                struct drop_reason *item = &reasons->items[i];
                char location[DROP_LOCATION_SIZE];

                if (symbol > item->address || symbol <= item->symbol ||
                    copy_name(location, sizeof(location), end + 3) == 0)
                        continue;

                item->symbol = symbol;
                strcpy(item->location, location);
        }
}

/* The kernel offers each echo reply to datagram sockets, too, so this is how one for a raw socket ends. */
static bool is_delivered(const struct drop_reason *reason)
{
        return strcmp(reason->reason, "NO_SOCKET") == 0 && strcmp(reason->location, "ping_rcv") == 0;
}

/* Adds up the places in one function. */
static void merge(struct drop_reasons *reasons)
{
        size_t n = 0;

        for (size_t i = 0; i < reasons->n; i++) {
                const struct drop_reason item = reasons->items[i];
                size_t j = 0;

                if (is_delivered(&item))
                        continue;

                while (j < n && !is_same(&reasons->items[j], &item))
                        j++;
                if (j < n)
                        reasons->items[j].count += item.count;
                else
                        reasons->items[n++] = item;
        }

        reasons->n = n;
}

static int compare(const void *a, const void *b)
{
        const struct drop_reason *left = a, *right = b;
        int order;

        if (left->count != right->count)
                return left->count < right->count ? 1 : -1;

        order = strcmp(left->reason, right->reason);
        return order != 0 ? order : strcmp(left->location, right->location);
}

/**
 * drop_reasons_finish() - put the most frequent reasons first, each of them once
 * @reasons: the counters, after the last line
 */
void drop_reasons_finish(struct drop_reasons *reasons)
{
        merge(reasons);
        qsort(reasons->items, reasons->n, sizeof(reasons->items[0]), compare);
}
