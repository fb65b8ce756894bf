/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

int doorbell_install(int *ret_signals);
void doorbell_remove(void);

int doorbell_add(int fd);
int doorbell_set_alarm(uint64_t usec);
int doorbell_set_reminder(uint64_t usec);

int doorbell_wait(int fd);
int doorbell_listen(void);
int doorbell_open(int fd);
int doorbell_close(void);
bool doorbell_rung(void);
void doorbell_ring(void);
void doorbell_answer(void);
