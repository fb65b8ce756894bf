/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct instances;

/* The forms of the output. */

#define DURATION_TEXT_SIZE 32

const char *duration_format(char text[static DURATION_TEXT_SIZE], uint64_t usec);

int table_print(const struct instances *instances, FILE *file);
int json_print(const struct instances *instances, FILE *file);
void metrics_print(const struct instances *instances, bool openmetrics, FILE *file);
