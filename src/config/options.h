/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

struct loader;

const char *options_read(struct loader *loader, int argc, char *argv[]);
void options_set(struct loader *loader, int argc, char *argv[]);
