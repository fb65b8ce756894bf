/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Log messages: journal entries with fields, or lines of text on stderr where stderr is not the journal. Only
 * this folder logs; the functions of the other folders return errors.
 */

#include "daemon/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syslog.h>

/* Without CODE_FILE= and CODE_LINE=: they mean nothing to an administrator. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "daemon/receiver.h"
#include "packet/reflect.h"

static const struct {
        const char *id; /* of systemd-id128 new; each has an entry in systemd/tunecho.catalog */
        int priority;
} messages[] = {
        [MESSAGE_READY] = { "c12a1cf3e26b47f0abab18ca529706b2", LOG_INFO },
        [MESSAGE_STOPPED] = { "a37b1b078a3e456294137daedc66bf71", LOG_INFO },
        [MESSAGE_TOTALS] = { "89f7e37624ed4290a372ca5a3239357c", LOG_INFO },
        [MESSAGE_SETTINGS_WRONG] = { "3defad04ad894a51b6e7bd0824daf2fa", LOG_ERR },
        [MESSAGE_DEVICE_FAILED] = { "7a54cf559304464abaeaf9f7b30ab1b2", LOG_ERR },
        [MESSAGE_DEVICE_LOST] = { "31d6d1a4a8854d90ad33ec889d6be17b", LOG_ERR },
        [MESSAGE_PRIVILEGES] = { "466bbce88cc84c0a933f54784e03af27", LOG_ERR },
        [MESSAGE_USER_KEPT] = { "00152af052454e0a880a448914caa753", LOG_WARNING },
        [MESSAGE_BOUNDING_KEPT] = { "b4dcc0f9668e418d81b70b6fa7f24701", LOG_WARNING },
        [MESSAGE_FILTER_LOGS] = { "195e0062f6c34663b3b973a4caaf3716", LOG_WARNING },
        [MESSAGE_SYSTEM_FAILED] = { "15cac1ab298d42feb5b7db3cae5dc601", LOG_ERR },
        [MESSAGE_IPV6_OFF] = { "98d08ac802ab48378926da2e6e8aa560", LOG_WARNING },
        [MESSAGE_NOT_ROUTED] = { "18d94053962c4e268d4e9cd43fb09c2e", LOG_WARNING },
        [MESSAGE_PACKET] = { "8e682018efa44777b03586795f031816", LOG_INFO },
        [MESSAGE_PACKETS_SUPPRESSED] = { "75bbb3ca3e104fc4a847d34f907f26a9", LOG_INFO },
        [MESSAGE_TAKEN_OVER] = { "d23aa5ebe1d5490db3f8368bebec1ef5", LOG_INFO },
        [MESSAGE_RENAMED] = { "26652bc8cd244bf9a8f88764766e7bbe", LOG_WARNING },
        [MESSAGE_DESCRIPTOR_CLOSED] = { "5653f758262448a39fd3ef0cb1109a86", LOG_WARNING },
        [MESSAGE_STORE_FAILED] = { "242c02a1ecc445538198c9b13d4a1ec5", LOG_WARNING },
        [MESSAGE_STATUS_FAILED] = { "cb825473b5504acb92ab1b70885c5be6", LOG_WARNING },
        [MESSAGE_RELOADED] = { "0c7e391cabbb4d4ba61b32d4f0b38625", LOG_INFO },
        [MESSAGE_RELOAD_REFUSED] = { "c086462fa97144fbadbb3c71db7b3582", LOG_ERR },
        [MESSAGE_ENGINE_FALLBACK] = { "f98467d3c9a34fdf8106dda5425eb433", LOG_INFO },
        [MESSAGE_SESSION] = { "3c4d124d318a4d12bf2fcf125f099fbb", LOG_INFO },
        [MESSAGE_SESSIONS] = { "b2b5d30868ad4839933b85a48b0796e3", LOG_INFO },
        [MESSAGE_SESSION_RESUMED] = { "2ebfa55ce3bc4ae18359d320118af87e", LOG_INFO },
        [MESSAGE_REFUSED] = { "5ea86634574243c29820a00a24abbf04", LOG_NOTICE },
        [MESSAGE_DEVICE_DOWN] = { "d5dfba7a2c624ca299b4a7fdc152b7eb", LOG_WARNING },
        [MESSAGE_DEVICE_RUNNING] = { "dd9a360771b24a9cb9431f2b8b3b5c69", LOG_INFO },
        [MESSAGE_DEVICE_MOVED] = { "0786aa8b20964e37a1a8eba8dfc5cb22", LOG_WARNING },
        [MESSAGE_ADDRESS_LOST] = { "47b26f531db24da6b5a66c5a0a81b488", LOG_WARNING },
        [MESSAGE_DIAGNOSIS] = { "05a4fdca619946e5bd85f3e051281ba0", LOG_WARNING },
};

_Static_assert(ARRAY_SIZE(messages) == _MESSAGE_MAX, "every message needs an id");

/**
 * message_id() - return the MESSAGE_ID= of a message
 * @message: the message
 */
const char *message_id(enum message message)
{
        return messages[message].id;
}

/**
 * journal_init() - find out whether stderr is the journal
 * @journal: set up for stderr of this process; the caller adds the name of the interface
 *
 * $JOURNAL_STREAM has the device and the inode of the stream to the journal that systemd opened as stderr,
 * systemd.exec(5). They differ from those of stderr after a redirection. Lines have level prefixes,
 * sd-daemon(3), if systemd started this process and stderr is not a terminal.
 */
void journal_init(struct journal *journal)
{
        const char *stream = getenv("JOURNAL_STREAM");
        char identity[64] = "";
        struct stat status;

        if (fstat(STDERR_FILENO, &status) == 0)
                (void) snprintf(identity, sizeof(identity), "%" PRIuMAX ":%" PRIuMAX,
                                (uintmax_t) status.st_dev, (uintmax_t) status.st_ino);

        *journal = (struct journal) {
                .native = stream && strcmp(stream, identity) == 0,
                .prefixed = (stream || getenv("INVOCATION_ID")) && !isatty(STDERR_FILENO),
        };
}

/**
 * journal_add() - add a field to an entry
 * @fields: the fields so far, all zero to begin with
 * @format: printf(3)-like, of NAME=VALUE; a field that does not fit is not added
 */
void journal_add(struct journal_fields *fields, const char *format, ...)
{
        size_t space = sizeof(fields->text) - fields->used;
        char *text = fields->text + fields->used;
        va_list arguments;
        int size;

        va_start(arguments, format);
        size = vsnprintf(text, space, format, arguments);
        va_end(arguments);

        if (size < 0 || (size_t) size >= space || fields->n_items == ARRAY_SIZE(fields->items))
                return;

        fields->items[fields->n_items++] = (struct iovec) { .iov_base = text, .iov_len = (size_t) size };
        fields->used += (size_t) size;
}

/**
 * journal_add_counters() - add the totals to an entry
 * @fields: the fields of the entry
 * @counters: the counters
 */
void journal_add_counters(struct journal_fields *fields, const struct counters *counters)
{
        uint64_t packets = counters_packets(counters), replies = counters_replies(counters);

        journal_add(fields, "TUNECHO_PACKETS=%" PRIu64, packets);
        journal_add(fields, "TUNECHO_REPLIES=%" PRIu64, replies);
        journal_add(fields, "TUNECHO_DROPPED=%" PRIu64, packets - replies);
        journal_add(fields, "TUNECHO_UNSENT=%" PRIu64, counters->unsent);
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                journal_add(fields, "%s=%" PRIu64, verdict_field(v), counters->verdicts[v]);
}

/*
 * sd_journal_sendv(3) blocks while the queue of the journal is full, and returns 0 without a journal. In both
 * cases the text is written to stderr.
 */
static bool journal_has_space(void)
{
        return receiver_has_space("/run/systemd/journal/socket");
}

/* Replaces control characters of the text, which can quote a line of a file. */
static void send_entry(const struct journal *journal, const char *id, int priority,
                       const struct journal_fields *fields, int error, char *text)
{
        struct journal_fields entry = { 0 };
        char level[8] = "";

        for (char *c = text; *c != '\0'; c++)
                if ((unsigned char) *c < ' ' || *c == 0x7f)
                        *c = '?';

        if (fields)
                for (size_t i = 0; i < fields->n_items; i++)
                        entry.items[entry.n_items++] = fields->items[i];
        journal_add(&entry, "MESSAGE=%s", text);
        journal_add(&entry, "MESSAGE_ID=%s", id);
        journal_add(&entry, "PRIORITY=%d", priority);
        if (journal->interface && journal->interface[0] != '\0')
                journal_add(&entry, "TUNECHO_INTERFACE=%s", journal->interface);
        if (error != 0)
                journal_add(&entry, "ERRNO=%d", -error);

        if (journal->native && journal_has_space() && sd_journal_sendv(entry.items, (int) entry.n_items) >= 0)
                return;

        if (journal->native || journal->prefixed)
                (void) snprintf(level, sizeof(level), "<%d>", priority);

        /* A full pipe would block. One that is writable has space for PIPE_BUF bytes, pipe(7). */
        if (poll(&(struct pollfd) { .fd = STDERR_FILENO, .events = POLLOUT }, 1, 0) <= 0)
                return;

        (void) dprintf(STDERR_FILENO, "%s%s\n", level, text);
}

/**
 * journal_send() - write an entry
 * @journal: the journal
 * @message: which MESSAGE_ID= and priority the entry has
 * @fields: further fields, or NULL
 * @error: a negative errno, which %m in @format prints, or 0
 * @format: printf(3)-like, the text of the entry
 *
 * If the journal cannot receive the entry now, its text is written to stderr. If that would block, the entry
 * is lost.
 */
void journal_send(const struct journal *journal, enum message message, const struct journal_fields *fields,
                  int error, const char *format, ...)
{
        char text[JOURNAL_MESSAGE_SIZE];
        va_list arguments;

        errno = -error;
        va_start(arguments, format);
        (void) vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);

        send_entry(journal, messages[message].id, messages[message].priority, fields, error, text);
}

/**
 * journal_send_error() - write an entry for an error in the settings; a config_error_t
 * @journal: the journal, a struct journal
 * @file: the file, or NULL for an option of the command line
 * @line: the number of the line, or 0 for the file as a whole
 * @message: a description of the error
 */
void journal_send_error(void *journal, const char *file, unsigned line, const char *message)
{
        struct journal_fields fields = { 0 };

        if (!file) {
                journal_send(journal, MESSAGE_SETTINGS_WRONG, NULL, 0, "%s", message);
                return;
        }

        journal_add(&fields, "CONFIG_FILE=%s", file);
        if (line == 0) {
                journal_send(journal, MESSAGE_SETTINGS_WRONG, &fields, 0, "%s: %s", file, message);
                return;
        }

        journal_add(&fields, "CONFIG_LINE=%u", line);
        journal_send(journal, MESSAGE_SETTINGS_WRONG, &fields, 0, "%s:%u: %s", file, line, message);
}

/**
 * journal_send_drops() - write an entry for dropped packets
 * @journal: the journal
 * @verdict: the verdict of the packets; each verdict has its own MESSAGE_ID=
 * @n: how many packets since the last entry of this verdict
 */
void journal_send_drops(const struct journal *journal, enum verdict verdict, uint64_t n)
{
        struct journal_fields fields = { 0 };
        char text[JOURNAL_MESSAGE_SIZE];

        journal_add(&fields, "TUNECHO_VERDICT=%s", verdict_name(verdict));
        journal_add(&fields, "TUNECHO_DROPPED=%" PRIu64, n);
        (void) snprintf(text, sizeof(text), "'%s' dropped %" PRIu64 " %s as %s: %s", journal->interface, n,
                        n == 1 ? "packet" : "packets", verdict_name(verdict), verdict_meaning(verdict));
        send_entry(journal, verdict_message_id(verdict), LOG_NOTICE, &fields, 0, text);
}

/* "icmp type 8 code 0 id 4711 seq 1", as far as the packet was parsed. */
static void describe_packet(struct journal_fields *fields, const struct packet_info *packet, char *text,
                            size_t size)
{
        static const char *const protocols[] = {
                [IPPROTO_ICMP] = "icmp",
                [IPPROTO_TCP] = "tcp",
                [IPPROTO_UDP] = "udp",
                [IPPROTO_ICMPV6] = "icmpv6",
        };
        const char *name = packet->protocol < ARRAY_SIZE(protocols) ? protocols[packet->protocol] : NULL;
        const char *fragment = packet->is_fragment ? " fragment" : "";

        journal_add(fields, "TUNECHO_PROTOCOL=%u", packet->protocol);
        if (!packet->has_icmp) {
                if (name)
                        (void) snprintf(text, size, "%s%s", name, fragment);
                else
                        (void) snprintf(text, size, "protocol %u%s", packet->protocol, fragment);
                return;
        }

        journal_add(fields, "TUNECHO_TYPE=%u", packet->type);
        journal_add(fields, "TUNECHO_CODE=%u", packet->code);
        if (!packet->is_echo) {
                (void) snprintf(text, size, "%s%s type %u code %u", name, fragment, packet->type,
                                packet->code);
                return;
        }

        journal_add(fields, "TUNECHO_IDENTIFIER=%u", packet->identifier);
        journal_add(fields, "TUNECHO_SEQUENCE=%u", packet->sequence);
        (void) snprintf(text, size, "%s%s type %u code %u id %u seq %u", name, fragment, packet->type,
                        packet->code, packet->identifier, packet->sequence);
}

/**
 * journal_send_packet() - write an entry for one packet
 * @journal: the journal
 * @packet: the headers of the packet, as far as they were parsed
 * @size: the size of the packet in bytes
 * @verdict: the verdict of the packet
 */
void journal_send_packet(const struct journal *journal, const struct packet_info *packet, size_t size,
                         enum verdict verdict)
{
        char source[PREFIX_TEXT_SIZE], destination[PREFIX_TEXT_SIZE], text[80];
        struct journal_fields fields = { 0 };

        journal_add(&fields, "TUNECHO_VERDICT=%s", verdict_name(verdict));
        journal_add(&fields, "TUNECHO_LENGTH=%zu", size);
        if (packet->source.family == AF_UNSPEC) {
                journal_send(journal, MESSAGE_PACKET, &fields, 0, "%zu bytes without an IP header: %s", size,
                             verdict_name(verdict));
                return;
        }

        (void) address_text(source, &packet->source);
        (void) address_text(destination, &packet->destination);
        journal_add(&fields, "TUNECHO_FAMILY=%s", packet->source.family == AF_INET ? "ipv4" : "ipv6");
        journal_add(&fields, "TUNECHO_SOURCE=%s", source);
        journal_add(&fields, "TUNECHO_DESTINATION=%s", destination);
        journal_add(&fields, "TUNECHO_HOP_LIMIT=%u", packet->hop_limit);
        describe_packet(&fields, packet, text, sizeof(text));

        journal_send(journal, MESSAGE_PACKET, &fields, 0, "%s > %s: %s, %zu bytes, ttl %u: %s", source,
                     destination, text, size, packet->hop_limit, verdict_name(verdict));
}
