/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The names of interfaces that the daemon and the client accept. */

#include "common/interface.h"

#include <string.h>

/**
 * interface_is_name() - check the name of an interface
 * @name: the name
 *
 * The name is part of a unit name, a path and log lines, so fewer characters are valid than in the kernel.
 */
bool interface_is_name(const char *name)
{
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

        return name[0] != '\0' && name[strspn(name, allowed)] == '\0' && strlen(name) < IFNAMSIZ &&
               strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}
