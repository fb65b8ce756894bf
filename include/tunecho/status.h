/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The socket of an instance, within its directory below /run/tunecho. */
#define STATUS_SOCKET "status"
