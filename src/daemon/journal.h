/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/util.h"
#include "tunecho/counters.h"

/* The kinds of entries; systemd/tunecho.catalog explains each. Drops have one kind for each verdict. */
enum message {
        MESSAGE_READY,
        MESSAGE_STOPPED,
        MESSAGE_TOTALS,
        MESSAGE_SETTINGS_WRONG,
        MESSAGE_DEVICE_FAILED,
        MESSAGE_DEVICE_LOST,
        MESSAGE_PRIVILEGES,
        MESSAGE_USER_KEPT,
        MESSAGE_BOUNDING_KEPT,
        MESSAGE_FILTER_LOGS,
        MESSAGE_SYSTEM_FAILED,
        MESSAGE_IPV6_OFF,
        MESSAGE_NOT_ROUTED,
        MESSAGE_PACKET,
        MESSAGE_PACKETS_SUPPRESSED,
        MESSAGE_TAKEN_OVER,
        MESSAGE_RENAMED,
        MESSAGE_DESCRIPTOR_CLOSED,
        MESSAGE_STORE_FAILED,
        MESSAGE_STATUS_FAILED,
        MESSAGE_RELOADED,
        MESSAGE_RELOAD_REFUSED,
        MESSAGE_ENGINE_FALLBACK,
        MESSAGE_SESSION,
        MESSAGE_SESSIONS,
        MESSAGE_SESSION_RESUMED,
        MESSAGE_REFUSED,
        MESSAGE_DEVICE_DOWN,
        MESSAGE_DEVICE_RUNNING,
        MESSAGE_DEVICE_MOVED,
        MESSAGE_ADDRESS_LOST,
        MESSAGE_DIAGNOSIS,
        _MESSAGE_MAX,
};

struct packet_info;

struct journal {
        const char *interface; /* NULL or "" until it is known */
        bool native;           /* stderr is the journal: entries have fields */
        bool prefixed;         /* stderr is not the journal: lines begin with their level */
};

/* In bytes, the longest text of an entry. */
#define JOURNAL_MESSAGE_SIZE 1024

#define JOURNAL_MAX_FIELDS 48

/* The fields of one entry, apart from those that every entry has. */
struct journal_fields {
        struct iovec items[JOURNAL_MAX_FIELDS];
        size_t n_items;
        char text[4096];
        size_t used;
};

const char *message_id(enum message message);

void journal_init(struct journal *journal);
void journal_add(struct journal_fields *fields, const char *format, ...) _printf_(2, 3);
void journal_add_counters(struct journal_fields *fields, const struct counters *counters);
void journal_send(const struct journal *journal, enum message message, const struct journal_fields *fields,
                  int error, const char *format, ...) _printf_(5, 6);
void journal_send_error(void *journal, const char *file, unsigned line, const char *message);
void journal_send_drops(const struct journal *journal, enum verdict verdict, uint64_t n);
void journal_send_packet(const struct journal *journal, const struct packet_info *packet, size_t size,
                         enum verdict verdict);
