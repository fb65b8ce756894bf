/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct ping_report;

void ping_print(const struct ping_report *report, FILE *file);
int ping_nagios_status(const struct ping_report *reports, size_t n);
void ping_print_nagios(const struct ping_report *reports, size_t n, FILE *file);
int ping_print_json(const struct ping_report *reports, size_t n, FILE *file);
