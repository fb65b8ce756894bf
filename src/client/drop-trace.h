/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "client/drop-parse.h"

struct drop_trace;

int drop_trace_start(struct drop_trace **ret_trace, int family);
int drop_trace_stop(struct drop_trace *trace, struct drop_reasons *ret_reasons);
struct drop_trace *drop_trace_free(struct drop_trace *trace);
