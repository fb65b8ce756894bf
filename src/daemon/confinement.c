/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What the process may do, in its order: as it was started until the device is configured; then as another
 * user, with CAP_NET_ADMIN alone; with the ring, then with a filter of system calls; and the data plane with
 * one of its own, before its first packet.
 */

#include "daemon/confinement.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/fail.h"

static const char *text_of_user_error(int error)
{
        switch (error) {
        case -ENOENT:
                return "no such user";
        case -EINVAL:
                return "root, which the daemon does not stay";
        default:
                return strerror(-error);
        }
}

/*
 * Whether it stays who it is, with a warning: a user namespace may lack the user, and a container the
 * capabilities to change to one. A user that --user= names is required, where it exists.
 */
static bool keeps_user(const struct confinement *confinement)
{
        const char *interface = confinement->journal->interface, *user = confinement->user;

        if (!privileges_is_mapped(&confinement->identity)) {
                journal_send(confinement->journal, MESSAGE_USER_KEPT, NULL, 0,
                             "'%s' is served as user %u, as this user namespace has no user '%s'", interface,
                             geteuid(), user ? user : PRIVILEGES_USER);
                return true;
        }
        if (!user && privileges_can_change_user() == 0) {
                journal_send(confinement->journal, MESSAGE_USER_KEPT, NULL, 0,
                             "'%s' is served as user %u, as CAP_SETUID or CAP_SETGID is lacking", interface,
                             geteuid());
                return true;
        }

        return false;
}

/* The user to become: without --user=, root becomes nobody, and another user stays what it is. */
static int find_identity(struct confinement *confinement)
{
        const char *user = confinement->user;
        int r;

        r = privileges_check_net_admin();
        if (r < 0)
                return fail(confinement->journal, EX_OSERR, MESSAGE_SYSTEM_FAILED, r,
                            "Cannot read the capabilities: %m");
        if (r == 0)
                return fail(confinement->journal, EX_NOPERM, MESSAGE_PRIVILEGES, -EPERM,
                            "CAP_NET_ADMIN is needed: start tunecho as root, or as tunecho@%s.service",
                            confinement->journal->interface);

        if (!user && !privileges_are_root())
                return 0;

        r = privileges_find_user(user, &confinement->identity);
        if (r < 0)
                return fail(confinement->journal, EX_USAGE, MESSAGE_SETTINGS_WRONG, r, "--user=%s: %s",
                            user ? user : PRIVILEGES_USER, text_of_user_error(r));

        confinement->has_identity = !keeps_user(confinement);
        return 0;
}

/**
 * confinement_identity() - return the user to become
 * @confinement: the confinement, after confinement_init()
 *
 * Return: the user, or NULL to stay the same one.
 */
const struct identity *confinement_identity(const struct confinement *confinement)
{
        return confinement->has_identity ? &confinement->identity : NULL;
}

/**
 * confinement_drop_privileges() - keep CAP_NET_ADMIN alone, and read back that nothing else is left
 * @confinement: the confinement
 *
 * Return: 0, or the status to exit with.
 */
int confinement_drop_privileges(const struct confinement *confinement)
{
        const char *what;
        int r;

        r = privileges_drop(confinement_identity(confinement));
        if (r < 0)
                return fail(confinement->journal, EX_NOPERM, MESSAGE_PRIVILEGES, r, "Cannot drop privileges: %m");

        r = privileges_verify(confinement_identity(confinement), &what);
        if (r < 0)
                return fail(confinement->journal, EX_NOPERM, MESSAGE_PRIVILEGES, r,
                            "Refusing to run with other privileges than CAP_NET_ADMIN: %s", what);

        if (privileges_have_bounding())
                journal_send(confinement->journal, MESSAGE_BOUNDING_KEPT, NULL, 0,
                             "'%s' keeps its bounding set of capabilities, as CAP_SETPCAP is lacking",
                             confinement->journal->interface);
        return 0;
}

/* $TUNECHO_SECCOMP=log is for debugging. The unit unsets it. */
static int find_filter_mode(struct confinement *confinement)
{
        const char *mode = getenv("TUNECHO_SECCOMP");

        if (!mode)
                return 0;

        if (strcmp(mode, "log") != 0)
                return fail(confinement->journal, EX_USAGE, MESSAGE_SETTINGS_WRONG, -EINVAL,
                            "$TUNECHO_SECCOMP is '%s', not 'log'", mode);

        confinement->filter_mode = FILTER_LOG;
        journal_send(confinement->journal, MESSAGE_FILTER_LOGS, NULL, 0,
                     "'%s' may make any system call, as TUNECHO_SECCOMP=log is set: for debugging only",
                     confinement->journal->interface);
        return 0;
}

/* There may be memory or a process at the next start; a permission that is refused stays refused. */
static int status_of_filter_error(int error)
{
        switch (error) {
        case -EINVAL:
        case -ENODATA:
        case -ENOSYS:
        case -EPERM:
                return EX_NOPERM;
        default:
                return EX_OSERR;
        }
}

/**
 * confinement_fail_filter() - log that a filter is lacking
 * @confinement: the confinement
 * @error: the negative errno
 * @calls: the system calls that it is for, as in a message
 *
 * Return: the status to exit with, as sysexits(3).
 */
int confinement_fail_filter(const struct confinement *confinement, int error, const char *calls)
{
        return fail(confinement->journal, status_of_filter_error(error), MESSAGE_PRIVILEGES, error,
                    "Refusing to run without a filter of %s: %m", calls);
}

/* Before there is a thread, or a descriptor that a child would hold. */
static int build_filters(struct confinement *confinement)
{
        int r;

        r = filter_new(&confinement->process, FILTER_PROCESS, confinement->filter_mode);
        if (r < 0)
                return confinement_fail_filter(confinement, r, "system calls");

        r = filter_new(&confinement->data_plane, FILTER_THREAD, confinement->filter_mode);
        return r < 0 ? confinement_fail_filter(confinement, r, "the data plane's system calls") : 0;
}

/**
 * confinement_init() - find out which user to become, and build the filters
 * @confinement: set up, also on failure; user and journal must outlive it
 * @user: of --user=, or NULL
 * @journal: where to report
 *
 * Return: 0, or the status to exit with.
 */
int confinement_init(struct confinement *confinement, const char *user, const struct journal *journal)
{
        int r;

        *confinement = (struct confinement) { .user = user, .journal = journal };
        r = find_identity(confinement);
        if (r == 0)
                r = find_filter_mode(confinement);
        return r != 0 ? r : build_filters(confinement);
}

/**
 * confinement_done() - free what confinement_init() has set up
 * @confinement: the confinement, zeroed or set up
 */
void confinement_done(struct confinement *confinement)
{
        confinement->data_plane = filter_free(confinement->data_plane);
        confinement->process = filter_free(confinement->process);
}

/**
 * confinement_limit_process() - install the filter of system calls of all threads
 * @confinement: the confinement
 *
 * To be called when the ring exists: the filter forbids another one.
 *
 * Return: 0, or the status to exit with.
 */
int confinement_limit_process(const struct confinement *confinement)
{
        int r;

        r = filter_install(confinement->process);
        if (r < 0)
                return confinement_fail_filter(confinement, r, "system calls");

        return 0;
}

/**
 * confinement_limit_data_plane() - install the filter of the calling thread; an engine_hook_t
 * @userdata: the confinement
 *
 * Return: 0, or a negative errno of filter_install().
 */
int confinement_limit_data_plane(void *userdata)
{
        const struct confinement *confinement = userdata;

        return filter_install(confinement->data_plane);
}
