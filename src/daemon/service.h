/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

typedef bool (*service_offer_t)(void *userdata, int fd, const char *name);

int service_take_descriptors(service_offer_t offer, void *userdata);
int service_store(int fd);

int service_ready(const char *status);
void service_reloading(void);
bool service_status(const char *status);
void service_stopping(void);
void service_failed(const char *status, int error);

/* The device's name in the descriptor store. */
#define SERVICE_FDNAME "tun"
