/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What the status socket sends, by the protocol of protocol.c. The table below has a row for each key but those
 * of the verdicts, which are in verdict.c.
 */

#include "tunecho/status.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/util.h"

#define SIZE_OF(field) sizeof(((struct status *) NULL)->field)
#define COUNT(field)   ARRAY_SIZE(((struct status *) NULL)->field)

#define NUMBER(field) .offset = offsetof(struct status, field), .max = 1
#define TEXT(field)   .offset = offsetof(struct status, field), .size = SIZE_OF(field), .max = 1
#define TEXTS(field)  .offset = offsetof(struct status, field), .size = SIZE_OF(field[0]), .max = COUNT(field)

const struct protocol_key status_keys[] = {
        { "TUNECHO_INTERFACE", "interface", TEXT(interface) },
        { "TUNECHO_STATE", "state", TEXT(state) },
        { "TUNECHO_PING", "ping", TEXTS(ping), .is_optional = true },
        { "TUNECHO_VERSION", "version", TEXT(version) },
        { "TUNECHO_ENGINE", "engine", TEXT(engine) },
        { "TUNECHO_PID", "pid", NUMBER(pid) },
        { "TUNECHO_MTU", "mtu", NUMBER(mtu) },
        { "TUNECHO_UPTIME_USEC", "uptime_usec", NUMBER(uptime_usec) },
        { "TUNECHO_SESSIONS", "sessions", NUMBER(sessions) },
        { "TUNECHO_SESSIONS_OPENED", "sessions_opened", NUMBER(sessions_opened), .is_optional = true },
        { "TUNECHO_SESSIONS_EVICTED", "sessions_evicted", NUMBER(sessions_evicted), .is_optional = true },
        { "TUNECHO_PACKETS", "packets", NUMBER(packets) },
        { "TUNECHO_REPLIES", "replies", NUMBER(replies) },
        { "TUNECHO_DROPPED", "dropped", NUMBER(dropped) },
        { "TUNECHO_UNSENT", "unsent", NUMBER(counters.unsent) },
        { "TUNECHO_REFUSED", "refused", NUMBER(refused), .is_optional = true },
        { .name = NULL },
};

_Static_assert(ARRAY_SIZE(status_keys) <= PROTOCOL_KEYS_MAX, "a parser has the keys of this table");

/**
 * status_format() - write a status as text
 * @status: the status
 * @text: buffer for the text
 * @size: size of the buffer in bytes
 *
 * Return: the length of the text in bytes, or -ENOBUFS if the buffer is too small.
 */
int status_format(const struct status *status, char *text, size_t size)
{
        struct protocol_buffer buffer = { text, size, 0 };

        protocol_format(&buffer, status_keys, status);
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                protocol_append(&buffer, "%s=%" PRIu64 "\n", verdict_field(v), status->counters.verdicts[v]);

        return buffer.used < size ? (int) buffer.used : -ENOBUFS;
}

/* Ignores what is no counter of a verdict. */
static int parse_verdict(struct status *status, bool has_verdict[static _VERDICT_MAX], const char *name,
                         const char *value)
{
        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                if (strcmp(name, verdict_field(v)) != 0)
                        continue;

                has_verdict[v] = true;
                return protocol_parse_number(&status->counters.verdicts[v], value);
        }

        return 0;
}

/* An older daemon lacks verdicts, but those that it sends add up to its packets. */
static int check_verdicts(const struct status *status, const bool has_verdict[static _VERDICT_MAX])
{
        uint64_t sum = counters_packets(&status->counters);

        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                if (!has_verdict[v] && sum != status->packets)
                        return -EBADMSG;

        return 0;
}

/**
 * status_parse() - parse the text of a status
 * @ret_status: the status
 * @text: all that an instance sent, and a terminator; changed
 * @size: size of the text without the terminator, in bytes
 *
 * Return: 0, or -EBADMSG if this is not a complete and valid status.
 */
int status_parse(struct status *ret_status, char *text, size_t size)
{
        struct status status = { 0 };
        struct protocol_parser parser;
        bool has_verdict[_VERDICT_MAX] = { false };
        char *name, *value;
        int r = 0;

        if (strlen(text) != size)
                return -EBADMSG;

        protocol_parser_init(&parser, status_keys, &status);
        while (r >= 0 && *text != '\0') {
                r = protocol_split_line(&text, &name, &value);
                if (r >= 0 && !value)
                        r = -EBADMSG;
                if (r >= 0)
                        r = protocol_parse(&parser, name, value);
                if (r == 0)
                        r = parse_verdict(&status, has_verdict, name, value);
        }

        if (r >= 0)
                r = protocol_check_complete(&parser);
        if (r >= 0)
                r = check_verdicts(&status, has_verdict);
        if (r < 0)
                return r;

        *ret_status = status;
        return 0;
}
