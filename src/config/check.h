/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

struct loader;

void check_settings(struct loader *loader, const char *path);
