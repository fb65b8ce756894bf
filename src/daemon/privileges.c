/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Privileges have two phases. The daemon creates and configures the device with the privileges that it was
 * started with: those of root, or CAP_NET_ADMIN alone under the unit. Then, before it reads the first packet,
 * it keeps CAP_NET_ADMIN in its permitted and effective sets, clears the other sets as far as it is permitted
 * to, reads all of them back, and fails if it has any other capability. capabilities(7)
 */

#include "daemon/privileges.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/util.h"

static void cap_freep(cap_t *caps)
{
        if (*caps)
                cap_free(*caps);
        *caps = NULL;
}

/**
 * privileges_find_user() - find the user to run as
 * @name: the name of the user
 * @ret_identity: set to the user and its group
 *
 * Return: 0, -ENOENT if there is no such user, or another negative errno of getpwnam(3).
 */
int privileges_find_user(const char *name, struct identity *ret_identity)
{
        const struct passwd *user;

        errno = 0;
        user = getpwnam(name);
        if (!user)
                return errno != 0 ? -errno : -ENOENT;

        *ret_identity = (struct identity) { .uid = user->pw_uid, .gid = user->pw_gid };
        return 0;
}

/*
 * Returns whether CAP_NET_ADMIN alone is permitted and effective. It may be inheritable, too:
 * AmbientCapabilities= of the unit leaves it so, and with no_new_privs that grants nothing.
 */
static bool caps_are_tight(cap_t caps)
{
        for (cap_value_t cap = 0; cap < cap_max_bits(); cap++) {
                cap_flag_value_t wanted = cap == CAP_NET_ADMIN ? CAP_SET : CAP_CLEAR;
                cap_flag_value_t permitted, effective, inheritable;

                if (cap_get_flag(caps, cap, CAP_PERMITTED, &permitted) < 0 ||
                    cap_get_flag(caps, cap, CAP_EFFECTIVE, &effective) < 0 ||
                    cap_get_flag(caps, cap, CAP_INHERITABLE, &inheritable) < 0)
                        return false;

                if (permitted != wanted || effective != wanted || inheritable > wanted)
                        return false;
        }

        return true;
}

static int caps_drop(void)
{
        static const cap_value_t kept[] = { CAP_NET_ADMIN };
        _cleanup_(cap_freep) cap_t current = cap_get_proc(), wanted = cap_init();

        if (!current || !wanted)
                return -errno;

        /* SystemCallFilter= of the unit forbids capset(2); there is nothing to drop then. */
        if (caps_are_tight(current))
                return 0;

        if (cap_set_flag(wanted, CAP_PERMITTED, ARRAY_SIZE(kept), kept, CAP_SET) < 0 ||
            cap_set_flag(wanted, CAP_EFFECTIVE, ARRAY_SIZE(kept), kept, CAP_SET) < 0 ||
            cap_set_proc(wanted) < 0)
                return -errno;

        return 0;
}

static int have_effective(cap_value_t cap)
{
        _cleanup_(cap_freep) cap_t caps = cap_get_proc();
        cap_flag_value_t value;

        if (!caps || cap_get_flag(caps, cap, CAP_EFFECTIVE, &value) < 0)
                return -errno;

        return value == CAP_SET;
}

/* Without CAP_SETPCAP the set cannot change; privileges_verify() checks it. */
static int bounding_drop(void)
{
        int r = have_effective(CAP_SETPCAP);

        if (r <= 0)
                return r;

        for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
                if (cap_drop_bound(cap) < 0)
                        return -errno;

        return 0;
}

/**
 * privileges_check_net_admin() - check whether CAP_NET_ADMIN is in the effective set
 *
 * Return: 1, 0 if it is not, or a negative errno of cap_get_proc(3).
 */
int privileges_check_net_admin(void)
{
        return have_effective(CAP_NET_ADMIN);
}

/**
 * privileges_drop() - drop every capability but CAP_NET_ADMIN
 * @identity: the user to run as, or NULL
 *
 * A process that root started loses the capabilities of all five sets and its supplementary groups for good.
 * Under the unit the process has CAP_NET_ADMIN alone already, and the ambient set is cleared.
 *
 * Return: 0, or a negative errno: -EPERM if the process cannot change to @identity.
 */
int privileges_drop(const struct identity *identity)
{
        int r;

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;

        r = bounding_drop();
        if (r < 0)
                return r;

        /* Unlike setuid(2), these keep the permitted set. */
        if (identity && (cap_setgroups(identity->gid, 0, NULL) < 0 || cap_setuid(identity->uid) < 0))
                return -errno;

        if (cap_reset_ambient() < 0)
                return -errno;

        return caps_drop();
}

/**
 * privileges_verify() - read the privileges of the process back
 * @reterr_what: set to the name of the set that differs from what privileges_drop() leaves, or to NULL
 *
 * Return: 0, or -EPERM if the process has other capabilities than CAP_NET_ADMIN, or lacks no_new_privs.
 */
int privileges_verify(const char **reterr_what)
{
        _cleanup_(cap_freep) cap_t caps = cap_get_proc();

        *reterr_what = NULL;
        if (!caps || !caps_are_tight(caps))
                *reterr_what = "permitted, effective or inheritable capabilities";
        else if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
                *reterr_what = "no_new_privs";

        for (cap_value_t cap = 0; cap < cap_max_bits() && !*reterr_what; cap++) {
                if (cap_get_ambient(cap) != 0)
                        *reterr_what = "ambient capabilities";
                else if (cap_get_bound(cap) != 0 && cap != CAP_NET_ADMIN)
                        *reterr_what = "bounding set of capabilities";
        }

        return *reterr_what ? -EPERM : 0;
}
