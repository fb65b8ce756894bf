/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "config/config.h"
#include "daemon/journal.h"

struct device;

/* Called when the device has changed, or when its routes were checked. */
typedef void (*device_handler_t)(void *userdata);

int device_open(struct device **ret_device, struct config *config, const struct journal *journal);
struct device *device_free(struct device *device);

int device_configure(struct device *device);
int device_attach(struct device *device, sd_event *event, device_handler_t on_change, void *userdata);

int device_fd(const struct device *device);
unsigned device_mtu(const struct device *device);
bool device_is_settled(struct device *device);
