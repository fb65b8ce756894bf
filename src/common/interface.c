/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What may be called an interface, to the daemon and to its client. */

#include "common/interface.h"

#include <string.h>

/**
 * interface_is_name() - tell whether an instance can have a name
 * @name: the name
 *
 * systemd, a file's name and a log line bear it; the kernel takes more.
 */
bool interface_is_name(const char *name)
{
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

        return name[0] != '\0' && name[strspn(name, allowed)] == '\0' && strlen(name) < IFNAMSIZ &&
               strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}
