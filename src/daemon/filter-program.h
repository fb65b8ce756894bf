/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <linux/filter.h>

#include "daemon/filter.h"

/* A filter in the form that the kernel loads. Memory that no instruction fills is not touched. */
struct filter_program {
        unsigned short n;
        struct sock_filter instructions[BPF_MAXINSNS];
};

int filter_program_build(struct filter_program *program, enum filter_scope scope, enum filter_mode mode);
