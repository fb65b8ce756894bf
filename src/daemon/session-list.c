/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The list of open ping sessions, for the clients of the sessions socket. Addresses are for those who may read
 * them in the journal, too: root, the user of the daemon, and the groups adm and systemd-journal, by the
 * credentials that the kernel has of the connection.
 *
 * The table is copied under the lock of the records and formatted after it. All memory is allocated at the start.
 */

#include "daemon/session-list.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/util.h"
#include "daemon/privileges.h"
#include "engine/records.h"
#include "packet/icmp-error.h"
#include "tunecho/sessions.h"

/*
 * One send(2) has whole records, and is one buffer of the kernel, so that it is sent as a whole or not. With the
 * kernel's header it is four pages.
 */
#define PART_SIZE (15 * 1024) /* bytes */

_Static_assert(SESSIONS_ROWS_MAX >= SESSIONS_MAX, "a client reads all sessions");

static const char *const group_names[] = { "adm", "systemd-journal" };

struct session_list {
        const char *interface;
        gid_t groups[ARRAY_SIZE(group_names)]; /* those that may see addresses */
        size_t n_groups;
        struct session_report reports[SESSIONS_MAX];
        gid_t peer_groups[NGROUPS_MAX];
};

/* The connection of a client, and what is to be sent next. */
struct reply {
        int client;
        bool is_full; /* the socket takes no more */
        size_t used;
        char text[PART_SIZE];
};

/**
 * session_list_new() - prepare to list sessions
 * @interface: the device; must outlive the list
 *
 * Looks the groups up, which may open files: to be called before the filter of system calls is installed.
 *
 * Return: the list, which session_list_free() frees, or NULL without memory.
 */
struct session_list *session_list_new(const char *interface)
{
        struct session_list *list = calloc(1, sizeof(*list));

        if (!list)
                return NULL;

        list->interface = interface;
        for (size_t i = 0; i < ARRAY_SIZE(group_names); i++) {
                const struct group *group = getgrnam(group_names[i]);

                if (group)
                        list->groups[list->n_groups++] = group->gr_gid;
        }

        return list;
}

/**
 * session_list_free() - free a list
 * @list: the list, or NULL
 *
 * Return: NULL.
 */
struct session_list *session_list_free(struct session_list *list)
{
        free(list);
        return NULL;
}

static bool is_trusted_group(const struct session_list *list, gid_t group)
{
        for (size_t i = 0; i < list->n_groups; i++)
                if (list->groups[i] == group)
                        return true;

        return false;
}

/*
 * The user of the daemon is not trusted if it is nobody: other services have that user, too, and the kernel shows
 * every user as nobody that the user namespace does not have.
 */
static bool may_see_addresses(struct session_list *list, int client)
{
        socklen_t size = sizeof(struct ucred), groups_size = sizeof(list->peer_groups);
        struct ucred peer;

        if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return false;
        if (peer.uid == 0 || (peer.uid == geteuid() && peer.uid != PRIVILEGES_ID) ||
            is_trusted_group(list, peer.gid))
                return true;

        if (getsockopt(client, SOL_SOCKET, SO_PEERGROUPS, list->peer_groups, &groups_size) < 0)
                return false;
        for (size_t i = 0; i < groups_size / sizeof(gid_t); i++)
                if (is_trusted_group(list, list->peer_groups[i]))
                        return true;

        return false;
}

static void fill_refusal(struct session_row *row, const struct session *session, bool with_addresses)
{
        const struct session_refusal *refusal = &session->refusal;
        const struct icmp_error error = {
                .reporter = refusal->from,
                .type = refusal->type,
                .code = refusal->code,
        };
        char text[PREFIX_TEXT_SIZE];

        row->refused = session->refused;
        row->type = row->code = row->path_mtu = PROTOCOL_NONE;
        if (session->refused == 0)
                return;

        row->type = refusal->type;
        row->code = refusal->code;
        if (refusal->mtu > 0)
                row->path_mtu = refusal->mtu;
        if (with_addresses)
                (void) snprintf(row->reporter, sizeof(row->reporter), "%s", address_text(text, &refusal->from));
        (void) snprintf(row->reason, sizeof(row->reason), "%s",
                        icmp_error_reason_text(icmp_error_reason(&error)));
}

static void fill_row(struct session_row *row, const struct session *session, uint64_t now, bool with_addresses)
{
        const struct numbering_summary *numbers = &session->numbers;
        char text[PREFIX_TEXT_SIZE];

        *row = (struct session_row) {
                .identifier = session->identifier,
                .requests = session->requests,
                .missing = numbers->unknown == SESSION_KNOWN ? numbers->missing : PROTOCOL_NONE,
                .step = numbers->step > 0 ? numbers->step : PROTOCOL_NONE,
                .duplicates = numbers->duplicates,
                .reordered = numbers->reordered,
                .sequence_first = numbers->first,
                .sequence_last = numbers->last,
                .fragmented = session->fragmented,
                .later_fragments = session->later_fragments,
                .bytes = session->bytes,
                .length_min = session->size_min,
                .length_max = session->size_max,
                .hop_limit_min = session->hop_limit_min,
                .hop_limit_max = session->hop_limit_max,
                .duration_usec = session->latest - session->opened,
                .idle_usec = now > session->latest ? now - session->latest : 0,
        };
        if (numbers->unknown != SESSION_KNOWN)
                (void) snprintf(row->unknown, sizeof(row->unknown), "%s",
                                session_unknown_name(numbers->unknown));
        if (with_addresses) {
                (void) snprintf(row->source, sizeof(row->source), "%s", address_text(text, &session->source));
                (void) snprintf(row->destination, sizeof(row->destination), "%s",
                                address_text(text, &session->destination));
        }
        fill_refusal(row, session, with_addresses);
}

static void send_part(struct reply *reply)
{
        if (!reply->is_full && reply->used > 0)
                reply->is_full = send(reply->client, reply->text, reply->used, MSG_NOSIGNAL) < 0;
        reply->used = 0;
}

static void add_row(struct reply *reply, const struct session_row *row)
{
        int size = session_row_format(row, reply->text + reply->used, sizeof(reply->text) - reply->used);

        if (size < 0) {
                send_part(reply);
                size = session_row_format(row, reply->text, sizeof(reply->text));
        }
        if (size > 0)
                reply->used += (size_t) size;
}

/**
 * session_list_send() - send the open sessions to a client
 * @list: the list
 * @records: has the sessions
 * @client: the connection, which does not block
 *
 * The buffer of the socket is as large as all sessions, if the limit of the system allows that; else the last
 * ones are not sent.
 */
void session_list_send(struct session_list *list, struct records *records, int client)
{
        struct reply reply = { .client = client };
        bool recording, with_addresses = may_see_addresses(list, client);
        size_t n = records_copy_sessions(records, list->reports, ARRAY_SIZE(list->reports), &recording);
        uint64_t now = monotonic_usec();
        struct session_row row = { 0 };
        struct sessions head = { .open = n };
        int space = SESSIONS_TEXT_MAX;

        (void) setsockopt(client, SOL_SOCKET, SO_SNDBUF, &space, sizeof(space));
        (void) snprintf(head.interface, sizeof(head.interface), "%s", list->interface);
        (void) snprintf(head.recording, sizeof(head.recording), "%s", recording ? "yes" : "no");
        (void) snprintf(head.addresses, sizeof(head.addresses), "%s", with_addresses ? "yes" : "no");
        reply.used = (size_t) sessions_format_head(&head, reply.text, sizeof(reply.text));

        for (size_t i = 0; i < n && !reply.is_full; i++) {
                fill_row(&row, &list->reports[i].session, now, with_addresses);
                add_row(&reply, &row);
        }
        send_part(&reply);
}
