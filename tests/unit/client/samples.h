/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "client/snapshot.h"
#include "tunecho/sessions.h"

/* Snapshots for the tests of the client. */

struct snapshot sample_snapshot(const char *interface);
struct sessions sample_sessions(const char *interface);
struct snapshot sample_silence(const char *interface, int error);
