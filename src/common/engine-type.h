/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How the data plane reads and writes packets: Type= of the settings, and the engine in the status. */
enum engine_type {
        ENGINE_AUTO,
        ENGINE_IO_URING,
        ENGINE_SYSCALL,
        _ENGINE_MAX,
};

const char *engine_type_name(enum engine_type type);
