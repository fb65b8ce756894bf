/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The table of settings: a row has everything about one setting; check.c has the checks across settings.
 * A default is applied by the row's own parser, and so is a value that is empty.
 */

#include "config/settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct setting;

typedef void (*setting_parser)(struct loader *loader, const struct setting *setting, const char *value);
typedef void (*setting_printer)(const struct config *config, const struct setting *setting, FILE *file);

struct setting {
        const char *section;
        const char *key;
        const char *initial; /* the default; empty for a list, whose parser empties it then */
        setting_parser parse;
        setting_printer print;
        size_t offset;     /* within struct config, of a number or a boolean */
        unsigned min, max; /* of a number */
};

static void parse_number(struct loader *loader, const struct setting *setting, const char *value);
static void parse_mtu(struct loader *loader, const struct setting *setting, const char *value);
static void parse_boolean(struct loader *loader, const struct setting *setting, const char *value);
static void parse_address(struct loader *loader, const struct setting *setting, const char *value);
static void parse_peer(struct loader *loader, const struct setting *setting, const char *value);
static void parse_destination(struct loader *loader, const struct setting *setting, const char *value);
static void parse_engine(struct loader *loader, const struct setting *setting, const char *value);
static void parse_sessions(struct loader *loader, const struct setting *setting, const char *value);
static void print_number(const struct config *config, const struct setting *setting, FILE *file);
static void print_boolean(const struct config *config, const struct setting *setting, FILE *file);
static void print_address(const struct config *config, const struct setting *setting, FILE *file);
static void print_peer(const struct config *config, const struct setting *setting, FILE *file);
static void print_destination(const struct config *config, const struct setting *setting, FILE *file);
static void print_engine(const struct config *config, const struct setting *setting, FILE *file);
static void print_sessions(const struct config *config, const struct setting *setting, FILE *file);

#define AT(field) offsetof(struct config, field)

/* In the order of --check, grouped by section. No two keys have the same name. */
static const struct setting settings[] = {
        { "Device", "MTUBytes", "1500", parse_mtu, print_number, AT(mtu), 68, 65535 },
        { "Device", "TransmitQueueLength", "5000", parse_number, print_number, AT(queue_length), 1, 1000000 },
        { "Network", "Configure", "yes", parse_boolean, print_boolean, AT(configure), 0, 0 },
        { "Network", "Address", "", parse_address, print_address, 0, 0, 0 },
        { "Network", "Peer", "", parse_peer, print_peer, 0, 0, 0 },
        { "Reflector", "Destination", "", parse_destination, print_destination, 0, 0, 0 },
        { "Reflector", "HopLimit", "64", parse_number, print_number, AT(hop_limit), 1, 255 },
        { "Reflector", "AnswerBroadcast", "no", parse_boolean, print_boolean, AT(answer_broadcast), 0, 0 },
        { "Reflector", "AnswerMulticast", "yes", parse_boolean, print_boolean, AT(answer_multicast), 0, 0 },
        { "Engine", "Type", "auto", parse_engine, print_engine, 0, 0, 0 },
        { "Log", "Packets", "no", parse_boolean, print_boolean, AT(log_packets), 0, 0 },
        { "Log", "Sessions", "yes", parse_sessions, print_sessions, 0, 0, 0 },
};

/* Reports a value that is wrong by itself, under the name that it has where it comes from. */
static void bad_value(struct loader *loader, const struct setting *setting, const char *value,
                      const char *format, ...) _printf_(4, 5);

static void bad_value(struct loader *loader, const struct setting *setting, const char *value,
                      const char *format, ...)
{
        char reason[256], text[TEXT_SIZE];
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(reason, sizeof(reason), format, arguments);
        va_end(arguments);

        (void) text_escape(text, sizeof(text), value);
        if (loader->origin.path)
                error_add(&loader->errors, &loader->origin, "%s=%s %s", setting->key, text, reason);
        else
                error_add(&loader->errors, &loader->origin, "'%s' %s", text, reason);
}

/**
 * number_parse() - parse a decimal number
 * @ret_number: the number
 * @text: digits alone
 *
 * Return: 0, or -EINVAL for any other text and for more than nine digits, which no limit here has.
 */
int number_parse(unsigned *ret_number, const char *text)
{
        size_t digits = strspn(text, "0123456789");

        if (digits == 0 || digits > 9 || text[digits] != '\0')
                return -EINVAL;

        *ret_number = (unsigned) strtoul(text, NULL, 10);
        return 0;
}

static void parse_number(struct loader *loader, const struct setting *setting, const char *value)
{
        unsigned number;

        if (number_parse(&number, value) < 0 || number < setting->min || number > setting->max) {
                bad_value(loader, setting, value, "is not a number from %u to %u", setting->min,
                          setting->max);
                return;
        }

        *(unsigned *) ((char *) loader->config + setting->offset) = number;
}

static void parse_mtu(struct loader *loader, const struct setting *setting, const char *value)
{
        loader->mtu = loader->origin;
        parse_number(loader, setting, value);
}

/* The words of systemd.syntax(7). Returns 0 or -EINVAL. */
static int boolean_parse(bool *ret_boolean, const char *text)
{
        static const char *const words[] = { "no", "yes", "false", "true", "off",
                                             "on", "n", "y", "f", "t",
                                             "0", "1" };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (strcasecmp(text, words[i]) == 0) {
                        *ret_boolean = i % 2 == 1;
                        return 0;
                }

        return -EINVAL;
}

static void parse_boolean(struct loader *loader, const struct setting *setting, const char *value)
{
        if (boolean_parse((bool *) ((char *) loader->config + setting->offset), value) < 0)
                bad_value(loader, setting, value, "is neither yes nor no");
}

/* Reports why a host cannot have an address on this device. Returns 0 or -EINVAL. */
static int check_address(struct loader *loader, const struct setting *setting, const char *value,
                         const struct prefix *prefix)
{
        struct in_addr broadcast = prefix_broadcast(prefix);
        struct prefix first = *prefix;
        char text[PREFIX_TEXT_SIZE];

        if (!address_is_unicast(&prefix->address) ||
            (broadcast.s_addr != 0 && prefix->address.ipv4.s_addr == broadcast.s_addr)) {
                bad_value(loader, setting, value, "is not an address that a host can have");
                return -EINVAL;
        }
        if (prefix->length == 0) {
                bad_value(loader, setting, value, "would route everything into the device");
                return -EINVAL;
        }
        if (prefix_is_network(prefix)) {
                first.address.bytes[address_size(first.address.family) - 1]++;
                bad_value(loader, setting, value, "is the %s address; the first one for a host is %s",
                          first.address.family == AF_INET ? "network" : "subnet-router anycast",
                          prefix_text(text, &first));
                return -EINVAL;
        }

        return 0;
}

static void parse_address(struct loader *loader, const struct setting *setting, const char *value)
{
        struct config *config = loader->config;
        struct config_address address;

        if (value[0] == '\0') {
                config->n_addresses = 0;
                return;
        }
        if (prefix_parse(&address.prefix, &address.has_length, value) < 0) {
                bad_value(loader, setting, value, "is not an address, or an address and a prefix length");
                return;
        }
        if (check_address(loader, setting, value, &address.prefix) < 0)
                return;
        if (config->n_addresses == ARRAY_SIZE(config->addresses)) {
                bad_value(loader, setting, value, "is one too many, at most %zu are possible",
                          ARRAY_SIZE(config->addresses));
                return;
        }

        /* A single address with a length has no subnet. */
        address.has_length =
                address.has_length && address.prefix.length < address_bits(address.prefix.address.family);
        config->addresses[config->n_addresses++] = address;
}

static void parse_peer(struct loader *loader, const struct setting *setting, const char *value)
{
        struct config *config = loader->config;
        struct address address, *peer;

        if (value[0] == '\0') {
                config->peer_ipv4 = config->peer_ipv6 = (struct address) { 0 };
                return;
        }
        if (address_parse(&address, value) < 0) {
                bad_value(loader, setting, value, "is not an address");
                return;
        }
        if (!address_is_unicast(&address)) {
                bad_value(loader, setting, value, "is not an address that a host can have");
                return;
        }

        peer = address.family == AF_INET ? &config->peer_ipv4 : &config->peer_ipv6;
        if (peer->family != AF_UNSPEC) {
                bad_value(loader, setting, value, "is the second one of its family");
                return;
        }

        *peer = address;
        *(address.family == AF_INET ? &loader->peer_ipv4 : &loader->peer_ipv6) = loader->origin;
}

static void parse_destination(struct loader *loader, const struct setting *setting, const char *value)
{
        struct config *config = loader->config;
        struct prefix prefix;
        bool has_length;

        if (value[0] == '\0') {
                config->n_destinations = 0;
                return;
        }
        if (prefix_parse(&prefix, &has_length, value) < 0) {
                bad_value(loader, setting, value, "is not an address, or an address and a prefix length");
                return;
        }
        if (config->n_destinations == ARRAY_SIZE(config->destinations)) {
                bad_value(loader, setting, value, "is one too many, at most %zu are possible",
                          ARRAY_SIZE(config->destinations));
                return;
        }

        config->destinations[config->n_destinations++] = prefix;
}

static void parse_engine(struct loader *loader, const struct setting *setting, const char *value)
{
        for (enum engine_type type = 0; type < _ENGINE_MAX; type++)
                if (strcmp(value, engine_type_name(type)) == 0) {
                        loader->config->engine = type;
                        return;
                }

        bad_value(loader, setting, value, "is not auto, io_uring or syscall");
}

static void parse_sessions(struct loader *loader, const struct setting *setting, const char *value)
{
        bool all;

        if (strcasecmp(value, "loss") == 0)
                loader->config->sessions = CONFIG_SESSIONS_LOSS;
        else if (boolean_parse(&all, value) == 0)
                loader->config->sessions = all ? CONFIG_SESSIONS_ALL : CONFIG_SESSIONS_NONE;
        else
                bad_value(loader, setting, value, "is not yes, loss or no");
}

static void print_number(const struct config *config, const struct setting *setting, FILE *file)
{
        fprintf(file, "%s=%u\n", setting->key, *(const unsigned *) ((const char *) config + setting->offset));
}

static void print_boolean(const struct config *config, const struct setting *setting, FILE *file)
{
        fprintf(file, "%s=%s\n", setting->key,
                *(const bool *) ((const char *) config + setting->offset) ? "yes" : "no");
}

static void print_address(const struct config *config, const struct setting *setting, FILE *file)
{
        char text[PREFIX_TEXT_SIZE];

        for (size_t i = 0; i < config->n_addresses; i++)
                fprintf(file, "%s=%s\n", setting->key,
                        config->addresses[i].has_length
                                ? prefix_text(text, &config->addresses[i].prefix)
                                : address_text(text, &config->addresses[i].prefix.address));
}

static void print_peer(const struct config *config, const struct setting *setting, FILE *file)
{
        const struct address *peers[] = { &config->peer_ipv4, &config->peer_ipv6 };
        char text[PREFIX_TEXT_SIZE];

        for (size_t i = 0; i < ARRAY_SIZE(peers); i++)
                if (peers[i]->family != AF_UNSPEC)
                        fprintf(file, "%s=%s\n", setting->key, address_text(text, peers[i]));
}

static void print_destination(const struct config *config, const struct setting *setting, FILE *file)
{
        char text[PREFIX_TEXT_SIZE];

        for (size_t i = 0; i < config->n_destinations; i++)
                fprintf(file, "%s=%s\n", setting->key, prefix_text(text, &config->destinations[i]));
}

static void print_engine(const struct config *config, const struct setting *setting, FILE *file)
{
        fprintf(file, "%s=%s\n", setting->key, engine_type_name(config->engine));
}

static void print_sessions(const struct config *config, const struct setting *setting, FILE *file)
{
        static const char *const names[] = {
                [CONFIG_SESSIONS_NONE] = "no",
                [CONFIG_SESSIONS_LOSS] = "loss",
                [CONFIG_SESSIONS_ALL] = "yes",
        };

        fprintf(file, "%s=%s\n", setting->key, names[config->sessions]);
}

static const struct setting *setting_find(const char *key)
{
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
                if (strcmp(key, settings[i].key) == 0)
                        return &settings[i];

        return NULL;
}

/**
 * settings_set_defaults() - set every setting to its default
 * @loader: the settings
 */
void settings_set_defaults(struct loader *loader)
{
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
                settings[i].parse(loader, &settings[i], settings[i].initial);
}

/**
 * settings_has_section() - check whether there is a section
 * @section: its name
 */
bool settings_has_section(const char *section)
{
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
                if (strcmp(section, settings[i].section) == 0)
                        return true;

        return false;
}

/**
 * settings_set() - set what a line of a file sets, or report what is wrong with it
 * @loader: the settings, and the line as the origin
 * @section: the section that the line is in, which exists
 * @key: the key
 * @value: its value; empty for the default, which removes what is in a list
 */
void settings_set(struct loader *loader, const char *section, const char *key, const char *value)
{
        const struct setting *setting = setting_find(key);
        char text[TEXT_SIZE];

        if (!setting)
                error_add(&loader->errors, &loader->origin, "unknown key '%s' in [%s]",
                          text_escape(text, sizeof(text), key), section);
        else if (strcmp(section, setting->section) != 0)
                error_add(&loader->errors, &loader->origin, "'%s' belongs in [%s], not in [%s]", key,
                          setting->section, section);
        else
                setting->parse(loader, setting, value[0] == '\0' ? setting->initial : value);
}

/**
 * settings_set_by_option() - set what an option of the command line sets
 * @loader: the settings, and the option as the origin
 * @key: the key that the option stands for
 * @value: its argument; an empty one is an error, such as a shell variable that is not set
 * @first: whether it is the first of its kind, which replaces the list of the files
 */
void settings_set_by_option(struct loader *loader, const char *key, const char *value, bool first)
{
        const struct setting *setting = setting_find(key);

        if (first && setting->initial[0] == '\0')
                setting->parse(loader, setting, "");
        if (value[0] == '\0')
                error_add(&loader->errors, &loader->origin, "the argument is empty");
        else
                setting->parse(loader, setting, value);
}

/**
 * settings_print() - print the settings as a file that would set them
 * @config: the settings
 * @file: the stream to print to
 */
void settings_print(const struct config *config, FILE *file)
{
        const char *section = "";

        for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
                if (strcmp(section, settings[i].section) != 0)
                        fprintf(file, "%s[%s]\n", i > 0 ? "\n" : "", settings[i].section);
                section = settings[i].section;
                settings[i].print(config, &settings[i], file);
        }
}
