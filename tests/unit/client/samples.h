/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "client/instances.h"

/* What instances say of themselves, for the tests of the client. */

struct snapshot sample_snapshot(const char *interface);
struct snapshot sample_silence(const char *interface, int error);
void sample_text(char text[static SNAPSHOT_TEXT_MAX], const struct snapshot *snapshot);
