/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Why it is unknown how many requests of a ping are missing. */
enum session_unknown {
        SESSION_KNOWN,
        SESSION_EVERY_NTH, /* the numbers in between may have gone elsewhere */
        SESSION_ELSEWHERE, /* some of the numbers go elsewhere */
        SESSION_NO_COUNT,  /* the numbers do not count */
        SESSION_TOO_FEW,   /* requests to see a step */
        SESSION_MIXED,     /* with those of another ping of the same identifier */
        _SESSION_UNKNOWN_MAX,
};

const char *session_unknown_name(enum session_unknown unknown);
enum session_unknown session_unknown_find(const char *name);
const char *session_unknown_text(char *text, size_t size, enum session_unknown unknown, uint64_t step);
