/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

#include "daemon/journal.h"

struct device;
struct diagnosis;
struct session;

/* What happened to a ping that the kernel is asked about. */
enum diagnosis_event {
        DIAGNOSIS_OPENED,  /* its requests arrive */
        DIAGNOSIS_REFUSED, /* an ICMP error about a reply did */
        DIAGNOSIS_IDLE,    /* no request arrives any more */
        DIAGNOSIS_ENDED,
};

int diagnosis_new(struct diagnosis **ret_diagnosis, struct device *device, const struct journal *journal);
struct diagnosis *diagnosis_free(struct diagnosis *diagnosis);

void diagnosis_check(struct diagnosis *diagnosis, uint64_t now, enum diagnosis_event event,
                     const struct session *session);
void diagnosis_check_all(struct diagnosis *diagnosis, uint64_t now);
