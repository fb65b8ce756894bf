/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

/* Called for each descriptor that systemd passed in. Returns true if it owns the descriptor from then on. */
typedef bool (*service_handler_t)(void *userdata, int fd, const char *name);

int service_receive_descriptors(service_handler_t handler, void *userdata);
int service_store_device(int fd);

int service_send_ready(const char *status);
void service_send_reloading(void);
bool service_send_status(const char *status);
void service_send_watchdog(void);
void service_send_stopping(void);
void service_send_failed(const char *status, int error);

/* The device's name in the descriptor store. */
#define SERVICE_FDNAME "tun"
