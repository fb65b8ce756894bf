/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The text that an instance sends to whoever connects to its status socket, lines KEY=VALUE.
 *
 * It comes from another process, so nothing in it is believed: a value that is too long, no number, or no
 * printable text makes the whole of it useless.
 */

#include "client/snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define NUMBER(field) .offset = offsetof(struct snapshot, field), .room = 0
#define TEXT(field) \
        .offset = offsetof(struct snapshot, field), .room = sizeof(((struct snapshot *) NULL)->field)

/* All of these have to be there. The peers have a key that is repeated, and those of the verdicts are in
 * verdict.c. */
static const struct {
        const char *name;
        size_t offset; /* within struct snapshot */
        size_t room;   /* of a text, in bytes; 0: a number */
} keys[] = {
        { "TUNECHO_INTERFACE", TEXT(interface) },
        { "TUNECHO_VERSION", TEXT(version) },
        { "TUNECHO_PID", NUMBER(pid) },
        { "TUNECHO_STATE", TEXT(state) },
        { "TUNECHO_MTU", NUMBER(mtu) },
        { "TUNECHO_ENGINE", TEXT(engine) },
        { "TUNECHO_UPTIME_USEC", NUMBER(uptime_usec) },
        { "TUNECHO_SESSIONS", NUMBER(sessions) },
        { "TUNECHO_PACKETS", NUMBER(packets) },
        { "TUNECHO_REPLIES", NUMBER(replies) },
        { "TUNECHO_DROPPED", NUMBER(dropped) },
        { "TUNECHO_UNSENT", NUMBER(counters.unsent) },
};

struct parser {
        struct snapshot *snapshot;
        size_t n_peers;
        bool has_key[ARRAY_SIZE(keys)];
        bool has_verdict[_VERDICT_MAX];
};

static int parse_number(uint64_t *ret_number, const char *value)
{
        size_t digits = strspn(value, "0123456789");

        if (digits == 0 || value[digits] != '\0')
                return -EBADMSG;

        errno = 0;
        *ret_number = strtoumax(value, NULL, 10);
        return errno != 0 ? -EBADMSG : 0;
}

/* It ends up on a terminal, which takes orders from control characters. */
static int parse_text(char *ret_text, size_t room, const char *value)
{
        size_t size = strlen(value);

        if (size == 0 || size >= room)
                return -EBADMSG;
        for (const char *c = value; *c != '\0'; c++)
                if (*c <= ' ' || *c > '~')
                        return -EBADMSG;

        memcpy(ret_text, value, size + 1);
        return 0;
}

static int parse_peer(struct parser *parser, const char *value)
{
        if (parser->n_peers == SNAPSHOT_MAX_PEERS)
                return -EBADMSG;

        return parse_text(parser->snapshot->peers[parser->n_peers++], INET6_ADDRSTRLEN, value);
}

static int parse_value(struct parser *parser, const char *name, const char *value)
{
        if (strcmp(name, "TUNECHO_PING") == 0)
                return parse_peer(parser, value);

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                char *field = (char *) parser->snapshot + keys[i].offset;

                if (strcmp(name, keys[i].name) != 0)
                        continue;

                parser->has_key[i] = true;
                return keys[i].room > 0 ? parse_text(field, keys[i].room, value)
                                        : parse_number((uint64_t *) (void *) field, value);
        }

        for (enum verdict v = 0; v < _VERDICT_MAX; v++) {
                if (strcmp(name, verdict_field(v)) != 0)
                        continue;

                parser->has_verdict[v] = true;
                return parse_number(&parser->snapshot->counters.verdicts[v], value);
        }

        return 0; /* of a newer daemon */
}

/* An older daemon does not have all verdicts, but then those that it has add up. */
static int check_complete(const struct parser *parser)
{
        const struct snapshot *snapshot = parser->snapshot;
        uint64_t sum = counters_packets(&snapshot->counters);

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                if (!parser->has_key[i])
                        return -EBADMSG;
        for (enum verdict v = 0; v < _VERDICT_MAX; v++)
                if (!parser->has_verdict[v] && sum != snapshot->packets)
                        return -EBADMSG;

        return 0;
}

/**
 * snapshot_parse() - understand what an instance has sent
 * @snapshot: has the name of the interface, and is filled in
 * @text: all that was sent; changed
 *
 * Keys that are not known are passed over, because newer daemons may have more.
 *
 * Return: 0, or -EBADMSG if this is not the whole status of that interface.
 */
int snapshot_parse(struct snapshot *snapshot, char *text)
{
        struct snapshot parsed = { 0 };
        struct parser parser = { .snapshot = &parsed };
        char *end;
        int r;

        for (char *line = text; *line != '\0'; line = end + 1) {
                char *value = strchr(line, '=');

                end = strchr(line, '\n');
                if (!end || !value || value > end)
                        return -EBADMSG;
                *value++ = *end = '\0';

                r = parse_value(&parser, line, value);
                if (r < 0)
                        return r;
        }

        r = check_complete(&parser);
        if (r < 0)
                return r;
        if (strcmp(parsed.interface, snapshot->interface) != 0)
                return -EBADMSG;

        *snapshot = parsed;
        return 0;
}

/**
 * snapshot_number() - one of the numbers of a snapshot, for tables
 * @snapshot: the snapshot
 * @offset: where it is within struct snapshot
 */
uint64_t snapshot_number(const struct snapshot *snapshot, size_t offset)
{
        const void *number = (const char *) snapshot + offset;

        return *(const uint64_t *) number;
}

/**
 * snapshot_is_running() - tell whether there is an instance at all
 * @snapshot: what is known of it
 *
 * Return: false if nobody listens; true even if there was no answer.
 */
bool snapshot_is_running(const struct snapshot *snapshot)
{
        switch (snapshot->error) {
        case -ENOENT:
        case -ENOTDIR:
        case -ECONNREFUSED:
        case -ECONNRESET:
                return false;
        default:
                return true;
        }
}

/**
 * snapshot_state() - name the state of an instance
 * @snapshot: what is known of it
 *
 * Return: what the instance calls it, or what its silence means.
 */
const char *snapshot_state(const struct snapshot *snapshot)
{
        if (!snapshot_is_running(snapshot))
                return "not-running";

        switch (snapshot->error) {
        case 0:
                return snapshot->state;
        case -ETIMEDOUT:
                return "no-answer";
        case -EACCES:
        case -EPERM:
                return "no-permission";
        case -EBADMSG:
                return "bad-answer";
        default:
                return "error";
        }
}
