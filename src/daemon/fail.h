/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/journal.h"
#include "daemon/service.h"

/* Reports why the daemon ends, to the journal and to systemd; the value is the status to exit with. */
#define fail(journal, status, message, error, ...)                       \
        (journal_send((journal), (message), NULL, (error), __VA_ARGS__), \
         service_send_failed("Failed, see the journal", (error)), (status))
