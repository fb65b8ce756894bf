/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Privileges come in two phases. To make and configure the device the daemon has what it was started with:
 * all of root's, or from the unit CAP_NET_ADMIN alone. Then, before the first packet is read, it keeps
 * CAP_NET_ADMIN in its permitted and effective sets, empties what it may empty of the others, reads
 * everything back, and refuses to go on with more. capabilities(7)
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
 * privileges_find_user() - look up whom to become
 * @name: name of the user
 * @ret_identity: its user and group
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
 * CAP_NET_ADMIN alone, permitted and effective. Inheritable it may be: the unit's AmbientCapabilities= leave
 * it so, and it means nothing to a process that cannot gain privileges.
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

        /* The unit's filter of system calls has no capset(2), and there is nothing to drop then. */
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

/* Without CAP_SETPCAP the set stays as it is, and privileges_verify() decides. */
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
 * privileges_have_net_admin() - tell whether CAP_NET_ADMIN is in the effective set
 */
int privileges_have_net_admin(void)
{
        return have_effective(CAP_NET_ADMIN);
}

/**
 * privileges_drop() - keep CAP_NET_ADMIN and nothing else
 * @identity: whom to become, or NULL
 *
 * Started by root, all five sets are dropped, the user is changed with its groups, and there is
 * no way back. Started by the unit, the process holds no more than CAP_NET_ADMIN already; the
 * ambient set, which made it start that way, is emptied.
 *
 * Return: 0, or a negative errno: -EPERM if @identity may not be assumed.
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
 * privileges_verify() - read back what the process holds
 * @reterr_what: set to what there is too much of, or too little
 *
 * Return: 0, or -EPERM if that is anything but CAP_NET_ADMIN and no_new_privs.
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
