/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The answer of an instance, or what the lack of one means. */

#include "client/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tunecho/sessions.h"

/**
 * snapshot_parse() - parse the answer of an instance
 * @snapshot: has the name of the interface; its error and status are set
 * @text: all that the instance sent, and a terminator; changed
 * @size: size of the text without the terminator, in bytes
 *
 * The error is 0; -ECONNRESET if there is no text, as from a daemon that stops; or -EBADMSG if this is not a
 * status of that interface.
 */
void snapshot_parse(struct snapshot *snapshot, char *text, size_t size)
{
        struct status status;

        if (size == 0)
                snapshot->error = -ECONNRESET;
        else if (status_parse(&status, text, size) < 0 ||
                 strcmp(status.interface, snapshot->status.interface) != 0)
                snapshot->error = -EBADMSG;
        else
                snapshot->error = 0;

        if (snapshot->error == 0)
                snapshot->status = status;
}

/**
 * snapshot_parse_sessions() - parse the sessions of an instance
 * @snapshot: has the name of the interface; its sessions are set, which the caller frees
 * @text: all that the instance sent, and a terminator; changed
 * @size: size of the text without the terminator, in bytes
 *
 * The error is as that of snapshot_parse(), or -ENOMEM.
 */
void snapshot_parse_sessions(struct snapshot *snapshot, char *text, size_t size)
{
        struct sessions *sessions = size > 0 ? malloc(sizeof(*sessions)) : NULL;

        if (size == 0)
                snapshot->sessions_error = -ECONNRESET;
        else if (!sessions)
                snapshot->sessions_error = -ENOMEM;
        else if (sessions_parse(sessions, text, size) < 0 ||
                 strcmp(sessions->interface, snapshot->status.interface) != 0)
                snapshot->sessions_error = -EBADMSG;
        else
                snapshot->sessions = sessions;

        if (snapshot->sessions_error < 0)
                free(sessions);
}

/**
 * snapshot_is_running() - check whether an instance is running
 * @snapshot: its answer, or why there is none
 *
 * Return: false if no process listens on its socket; true even if there was no answer.
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
 * @snapshot: its answer, or why there is none
 *
 * Return: the state that the instance reports, or a name for the error.
 */
const char *snapshot_state(const struct snapshot *snapshot)
{
        if (!snapshot_is_running(snapshot))
                return "not-running";

        switch (snapshot->error) {
        case 0:
                return snapshot->status.state;
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
