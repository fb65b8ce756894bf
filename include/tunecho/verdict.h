/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

/* The result of the checks of a packet. Every packet that was read has exactly one verdict. */
enum verdict {
        VERDICT_REPLY,
        VERDICT_REPLY_FRAGMENT,
        VERDICT_MALFORMED,
        VERDICT_NOT_ICMP,
        VERDICT_ICMP_ERROR,
        VERDICT_HOUSEKEEPING,
        VERDICT_NOT_ECHO,
        VERDICT_BAD_IP_CHECKSUM,
        VERDICT_BAD_ICMP_CHECKSUM,
        VERDICT_BAD_SOURCE,
        VERDICT_BAD_DESTINATION,
        VERDICT_NOT_OURS,
        VERDICT_GROUP_DESTINATION,
        VERDICT_SOURCE_ROUTE,
        VERDICT_BAD_OPTION,
        VERDICT_UNSUPPORTED,
        _VERDICT_MAX,
};

const char *verdict_name(enum verdict verdict);
const char *verdict_meaning(enum verdict verdict);
const char *verdict_field(enum verdict verdict);
const char *verdict_message_id(enum verdict verdict);
bool verdict_is_reply(enum verdict verdict);
bool verdict_is_silent(enum verdict verdict);
