/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

int nft_process_run(const char *const *arguments, size_t size_max, unsigned timeout_msec, char **ret_text,
                    size_t *ret_size);
