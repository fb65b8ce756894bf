/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The settings: defaults, then the file, then the options. Every mistake is reported, each with its place;
 * nothing is logged here, and nothing but the file is opened.
 */

#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "common/interface.h"
#include "common/util.h"

#define FILE_SIZE_MAX   65536 /* bytes */
#define LINE_SIZE_MAX   190   /* bytes; a longer one would be split by inih */
#define BLANKS          " \t\v\f\r"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define NO_SECTION      "[]" /* what stands in it is not told again */
#define MISTAKES_MAX    100  /* that are told of one file */

struct loader;
struct setting;

/* Where a value came from: a line of the file, or an option. Neither: the defaults. */
struct origin {
        const char *option;
        unsigned line;
};

typedef void (*setting_parser)(struct loader *loader, const struct setting *setting, const char *value);
typedef void (*setting_printer)(const struct config *config, const struct setting *setting, FILE *file);

struct setting {
        const char *section;
        const char *key;
        setting_parser parse;
        setting_printer print;
        size_t offset;     /* within struct config, of a number or a switch */
        unsigned min, max; /* of a number */
        bool list;         /* repeatable; an empty value forgets the ones before, as in systemd's files */
};

static void parse_number(struct loader *loader, const struct setting *setting, const char *value);
static void parse_switch(struct loader *loader, const struct setting *setting, const char *value);
static void parse_address(struct loader *loader, const struct setting *setting, const char *value);
static void parse_peer(struct loader *loader, const struct setting *setting, const char *value);
static void parse_destination(struct loader *loader, const struct setting *setting, const char *value);
static void parse_engine(struct loader *loader, const struct setting *setting, const char *value);
static void print_number(const struct config *config, const struct setting *setting, FILE *file);
static void print_switch(const struct config *config, const struct setting *setting, FILE *file);
static void print_address(const struct config *config, const struct setting *setting, FILE *file);
static void print_peer(const struct config *config, const struct setting *setting, FILE *file);
static void print_destination(const struct config *config, const struct setting *setting, FILE *file);
static void print_engine(const struct config *config, const struct setting *setting, FILE *file);

#define FIELD(field)            .offset = offsetof(struct config, field)
#define RANGE(from, to)         .min = (from), .max = (to)
#define NUMBER(field, from, to) .parse = parse_number, .print = print_number, FIELD(field), RANGE(from, to)
#define SWITCH(field)           .parse = parse_switch, .print = print_switch, FIELD(field)
#define LIST(of)                .parse = parse_##of, .print = print_##of, .list = true

/* In the order of --check, grouped by section. No two keys have the same name. */
static const struct setting settings[] = {
        { .section = "Device", .key = "MTUBytes", NUMBER(mtu, 68, 65535) },
        { .section = "Device", .key = "TransmitQueueLength", NUMBER(queue_length, 1, 1000000) },
        { .section = "Network", .key = "Configure", SWITCH(configure) },
        { .section = "Network", .key = "Address", LIST(address) },
        { .section = "Network", .key = "Peer", LIST(peer) },
        { .section = "Reflector", .key = "Destination", LIST(destination) },
        { .section = "Reflector", .key = "HopLimit", NUMBER(hop_limit, 1, 255) },
        { .section = "Reflector", .key = "AnswerBroadcast", SWITCH(answer_broadcast) },
        { .section = "Reflector", .key = "AnswerMulticast", SWITCH(answer_multicast) },
        { .section = "Engine", .key = "Type", .parse = parse_engine, .print = print_engine },
        { .section = "Log", .key = "Packets", SWITCH(log_packets) },
        { .section = "Log", .key = "Sessions", SWITCH(log_sessions) },
};

/* An option that sets what a key of the file sets names the key, and wins over it. */
static const struct {
        char letter; /* or 0 */
        const char *name;
        const char *argument; /* or NULL */
        const char *key;      /* or NULL */
        const char *help;
} options[] = {
        { 'c', "config", "FILE", NULL, "read FILE instead of " TUNECHO_CONFIG_DIR "/INTERFACE.conf" },
        { 'a', "address", "ADDR[/LEN]", "Address", "this host's end; repeatable" },
        { 'p', "peer", "ADDR", "Peer", "the far end; at most one per family" },
        { 'm', "mtu", "BYTES", "MTUBytes", "68 to 65535 (1280 at least where there is an IPv6 address)" },
        { 'e', "engine", "NAME", "Type", "auto, io_uring or syscall" },
        { 0, "check", NULL, NULL, "print the settings that would be used, and exit" },
        { 0, "user", "NAME", NULL, "after a start as root, become this user" },
        { 'h', "help", NULL, NULL, "print this help, and exit" },
        { 'V', "version", NULL, NULL, "print the version, and exit" },
};

struct loader {
        struct config *config;
        config_mistake_t on_mistake;
        void *userdata;
        unsigned n_mistakes;
        unsigned n_option_mistakes;

        const char *path;
        bool path_given;
        char section_line[LINE_SIZE_MAX + 1];
        bool in_section_line;
        struct origin origin;                        /* of the value that is being parsed */
        struct origin origins[ARRAY_SIZE(settings)]; /* of the last one of each setting */
        struct origin peer_ipv4, peer_ipv6;
};

static void mistake_at(struct loader *loader, const struct origin *origin, const char *format, ...)
        _printf_(3, 4);

static void mistake_at(struct loader *loader, const struct origin *origin, const char *format, ...)
{
        char message[512], option[600];
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(message, sizeof(message), format, arguments);
        va_end(arguments);

        loader->n_mistakes++;
        if (origin->option) {
                loader->n_option_mistakes++;
                (void) snprintf(option, sizeof(option), "--%s: %s", origin->option, message);
                loader->on_mistake(loader->userdata, NULL, 0, option);
        } else
                loader->on_mistake(loader->userdata, loader->path, origin->line, message);
}

#define mistake(loader, ...) mistake_at(loader, &(loader)->origin, __VA_ARGS__)

/* A value that is wrong by itself, under the name that it was given. */
static void bad_value(struct loader *loader, const struct setting *setting, const char *value,
                      const char *format, ...) _printf_(4, 5);

static void bad_value(struct loader *loader, const struct setting *setting, const char *value,
                      const char *format, ...)
{
        char reason[256];
        va_list arguments;

        va_start(arguments, format);
        (void) vsnprintf(reason, sizeof(reason), format, arguments);
        va_end(arguments);

        if (loader->origin.option)
                mistake(loader, "'%s' %s", value, reason);
        else
                mistake(loader, "%s=%s %s", setting->key, value, reason);
}

static void usage_mistake(struct loader *loader, const char *message)
{
        loader->n_mistakes++;
        loader->n_option_mistakes++;
        loader->on_mistake(loader->userdata, NULL, 0, message);
}

static int number_parse(const char *text, unsigned *ret_number)
{
        size_t digits = strspn(text, "0123456789");

        /* Nine digits fit, and none of our limits has more. */
        if (digits == 0 || digits > 9 || text[digits] != '\0')
                return -EINVAL;

        *ret_number = (unsigned) strtoul(text, NULL, 10);
        return 0;
}

static void parse_number(struct loader *loader, const struct setting *setting, const char *value)
{
        unsigned number;

        if (number_parse(value, &number) < 0 || number < setting->min || number > setting->max) {
                bad_value(loader, setting, value, "is not a number from %u to %u", setting->min,
                          setting->max);
                return;
        }

        *(unsigned *) ((char *) loader->config + setting->offset) = number;
}

static void parse_switch(struct loader *loader, const struct setting *setting, const char *value)
{
        static const struct {
                const char *text;
                bool on;
        } words[] = {
                { "yes", true },
                { "true", true },
                { "on", true },
                { "y", true },
                { "t", true },
                { "1", true },
                { "no", false },
                { "false", false },
                { "off", false },
                { "n", false },
                { "f", false },
                { "0", false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (strcasecmp(value, words[i].text) == 0) {
                        *(bool *) ((char *) loader->config + setting->offset) = words[i].on;
                        return;
                }

        bad_value(loader, setting, value, "is neither yes nor no");
}

static void parse_address(struct loader *loader, const struct setting *setting, const char *value)
{
        struct config *config = loader->config;
        struct config_address address;
        struct in_addr broadcast;

        if (value[0] == '\0') {
                config->n_addresses = 0;
                return;
        }
        if (prefix_parse(&address.prefix, &address.has_length, value) < 0) {
                bad_value(loader, setting, value, "is not an address, or an address and a prefix length");
                return;
        }

        broadcast = prefix_broadcast(&address.prefix);
        if (!address_is_unicast(&address.prefix.address) ||
            (broadcast.s_addr != 0 && address.prefix.address.ipv4.s_addr == broadcast.s_addr)) {
                bad_value(loader, setting, value, "is not an address that a host can have");
                return;
        }
        if (address.prefix.length == 0) {
                bad_value(loader, setting, value, "would send everything into the device");
                return;
        }
        if (config->n_addresses == ARRAY_SIZE(config->addresses)) {
                bad_value(loader, setting, value, "is one too many, there can be %zu",
                          ARRAY_SIZE(config->addresses));
                return;
        }

        /* A subnet of one address is none. */
        address.has_length =
                address.has_length && address.prefix.length < address_bits(address.prefix.address.family);
        config->addresses[config->n_addresses++] = address;
}

static struct address *peer_of_family(struct config *config, int family)
{
        return family == AF_INET ? &config->peer_ipv4 : &config->peer_ipv6;
}

static struct origin *peer_origin(struct loader *loader, int family)
{
        return family == AF_INET ? &loader->peer_ipv4 : &loader->peer_ipv6;
}

static void parse_peer(struct loader *loader, const struct setting *setting, const char *value)
{
        struct address address, *peer;

        if (value[0] == '\0') {
                loader->config->peer_ipv4 = loader->config->peer_ipv6 = (struct address) { 0 };
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

        peer = peer_of_family(loader->config, address.family);
        if (peer->family != AF_UNSPEC) {
                bad_value(loader, setting, value, "is the second one of its family");
                return;
        }

        *peer = address;
        *peer_origin(loader, address.family) = loader->origin;
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
                bad_value(loader, setting, value, "is one too many, there can be %zu",
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

        bad_value(loader, setting, value, "is none of auto, io_uring and syscall");
}

static void print_number(const struct config *config, const struct setting *setting, FILE *file)
{
        fprintf(file, "%s=%u\n", setting->key, *(const unsigned *) ((const char *) config + setting->offset));
}

static void print_switch(const struct config *config, const struct setting *setting, FILE *file)
{
        fprintf(file, "%s=%s\n", setting->key,
                *(const bool *) ((const char *) config + setting->offset) ? "yes" : "no");
}

static void print_address(const struct config *config, const struct setting *setting, FILE *file)
{
        for (size_t i = 0; i < config->n_addresses; i++) {
                const struct config_address *address = &config->addresses[i];
                char text[PREFIX_TEXT_SIZE];

                if (address->has_length)
                        (void) prefix_text(text, &address->prefix);
                else
                        (void) address_text(text, &address->prefix.address);
                fprintf(file, "%s=%s\n", setting->key, text);
        }
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

static bool section_exists(const char *section)
{
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
                if (strcmp(section, settings[i].section) == 0)
                        return true;

        return false;
}

static const struct setting *setting_find(const char *key)
{
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
                if (strcmp(key, settings[i].key) == 0)
                        return &settings[i];

        return NULL;
}

static void assign(struct loader *loader, const struct setting *setting, const char *value)
{
        loader->origins[setting - settings] = loader->origin;
        setting->parse(loader, setting, value);
}

static const struct origin *origin_of(const struct loader *loader, const char *key)
{
        return &loader->origins[setting_find(key) - settings];
}

/* Called by inih for each KEY=VALUE; what it returns is not zero, which means success there. */
static int on_assignment(void *userdata, const char *section, const char *key, const char *value)
{
        struct loader *loader = userdata;
        const struct setting *setting = setting_find(key);
        char bare[LINE_SIZE_MAX + 1];
        size_t size = 0;

        if (loader->in_section_line) {
                if (!section_exists(section))
                        mistake(loader, "unknown section [%s]", section);
                return 1;
        }
        if (section[0] == '\0' && loader->section_line[0] == '\0') {
                mistake(loader, "'%s' stands before any [Section]", key);
                return 1;
        }
        if (!section_exists(section))
                return 1; /* told at the section's own line */
        if (!setting) {
                mistake(loader, "unknown key '%s' in [%s]", key, section);
                return 1;
        }
        if (strcmp(section, setting->section) != 0) {
                mistake(loader, "'%s' belongs in [%s], not in [%s]", key, setting->section, section);
                return 1;
        }

        /* inih knows a comment behind a value by " ;" alone. */
        while (value[size] != '\0' && !(value[size] == '#' && (size == 0 || strchr(" \t", value[size - 1]))))
                size++;
        while (size > 0 && strchr(" \t", value[size - 1]))
                size--;
        (void) snprintf(bare, sizeof(bare), "%.*s", (int) size, value);

        assign(loader, setting, bare);
        return 1;
}

static bool is_empty(const char *text)
{
        text += strspn(text, BLANKS);
        return text[0] == '\0' || text[0] == '#' || text[0] == ';';
}

/* inih takes a colon for an equals sign, and does not look behind a section. */
static bool is_well_formed(const char *line)
{
        const char *end = strchr(line, ']');

        if (line[0] == '[')
                return end && is_empty(end + 1);

        return is_empty(line) || line[strcspn(line, "=:")] == '=';
}

/*
 * inih tells the number of the first bad line alone, and its handler none at all; so it is given one line at
 * a time, each behind the section it stands in. A section is asked for by an assignment without name and
 * value.
 */
static void read_line(struct loader *loader, const char *line, size_t size)
{
        char text[2 * sizeof(loader->section_line) + sizeof("\n\n")];

        if (strlen(line) < size) {
                mistake(loader, "this is not text");
                return;
        }
        if (size > LINE_SIZE_MAX) {
                mistake(loader, "the line is longer than %d bytes", LINE_SIZE_MAX);
                return;
        }

        line += strspn(line, BLANKS);
        loader->in_section_line = line[0] == '[';
        if (loader->in_section_line) {
                strcpy(loader->section_line, line);
                (void) snprintf(text, sizeof(text), "%s\n=\n", line);
        } else
                (void) snprintf(text, sizeof(text), "%s\n%s\n", loader->section_line, line);

        if (is_well_formed(line) && ini_parse_string(text, on_assignment, loader) == 0)
                return;

        mistake(loader, "this is neither KEY=VALUE nor [Section]");
        if (loader->in_section_line)
                strcpy(loader->section_line, NO_SECTION);
}

/* Reads the whole file into a buffer of FILE_SIZE_MAX + 1 bytes. Returns its size, or a negative errno. */
static ssize_t read_content(struct loader *loader, char *content)
{
        _cleanup_(close_fdp) int fd = -1;
        struct stat status;
        size_t size = 0;
        ssize_t n;

        /* Without O_NONBLOCK a FIFO would wait for its writer. */
        fd = open(loader->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0) {
                if (errno == ENOENT && !loader->path_given)
                        return 0;

                mistake(loader, "cannot be opened: %m");
                return -EINVAL;
        }
        if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
                mistake(loader, "is not a regular file");
                return -EINVAL;
        }

        do {
                n = TEMP_FAILURE_RETRY(read(fd, content + size, FILE_SIZE_MAX + 1 - size));
                if (n < 0) {
                        mistake(loader, "cannot be read: %m");
                        return -EINVAL;
                }

                size += (size_t) n;
        } while (n > 0 && size <= FILE_SIZE_MAX);

        if (size > FILE_SIZE_MAX) {
                mistake(loader, "is larger than %d bytes", FILE_SIZE_MAX);
                return -EINVAL;
        }

        return (ssize_t) size;
}

static void read_file(struct loader *loader)
{
        static char content[FILE_SIZE_MAX + 1];
        char *line = content, *end;
        ssize_t size;

        loader->origin = (struct origin) { 0 };
        size = read_content(loader, content);
        if (size < 0)
                return;

        content[size] = '\0';
        if (memcmp(content, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
                line += strlen(BYTE_ORDER_MARK);

        for (; line < content + size && loader->n_mistakes < MISTAKES_MAX; line = end + 1) {
                end = memchr(line, '\n', (size_t) (content + size - line));
                if (!end)
                        end = content + size;

                *end = '\0';
                loader->origin.line++;
                read_line(loader, line, (size_t) (end - line));
        }
}

static void check_interface(struct loader *loader, const char *name)
{
        const char *reason = interface_check_name(name);
        char message[256];

        /* A refused one is told, too: in as much of it as an interface can have. */
        (void) snprintf(loader->config->interface, sizeof(loader->config->interface), "%s", name);
        if (!reason)
                return;

        (void) snprintf(
                message, sizeof(message), "'%.64s' %s%s", name, reason,
                strstr(name, "\\x") ? "; it looks escaped, but stands behind 'tunecho@' as it is" : "");
        usage_mistake(loader, message);
}

/* Returns the row of options[] that getopt_long() found, or -1 at the end, or -EINVAL. */
static int next_option(struct loader *loader, int argc, char *argv[])
{
        struct option longs[ARRAY_SIZE(options) + 1] = { 0 };
        char letters[2 * ARRAY_SIZE(options) + 2] = ":", message[256];
        size_t n = 1;
        int c;

        /* What a long option returns is above every letter. */
        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                longs[i].name = options[i].name;
                longs[i].has_arg = options[i].argument ? required_argument : no_argument;
                longs[i].val = UINT8_MAX + 1 + (int) i;
                if (options[i].letter == 0)
                        continue;
                letters[n++] = options[i].letter;
                if (options[i].argument)
                        letters[n++] = ':';
        }

        opterr = 0;
        c = getopt_long(argc, argv, letters, longs, NULL);
        if (c == -1)
                return -1;
        if (c > UINT8_MAX)
                return c - UINT8_MAX - 1;
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                if (c == options[i].letter)
                        return (int) i;

        if (optopt > 0 && optopt <= UINT8_MAX)
                (void) snprintf(message, sizeof(message),
                                c == ':' ? "option '-%c' needs an argument" : "unknown option '-%c'", optopt);
        else
                (void) snprintf(message, sizeof(message),
                                c == ':' ? "option '%.64s' needs an argument" : "unknown option '%.64s'",
                                argv[optind - 1]);
        usage_mistake(loader, message);
        return -EINVAL;
}

/* What to do, and with what: all but the settings, which wait for the file to be read. */
static void read_command_line(struct loader *loader, int argc, char *argv[])
{
        struct config *config = loader->config;
        int i;

        optind = 0;
        while ((i = next_option(loader, argc, argv)) != -1) {
                if (i < 0)
                        continue;

                if (strcmp(options[i].name, "config") == 0) {
                        loader->path = optarg;
                        loader->path_given = true;
                } else if (strcmp(options[i].name, "user") == 0)
                        config->user = optarg;
                else if (strcmp(options[i].name, "check") == 0)
                        config->action = CONFIG_CHECK;
                else if (strcmp(options[i].name, "help") == 0)
                        config->action = CONFIG_HELP;
                else if (strcmp(options[i].name, "version") == 0)
                        config->action = CONFIG_VERSION;

                /* The first of these two is all that is wanted. */
                if (config->action == CONFIG_HELP || config->action == CONFIG_VERSION)
                        return;
        }

        if (argc - optind == 1)
                check_interface(loader, argv[optind]);
        else
                usage_mistake(loader, argc == optind ? "which INTERFACE? try --help"
                                                     : "more than one INTERFACE; try --help");
}

/* The options that set what a key sets; the first of a list takes the place of the file's. */
static void read_settings_of_command_line(struct loader *loader, int argc, char *argv[])
{
        bool replaced[ARRAY_SIZE(options)] = { 0 };
        int i;

        optind = 0;
        while ((i = next_option(loader, argc, argv)) != -1) {
                const struct setting *setting;

                if (i < 0 || !options[i].key)
                        continue;

                setting = setting_find(options[i].key);
                loader->origin = (struct origin) { .option = options[i].name };
                if (setting->list && !replaced[i])
                        setting->parse(loader, setting, "");
                replaced[i] = true;
                if (optarg[0] == '\0')
                        mistake(loader, "the argument is empty"); /* such as a variable that is not set */
                else
                        assign(loader, setting, optarg);
        }
}

/* RFC 2544 and RFC 5180 set these blocks aside for benchmarks: they are never on the public internet. */
static void apply_default_addresses(struct loader *loader)
{
        struct config *config = loader->config;
        const char *digits = config->interface + strlen("tun");
        unsigned n;

        if (strncmp(config->interface, "tun", strlen("tun")) != 0 || number_parse(digits, &n) < 0 ||
            n > 255 || (digits[0] == '0' && digits[1] != '\0')) {
                mistake_at(
                        loader, &(struct origin) { 0 },
                        "'%s' has no addresses of its own, as tun0 to tun255 have: set Address= in this file",
                        config->interface);
                return;
        }

        config->default_addresses = true;
        config->n_addresses = 2;
        config->addresses[0].prefix =
                (struct prefix) { { AF_INET, .bytes = { 198, 18, (uint8_t) n, 1 } }, 32 };
        config->addresses[1].prefix = (struct prefix) {
                { AF_INET6, .bytes = { 0x20, 0x01, 0x00, 0x02, [7] = (uint8_t) n, [15] = 1 } }, 128
        };
        config->peer_ipv4 = (struct address) { AF_INET, .bytes = { 198, 18, (uint8_t) n, 2 } };
        config->peer_ipv6 = (struct address) { AF_INET6, .bytes = { 0x20, 0x01, 0x00,
                                                                    0x02, [7] = (uint8_t) n, [15] = 2 } };
}

static const struct config_address *subnet_of_peer(const struct config *config, const struct address *peer)
{
        for (size_t i = 0; i < config->n_addresses; i++)
                if (config->addresses[i].has_length &&
                    prefix_contains(&config->addresses[i].prefix, peer->family, peer->bytes))
                        return &config->addresses[i];

        return NULL;
}

static const struct config_address *point_to_point_address(const struct config *config, int family)
{
        for (size_t i = 0; i < config->n_addresses; i++)
                if (!config->addresses[i].has_length && config->addresses[i].prefix.address.family == family)
                        return &config->addresses[i];

        return NULL;
}

static bool is_broadcast_of(const struct address *peer, const struct config_address *address)
{
        struct in_addr broadcast = { 0 };

        if (peer->family == AF_INET && address->has_length)
                broadcast = prefix_broadcast(&address->prefix);

        return broadcast.s_addr != 0 && broadcast.s_addr == peer->ipv4.s_addr;
}

static void check_peer(struct loader *loader, const struct address *peer, const struct origin *origin)
{
        const struct config *config = loader->config;
        char text[PREFIX_TEXT_SIZE];
        bool family = false;

        if (peer->family == AF_UNSPEC)
                return;

        (void) address_text(text, peer);
        for (size_t i = 0; i < config->n_addresses; i++) {
                family = family || config->addresses[i].prefix.address.family == peer->family;
                if (address_equal(peer, &config->addresses[i].prefix.address)) {
                        mistake_at(loader, origin, "Peer=%s is this host's own Address=", text);
                        return;
                }
                if (is_broadcast_of(peer, &config->addresses[i])) {
                        mistake_at(loader, origin, "Peer=%s is the broadcast address of a subnet", text);
                        return;
                }
        }
        if (!family) {
                mistake_at(loader, origin, "Peer=%s has no Address= of its family", text);
                return;
        }

        if (!subnet_of_peer(config, peer) && !point_to_point_address(config, peer->family))
                mistake_at(loader, origin,
                           "Peer=%s is in no subnet of an Address=; one without /LEN would reach it", text);
}

/* What no setting shows by itself. */
static void check_together(struct loader *loader)
{
        const struct config *config = loader->config;

        if (config->mtu < 1280 && config_has_ipv6(config))
                mistake_at(loader, origin_of(loader, "MTUBytes"),
                           "MTUBytes=%u is too small for IPv6, which needs 1280%s",
                           config->mtu,
                           config->default_addresses ? "; an Address= of IPv4 alone would do without IPv6"
                                                     : "");

        check_peer(loader, &config->peer_ipv4, &loader->peer_ipv4);
        check_peer(loader, &config->peer_ipv6, &loader->peer_ipv6);
}

/**
 * config_load() - make the settings of defaults, file and options
 * @ret_config: the settings; where they are not good, those that are
 * @argc: as main() has it
 * @argv: as main() has it; reordered by getopt_long(3), and must outlive @ret_config
 * @on_mistake: told of every mistake
 * @userdata: passed to @on_mistake
 *
 * Return: 0; EX_USAGE if there is a mistake among the options, else EX_CONFIG if there is one in the file.
 */
int config_load(struct config *ret_config, int argc, char *argv[], config_mistake_t on_mistake,
                void *userdata)
{
        char path[sizeof(TUNECHO_CONFIG_DIR "/.conf") + IFNAMSIZ];
        struct loader loader = {
                .config = ret_config,
                .on_mistake = on_mistake,
                .userdata = userdata,
        };

        *ret_config = (struct config) {
                .argc = argc,
                .argv = argv,
                .mtu = 1500,
                .queue_length = 5000,
                .configure = true,
                .hop_limit = 64,
                .answer_multicast = true,
                .log_sessions = true,
        };

        read_command_line(&loader, argc, argv);
        if (loader.n_mistakes > 0)
                return EX_USAGE;
        if (ret_config->action == CONFIG_HELP || ret_config->action == CONFIG_VERSION)
                return 0;

        if (!loader.path) {
                (void) snprintf(path, sizeof(path), TUNECHO_CONFIG_DIR "/%s.conf", ret_config->interface);
                loader.path = path;
        }
        read_file(&loader);
        read_settings_of_command_line(&loader, argc, argv);

        /* Values that are wrong by themselves would only cause more mistakes. */
        if (loader.n_mistakes == 0) {
                if (ret_config->configure && ret_config->n_addresses == 0 &&
                    ret_config->peer_ipv4.family == AF_UNSPEC && ret_config->peer_ipv6.family == AF_UNSPEC)
                        apply_default_addresses(&loader);
                check_together(&loader);
        }
        if (loader.n_option_mistakes > 0)
                return EX_USAGE;

        return loader.n_mistakes > 0 ? EX_CONFIG : 0;
}

/**
 * config_reload() - read the file of the settings anew
 * @ret_config: the new settings
 * @config: the ones that config_load() made
 * @on_mistake: told of every mistake
 * @userdata: passed to @on_mistake
 *
 * Return: as config_load().
 */
int config_reload(struct config *ret_config, const struct config *config, config_mistake_t on_mistake,
                  void *userdata)
{
        return config_load(ret_config, config->argc, config->argv, on_mistake, userdata);
}

/**
 * config_has_ipv6() - tell whether there is an IPv6 address among the settings
 * @config: the settings
 */
bool config_has_ipv6(const struct config *config)
{
        for (size_t i = 0; i < config->n_addresses; i++)
                if (config->addresses[i].prefix.address.family == AF_INET6)
                        return true;

        return false;
}

/**
 * config_drop_ipv6() - go on without IPv6
 * @config: the settings
 */
void config_drop_ipv6(struct config *config)
{
        size_t n = 0;

        for (size_t i = 0; i < config->n_addresses; i++)
                if (config->addresses[i].prefix.address.family == AF_INET)
                        config->addresses[n++] = config->addresses[i];

        config->n_addresses = n;
        config->peer_ipv6 = (struct address) { 0 };
}

/**
 * config_point_to_point() - the far end of an address, as rtnetlink's IFA_ADDRESS has it
 * @config: the settings
 * @address: one of its addresses
 *
 * Return: the peer, if @address is the one that reaches it without a subnet; else NULL.
 */
const struct address *config_point_to_point(const struct config *config, const struct config_address *address)
{
        int family = address->prefix.address.family;
        const struct address *peer = family == AF_INET ? &config->peer_ipv4 : &config->peer_ipv6;

        if (peer->family == AF_UNSPEC || subnet_of_peer(config, peer) ||
            point_to_point_address(config, family) != address)
                return NULL;

        return peer;
}

/*
 * fe80::/64 with the interface identifier of the peer: an address that one can tell, with the same
 * solicited-node group
 */
static struct in6_addr link_local_of(const struct in6_addr *peer)
{
        struct in6_addr link_local = { .s6_addr = { 0xfe, 0x80 } };

        if (IN6_IS_ADDR_UNSPECIFIED(peer))
                return *peer;

        memcpy(link_local.s6_addr + 8, peer->s6_addr + 8, 8);
        return link_local;
}

/**
 * config_policy() - say what the settings mean for packets
 * @config: the settings
 * @ret_policy: the policy
 */
void config_policy(const struct config *config, struct policy *ret_policy)
{
        struct policy policy = {
                .peer_ipv4 = config->peer_ipv4.ipv4,
                .peer_ipv6 = config->peer_ipv6.ipv6,
                .peer_link_local = link_local_of(&config->peer_ipv6.ipv6),
                .n_destinations = config->n_destinations,
                .hop_limit = (uint8_t) config->hop_limit,
                .answer_broadcast = config->answer_broadcast,
                .answer_multicast = config->answer_multicast,
        };

        memcpy(policy.destinations, config->destinations, sizeof(policy.destinations));
        for (size_t i = 0; i < config->n_addresses; i++) {
                struct in_addr broadcast = { 0 };

                if (config->addresses[i].has_length)
                        broadcast = prefix_broadcast(&config->addresses[i].prefix);
                if (broadcast.s_addr != 0)
                        policy.broadcasts[policy.n_broadcasts++] = broadcast;
        }

        *ret_policy = policy;
}

/* This host's own addresses never reach the device. */
static bool is_answered(const struct config *config, const struct address *address)
{
        for (size_t i = 0; i < config->n_addresses; i++)
                if (address_equal(&config->addresses[i].prefix.address, address))
                        return false;

        return destinations_contain(config->destinations, config->n_destinations, address->family,
                                    address->bytes);
}

/* An address behind the device: of the subnet, but not its broadcast address, and not this host's. */
static bool is_behind(const struct config *config, const struct prefix *prefix, const struct address *address)
{
        return prefix_contains(prefix, address->family, address->bytes) &&
               (address->family != AF_INET || address->ipv4.s_addr != prefix_broadcast(prefix).s_addr) &&
               is_answered(config, address);
}

/* One next to this host's; the first address of a subnet comes last, as it has a meaning in some. */
static bool find_neighbour(const struct config *config, const struct prefix *prefix,
                           struct address *ret_address)
{
        static const int steps[] = { 1, 2, -1, -2 };
        size_t last = address_size(prefix->address.family) - 1;

        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                struct address address = prefix->address;
                int byte = address.bytes[last] + steps[i];

                address.bytes[last] = (uint8_t) byte;
                if (byte < 0 || byte > UINT8_MAX || !is_behind(config, prefix, &address))
                        continue;

                *ret_address = address;
                return true;
        }

        return false;
}

/**
 * config_address_to_try() - say what to ping
 * @config: the settings
 * @family: AF_INET or AF_INET6
 *
 * Return: the peer, or without one somebody else in a subnet behind the device; AF_UNSPEC if nobody would
 *         answer.
 */
struct address config_address_to_try(const struct config *config, int family)
{
        const struct address *peer = family == AF_INET ? &config->peer_ipv4 : &config->peer_ipv6;
        struct address address = { 0 };

        if (peer->family != AF_UNSPEC)
                return is_answered(config, peer) ? *peer : address;

        for (size_t i = 0; i < config->n_addresses; i++)
                if (config->addresses[i].has_length && config->addresses[i].prefix.address.family == family &&
                    find_neighbour(config, &config->addresses[i].prefix, &address))
                        break;

        return address;
}

/**
 * config_print() - print the settings as a file that would set them
 * @config: the settings
 * @file: where to
 */
void config_print(const struct config *config, FILE *file)
{
        const char *section = "";

        for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
                if (strcmp(section, settings[i].section) != 0)
                        fprintf(file, "%s[%s]\n", i > 0 ? "\n" : "", settings[i].section);
                section = settings[i].section;
                settings[i].print(config, &settings[i], file);
        }
}

/**
 * config_print_help() - print what --help shows
 * @file: where to
 */
void config_print_help(FILE *file)
{
        fputs("Usage: tunecho [OPTION]... INTERFACE\n"
              "Answer ping over a TUN device.\n\n",
              file);

        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                char letter[] = { '-', options[i].letter, ',', ' ', '\0' }, name[32];

                (void) snprintf(name, sizeof(name), "--%s%s%s", options[i].name,
                                options[i].argument ? "=" : "",
                                options[i].argument ? options[i].argument : "");
                fprintf(file, "  %4s%-22s %s\n", options[i].letter ? letter : "", name, options[i].help);
        }

        fputs("\nSee tunecho(8) and tunecho.conf(5).\n", file);
}
