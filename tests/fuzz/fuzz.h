/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a fuzz target has for its two drivers: libFuzzer, and replay.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Runs one input, and returns in a word what came of it; aborts if that breaks a promise. */
const char *fuzz_outcome(const uint8_t *data, size_t size);

/* libFuzzer's entry, the same without the word. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it has to hold in a release build, too. */
static inline void must(bool holds, const char *promise)
{
        if (holds)
                return;

        fprintf(stderr, "broken promise: %s\n", promise);
        abort();
}

static inline void close_filep(FILE **file)
{
        if (*file)
                fclose(*file);
        *file = NULL;
}

/* Of a pointer to what malloc() returned. */
static inline void freep(void *pointer)
{
        free(*(void **) pointer);
        *(void **) pointer = NULL;
}
