/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes in bytes of names with their terminator. */
#define DROP_REASON_SIZE   48
#define DROP_LOCATION_SIZE 64

#define DROP_NAMES_MAX   256
#define DROP_REASONS_MAX 32

/* What the format file of the event says. */
struct drop_format {
        bool has_reason, has_protocol;
        struct {
                unsigned number;
                char name[DROP_REASON_SIZE];
        } names[DROP_NAMES_MAX];
        size_t n_names;
};

/* Packets that the kernel dropped for one reason at one place. */
struct drop_reason {
        char reason[DROP_REASON_SIZE];
        char location[DROP_LOCATION_SIZE]; /* the function; "" if it is unknown */
        uint64_t count;
        uint64_t address; /* in the function, where the kernel prints that instead of its name; else 0 */
        uint64_t symbol;  /* the beginning of the function, 0: unknown */
        uint64_t packet;  /* the number of the first one */
};

/* The reasons, most frequent first. */
struct drop_reasons {
        struct drop_reason items[DROP_REASONS_MAX];
        size_t n;
        uint64_t others; /* packets of further reasons */
        bool is_cut;     /* the kernel overwrote some packets before they were read: there were more */

        uint64_t n_parsed, n_addresses; /* packets in the first and in the second reading of the trace */
};

bool drop_format_parse(struct drop_format *ret_format, const char *text);
bool drop_format_write_filter(const struct drop_format *format, int family, char *text, size_t size);
void drop_reasons_parse(struct drop_reasons *reasons, const char *line);
bool drop_reasons_need_symbols(const struct drop_reasons *reasons);
void drop_reasons_parse_address(struct drop_reasons *reasons, const char *line);
void drop_reasons_parse_symbol(struct drop_reasons *reasons, const char *line);
void drop_reasons_finish(struct drop_reasons *reasons);
