/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The names of the engines. */

#include "common/engine-type.h"

#include "common/util.h"

static const char *const names[] = {
        [ENGINE_AUTO] = "auto",
        [ENGINE_IO_URING] = "io_uring",
        [ENGINE_SYSCALL] = "syscall",
};

_Static_assert(ARRAY_SIZE(names) == _ENGINE_MAX, "every engine needs a name");

/**
 * engine_type_name() - name a type of engine as the configuration spells it
 * @type: the type
 */
const char *engine_type_name(enum engine_type type)
{
        return names[type];
}
