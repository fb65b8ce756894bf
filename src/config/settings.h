/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/error.h"

/* The settings while they are put together. */
struct loader {
        struct config *config;
        struct errors errors;
        bool is_reload;

        struct origin origin;                    /* of the value that is being parsed */
        struct origin mtu, peer_ipv4, peer_ipv6; /* of what check.c reports */
};

int number_parse(unsigned *ret_number, const char *text);

void settings_set_defaults(struct loader *loader);
bool settings_has_section(const char *section);
void settings_set(struct loader *loader, const char *section, const char *key, const char *value);
void settings_set_by_option(struct loader *loader, const char *key, const char *value, bool first);
void settings_print(const struct config *config, FILE *file);
