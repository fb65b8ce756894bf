/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "config/config.h"
#include "daemon/device-state.h"
#include "daemon/journal.h"

struct device;
struct link_info;

/* What happens to the device. */
enum device_event {
        DEVICE_CHANGED, /* something changed in the network stack */
        DEVICE_CHECKED, /* some time later: the state of the device and its routes were checked */
};

typedef void (*device_handler_t)(void *userdata, enum device_event event);

int device_open(struct device **ret_device, struct config *config, const struct journal *journal);
struct device *device_free(struct device *device);

int device_configure(struct device *device);
int device_attach(struct device *device, sd_event *event, device_handler_t on_change, void *userdata);

int device_fd(const struct device *device);
const struct link_info *device_link(const struct device *device);
unsigned device_mtu(struct device *device);
bool device_is_settled(struct device *device);
bool device_is_pinged(struct device *device, const struct address *address);
const struct device_condition *device_condition(const struct device *device);
enum state device_find_state(struct device *device);
