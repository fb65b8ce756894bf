/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What more than one of the test programs needs: cmocka with the headers that it wants before it, and a few
 * helpers. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/util.h"

/* Runs in a child, where no assertion of cmocka may be. Returns NULL, or what went wrong. */
typedef const char *(*child_function)(void);

uint32_t random_word(uint64_t *state);
void random_bytes(uint64_t *state, void *bytes, size_t size);

void *exact_copy(const void *data, size_t size);

const char *in_child(child_function function, char *ret_stderr, size_t stderr_room);
const char *become_root(int namespaces);
void skip_unless(bool possible, struct CMUnitTest *test, const char *reason);
bool skipped_without_io_uring(void);
