/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

struct ctl_options;

int serve_metrics(const struct ctl_options *options);
