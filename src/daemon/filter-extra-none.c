/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Built without sanitizers. */

#include "daemon/filter-rules.h"

#include <stddef.h>

const char *const filter_process_extra[] = { NULL };
const char *const filter_thread_extra[] = { NULL };
