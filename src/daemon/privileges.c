/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Privileges have two phases. The daemon creates and configures the device with the privileges that it was
 * started with: those of root, or CAP_NET_ADMIN alone under the unit. Then, before it reads the first packet,
 * it becomes another user if it is root, keeps CAP_NET_ADMIN in its permitted and effective sets, clears the
 * other sets, reads all of them back, and fails if it has any other capability. capabilities(7)
 *
 * Without CAP_SETPCAP the bounding set cannot change. It may stay as it is: it limits what execve(2) grants,
 * which is nothing with no_new_privs.
 */

#include "daemon/privileges.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
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

static void fclosep(FILE **file)
{
        if (*file)
                fclose(*file);
        *file = NULL;
}

/**
 * privileges_find_user() - find the user to run as
 * @name: the name of the user, or NULL: nobody, with or without an entry in passwd(5)
 * @ret_identity: set to the user and its group
 *
 * Return: 0, -ENOENT if there is no such user, -EINVAL if it is root, or another negative errno of
 *         getpwnam(3).
 */
int privileges_find_user(const char *name, struct identity *ret_identity)
{
        struct identity identity = { .uid = PRIVILEGES_ID, .gid = PRIVILEGES_ID };
        const struct passwd *user;

        errno = 0;
        user = getpwnam(name ? name : PRIVILEGES_USER);
        if (!user && name)
                return errno != 0 ? -errno : -ENOENT;

        if (user)
                identity = (struct identity) { .uid = user->pw_uid, .gid = user->pw_gid };
        if (identity.uid == 0)
                return -EINVAL;

        *ret_identity = identity;
        return 0;
}

/* Reads a map of user_namespaces(7). Without /proc, setuid(2) finds out. */
static bool map_has(const char *path, uint32_t id)
{
        _cleanup_(fclosep) FILE *file = fopen(path, "re");
        uint32_t first, n;

        if (!file)
                return true;

        while (fscanf(file, "%" SCNu32 "%*u%" SCNu32, &first, &n) == 2)
                if (id >= first && id - first < n)
                        return true;

        return false;
}

/**
 * privileges_is_mapped() - check whether the user namespace has a user and its group
 * @identity: the user
 */
bool privileges_is_mapped(const struct identity *identity)
{
        return map_has("/proc/self/uid_map", identity->uid) && map_has("/proc/self/gid_map", identity->gid);
}

/**
 * privileges_are_root() - check whether the real, effective or saved user is root
 */
bool privileges_are_root(void)
{
        uid_t real, effective, saved;

        return getresuid(&real, &effective, &saved) < 0 || real == 0 || effective == 0 || saved == 0;
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

/* Without CAP_SETPCAP the set cannot change; privileges_have_bounding() shows it. */
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
 * privileges_can_change_user() - check whether CAP_SETUID and CAP_SETGID are in the effective set
 *
 * Return: 1, 0 if one of them is not, or a negative errno of cap_get_proc(3).
 */
int privileges_can_change_user(void)
{
        int r = have_effective(CAP_SETUID);

        return r <= 0 ? r : have_effective(CAP_SETGID);
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
 * privileges_have_bounding() - check whether the bounding set has other capabilities than CAP_NET_ADMIN
 */
bool privileges_have_bounding(void)
{
        for (cap_value_t cap = 0; cap < cap_max_bits(); cap++)
                if (cap_get_bound(cap) != 0 && cap != CAP_NET_ADMIN)
                        return true;

        return false;
}

static bool is_user(const struct identity *identity)
{
        uid_t ruid, euid, suid;
        gid_t rgid, egid, sgid;

        if (getresuid(&ruid, &euid, &suid) < 0 || getresgid(&rgid, &egid, &sgid) < 0)
                return false;

        return ruid == identity->uid && euid == identity->uid && suid == identity->uid &&
               rgid == identity->gid && egid == identity->gid && sgid == identity->gid &&
               getgroups(0, NULL) == 0;
}

/**
 * privileges_verify() - read the privileges of the process back
 * @identity: the user that it has to be, or NULL
 * @reterr_what: set to the name of what differs from what privileges_drop() leaves, or to NULL
 *
 * Return: 0, or -EPERM if the process has other capabilities than CAP_NET_ADMIN, apart from the bounding set,
 *         lacks no_new_privs, or is another user or in another group than @identity.
 */
int privileges_verify(const struct identity *identity, const char **reterr_what)
{
        _cleanup_(cap_freep) cap_t caps = cap_get_proc();

        *reterr_what = NULL;
        if (!caps || !caps_are_tight(caps))
                *reterr_what = "permitted, effective or inheritable capabilities";
        else if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
                *reterr_what = "no_new_privs";
        else if (identity && !is_user(identity))
                *reterr_what = "user or groups";

        for (cap_value_t cap = 0; cap < cap_max_bits() && !*reterr_what; cap++)
                if (cap_get_ambient(cap) != 0)
                        *reterr_what = "ambient capabilities";

        return *reterr_what ? -EPERM : 0;
}
