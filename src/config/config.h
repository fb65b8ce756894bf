/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/address.h"
#include "common/engine-type.h"
#include "packet/policy.h"

#define CONFIG_MAX_ADDRESSES POLICY_MAX_ADDRESSES
#define CONFIG_SOURCES_SIZE  512 /* bytes */

enum config_action {
        CONFIG_RUN,
        CONFIG_CHECK,
        CONFIG_HELP,
        CONFIG_VERSION,
};

/* Which ping sessions have an entry in the journal. */
enum config_sessions {
        CONFIG_SESSIONS_NONE,
        CONFIG_SESSIONS_LOSS, /* those with requests that are missing, duplicate, reordered or refused */
        CONFIG_SESSIONS_ALL,
};

/* One Address=. With a length, its subnet is routed into the device; without one, only the peer is. */
struct config_address {
        struct prefix prefix;
        bool has_length;
};

struct config {
        int argc; /* of main(), for a reload */
        char **argv;
        char sources[CONFIG_SOURCES_SIZE]; /* "FILE, DROP-IN", or "defaults" where no file was read */
        enum config_action action;
        char interface[IFNAMSIZ];
        const char *user; /* of --user=, or NULL */

        unsigned mtu;          /* in bytes */
        unsigned queue_length; /* in packets */

        bool configure;
        bool default_addresses; /* they follow from the name of the interface */
        struct config_address addresses[CONFIG_MAX_ADDRESSES];
        size_t n_addresses;
        struct address peer_ipv4;
        struct address peer_ipv6;

        struct prefix destinations[POLICY_MAX_DESTINATIONS];
        size_t n_destinations;
        unsigned hop_limit;
        bool answer_broadcast;
        bool answer_multicast;

        enum engine_type engine;

        bool log_packets;
        enum config_sessions sessions;
};

/*
 * Called for each error: in a line of a file, in a file (line 0), or among the options (file NULL). Both
 * texts are printable, and together shorter than 800 bytes.
 */
typedef void (*config_error_t)(void *userdata, const char *file, unsigned line, const char *message);

int config_load(struct config *ret_config, int argc, char *argv[], config_error_t on_error, void *userdata);
int config_reload(struct config *ret_config, const struct config *config, config_error_t on_error,
                  void *userdata);
void config_drop_ipv6(struct config *config);

bool config_has_ipv6(const struct config *config);
const struct address *config_point_to_point(const struct config *config,
                                            const struct config_address *address);
struct address config_address_to_try(const struct config *config, int family);
void config_policy(const struct config *config, struct policy *ret_policy);

void config_print(const struct config *config, FILE *file);
void config_print_help(FILE *file);
