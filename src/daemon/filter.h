/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Limits the system calls of the process while it serves, seccomp(2), with and without the unit. */

/* What a forbidden call does. */
enum filter_mode {
        FILTER_DENY, /* fails with EPERM */
        FILTER_LOG,  /* is made, and logged by the kernel: for debugging */
};

int filter_install_process(enum filter_mode mode);
int filter_install_thread(enum filter_mode mode);
