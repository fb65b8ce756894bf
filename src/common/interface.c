/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which names an interface of tunecho can have, for the daemon and its client. */

#include "common/interface.h"

#include <string.h>

/**
 * interface_check_name() - find out why an instance cannot have a name
 * @name: the name
 *
 * The kernel accepts more; but the name is also that of a unit, a file, a directory and a sysctl.
 *
 * Return: NULL for a good name; else the reason, as the end of a sentence that begins with the name.
 */
const char *interface_check_name(const char *name)
{
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

        if (strcmp(name, "all") == 0 || strcmp(name, "default") == 0)
                return "is not an interface name: the kernel reserves 'all' and 'default' for sysctl";

        if (name[0] == '\0' || name[strspn(name, allowed)] != '\0' || strlen(name) >= IFNAMSIZ ||
            strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return "is not an interface name: 1 to 15 of A-Z a-z 0-9 . _ -, and not . or ..";

        return NULL;
}

/**
 * interface_is_name() - check whether an instance can have a name
 * @name: the name
 */
bool interface_is_name(const char *name)
{
        return interface_check_name(name) == NULL;
}
