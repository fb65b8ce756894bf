/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

struct records;
struct session_list;

struct session_list *session_list_new(const char *interface);
struct session_list *session_list_free(struct session_list *list);
void session_list_send(struct session_list *list, struct records *records, int client);
