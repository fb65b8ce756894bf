/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The settings: what is taken, what is refused and where that is told, and what becomes of them. */

#include "config/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "unit.h"

#define ARGUMENTS_MAX 40
#define TOLD_MAX      200

/* One mistake that config_load() told. */
struct told {
        char file[PATH_MAX]; /* empty: among the options */
        unsigned line;
        char message[600];
};

static struct told told[TOLD_MAX];
static size_t n_told;

static char directory[] = "/tmp/tunecho-unit-XXXXXX";
static char path[sizeof(directory) + sizeof("/conf")];

static char *arguments[ARGUMENTS_MAX + 1];
static int n_arguments;

static void on_mistake(void *userdata, const char *file, unsigned line, const char *message)
{
        assert_ptr_equal(userdata, told);
        assert_in_range(n_told, 0, TOLD_MAX - 1);

        told[n_told].line = line;
        (void) snprintf(told[n_told].file, sizeof(told->file), "%s", file ? file : "");
        (void) snprintf(told[n_told].message, sizeof(told->message), "%s", message);
        n_told++;
}

static void add_argument(const char *argument)
{
        assert_in_range(n_arguments, 0, ARGUMENTS_MAX - 1);
        arguments[n_arguments] = strdup(argument);
        assert_non_null(arguments[n_arguments]);
        arguments[++n_arguments] = NULL;
}

static void forget_arguments(void)
{
        while (n_arguments > 0) {
                free(arguments[--n_arguments]);
                arguments[n_arguments] = NULL;
        }
}

/* Loads the settings of a command line, whose words are separated by single spaces. */
static int load(struct config *config, const char *command_line)
{
        char copy[2048], *rest = copy, *word;

        assert_in_range(strlen(command_line), 0, sizeof(copy) - 1);
        strcpy(copy, command_line);

        forget_arguments();
        add_argument("tunecho");
        while ((word = strsep(&rest, " ")))
                if (word[0] != '\0')
                        add_argument(word);

        n_told = 0;
        return config_load(config, n_arguments, arguments, on_mistake, told);
}

static void write_file(const void *content, size_t size)
{
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        assert_int_equal(fwrite(content, 1, size, file), size);
        assert_int_equal(fclose(file), 0);
}

/* Loads the settings of a file, with more words behind it: the interface's name at least. */
static int load_bytes(struct config *config, const void *content, size_t size, const char *words)
{
        char command_line[2048];

        write_file(content, size);
        (void) snprintf(command_line, sizeof(command_line), "--config=%s %s", path, words);
        return load(config, command_line);
}

static int load_text(struct config *config, const char *content, const char *words)
{
        return load_bytes(config, content, strlen(content), words);
}

/* Before an assertion fails: what was loaded, with | for the ends of lines, and what was told of it. */
static void explain(const char *what, int status)
{
        print_error("# ");
        for (const char *c = what; *c != '\0'; c++)
                print_error("%c", *c == '\n' ? '|' : *c);
        print_error(": status %d\n", status);
        for (size_t i = 0; i < n_told; i++)
                print_error("# %s:%u: %s\n", told[i].file, told[i].line, told[i].message);
}

/* What config_print() prints, until the next call. */
static const char *printed(const struct config *config)
{
        static char text[8192];
        FILE *file = fmemopen(text, sizeof(text), "w");

        assert_non_null(file);
        config_print(config, file);
        assert_int_equal(fclose(file), 0);
        return text;
}

static bool has_line(const char *text, const char *line)
{
        size_t size = strlen(line);

        for (const char *found = strstr(text, line); found; found = strstr(found + 1, line))
                if ((found == text || found[-1] == '\n') && found[size] == '\n')
                        return true;

        return false;
}

static void assert_address(const struct address *address, const char *text)
{
        char buffer[PREFIX_TEXT_SIZE];

        assert_string_equal(address_text(buffer, address), text);
}

static void test_defaults(void **state)
{
        struct config config;

        (void) state;

        assert_int_equal(load_text(&config, "", "tun0"), 0);
        assert_int_equal(n_told, 0);
        assert_int_equal(config.action, CONFIG_RUN);
        assert_string_equal(config.interface, "tun0");
        assert_null(config.user);
        assert_string_equal(printed(&config), "[Device]\n"
                                              "MTUBytes=1500\n"
                                              "TransmitQueueLength=5000\n"
                                              "\n"
                                              "[Network]\n"
                                              "Configure=yes\n"
                                              "Address=198.18.0.1\n"
                                              "Address=2001:2::1\n"
                                              "Peer=198.18.0.2\n"
                                              "Peer=2001:2::2\n"
                                              "\n"
                                              "[Reflector]\n"
                                              "HopLimit=64\n"
                                              "AnswerBroadcast=no\n"
                                              "AnswerMulticast=yes\n"
                                              "\n"
                                              "[Engine]\n"
                                              "Type=auto\n"
                                              "\n"
                                              "[Log]\n"
                                              "Packets=no\n"
                                              "Sessions=yes\n");
}

static void test_defaults_by_name(void **state)
{
        static const struct {
                const char *name, *address_ipv4, *peer_ipv4, *address_ipv6, *peer_ipv6;
        } names[] = {
                { "tun0", "198.18.0.1", "198.18.0.2", "2001:2::1", "2001:2::2" },
                { "tun1", "198.18.1.1", "198.18.1.2", "2001:2:0:1::1", "2001:2:0:1::2" },
                { "tun7", "198.18.7.1", "198.18.7.2", "2001:2:0:7::1", "2001:2:0:7::2" },
                { "tun10", "198.18.10.1", "198.18.10.2", "2001:2:0:a::1", "2001:2:0:a::2" },
                { "tun99", "198.18.99.1", "198.18.99.2", "2001:2:0:63::1", "2001:2:0:63::2" },
                { "tun255", "198.18.255.1", "198.18.255.2", "2001:2:0:ff::1", "2001:2:0:ff::2" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct config config;

                assert_int_equal(load_text(&config, "", names[i].name), 0);
                assert_true(config.default_addresses);
                assert_int_equal(config.n_addresses, 2);
                assert_address(&config.addresses[0].prefix.address, names[i].address_ipv4);
                assert_address(&config.addresses[1].prefix.address, names[i].address_ipv6);
                assert_false(config.addresses[0].has_length);
                assert_false(config.addresses[1].has_length);
                assert_int_equal(config.addresses[0].prefix.length, 32);
                assert_int_equal(config.addresses[1].prefix.length, 128);
                assert_address(&config.peer_ipv4, names[i].peer_ipv4);
                assert_address(&config.peer_ipv6, names[i].peer_ipv6);
        }
}

static void test_no_defaults_by_name(void **state)
{
        static const char *const names[] = {
                "tun",
                "tun256",
                "tun1000",
                "tun007",
                "tun00",
                "tun01",
                "tun0x1",
                "tun-1",
                "tun1a",
                "tuna",
                "wg1",
                "Tun0",
                "tap0",
                "tun99999999999",
                "atun0",
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct config config;
                int status = load_text(&config, "", names[i]);

                if (status != EX_CONFIG || n_told != 1 || !strstr(told[0].message, "Address=") ||
                    !strstr(told[0].message, names[i]))
                        explain(names[i], status);
                assert_int_equal(status, EX_CONFIG);
                assert_int_equal(n_told, 1);
                assert_string_equal(told[0].file, path);
                assert_int_equal(told[0].line, 0);
                assert_non_null(strstr(told[0].message, "Address="));
                assert_non_null(strstr(told[0].message, names[i]));

                /* An address makes it a good name, and so does having none at all. */
                assert_int_equal(load_text(&config, "[Network]\nAddress=10.0.0.1\n", names[i]), 0);
                assert_int_equal(load_text(&config, "[Network]\nConfigure=no\n", names[i]), 0);
                assert_int_equal(config.n_addresses, 0);
        }
}

/* Nobody has a file for this name, and that is no mistake; but the file is named that would help. */
static void test_default_file(void **state)
{
        struct config config;

        (void) state;

        assert_int_equal(load(&config, "unit-test-only"), EX_CONFIG);
        assert_int_equal(n_told, 1);
        assert_string_equal(told[0].file, TUNECHO_CONFIG_DIR "/unit-test-only.conf");
        assert_int_equal(load(&config, "unit-test-only --address=10.0.0.1"), 0);
}

static void test_names(void **state)
{
        static const struct {
                const char *name;
                bool good;
        } names[] = {
                { "a", true },
                { "0", true },
                { "A.b_c-9", true },
                { "...", true },
                { "a..", true },
                { "_", true },
                { "123456789012345", true },
                { "1234567890123456", false },
                { ".", false },
                { "..", false },
                { "all", false },
                { "default", false },
                { "All", true },
                { "default0", true },
                { "tun/0", false },
                { "tun:0", false },
                { "tun@0", false },
                { "tun%d", false },
                { "tun\t0", false },
                { "tun\n0", false },
                { "t\303\274n0", false },
                { "tun-\\x2d", false },
                { "a\\x2db", false },
                { "a*", false },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct config config;
                char words[64];
                int status;

                (void) snprintf(words, sizeof(words), "--address=10.0.0.1 %s", names[i].name);
                status = load(&config, words);
                if (status != (names[i].good ? 0 : EX_USAGE))
                        explain(names[i].name, status);
                assert_int_equal(status, names[i].good ? 0 : EX_USAGE);
                assert_int_equal(n_told, names[i].good ? 0 : 1);
                if (names[i].good)
                        assert_string_equal(config.interface, names[i].name);
                else
                        assert_int_equal(strstr(told[0].message, "escaped") != NULL,
                                         strstr(names[i].name, "\\x") != NULL);
        }
}

static void test_empty_name(void **state)
{
        struct config config;

        (void) state;

        forget_arguments();
        add_argument("tunecho");
        add_argument("");
        n_told = 0;
        assert_int_equal(config_load(&config, n_arguments, arguments, on_mistake, told), EX_USAGE);
        assert_int_equal(n_told, 1);
}

/* What a value becomes when it is printed. */
static void test_good_values(void **state)
{
        static const struct {
                const char *section, *key, *value, *line;
        } values[] = {
                { "Device", "MTUBytes", "1280", "MTUBytes=1280" },
                { "Device", "MTUBytes", "65535", "MTUBytes=65535" },
                { "Device", "MTUBytes", "001500", "MTUBytes=1500" },
                { "Device", "TransmitQueueLength", "1", "TransmitQueueLength=1" },
                { "Device", "TransmitQueueLength", "1000000", "TransmitQueueLength=1000000" },
                { "Network", "Configure", "yes", "Configure=yes" },
                { "Network", "Configure", "TRUE", "Configure=yes" },
                { "Network", "Configure", "On", "Configure=yes" },
                { "Network", "Configure", "1", "Configure=yes" },
                { "Network", "Configure", "y", "Configure=yes" },
                { "Network", "Configure", "t", "Configure=yes" },
                { "Network", "Configure", "no", "Configure=no" },
                { "Network", "Configure", "False", "Configure=no" },
                { "Network", "Configure", "off", "Configure=no" },
                { "Network", "Configure", "0", "Configure=no" },
                { "Network", "Configure", "n", "Configure=no" },
                { "Network", "Configure", "f", "Configure=no" },
                { "Network", "Address", "198.18.0.1", "Address=198.18.0.1" },
                { "Network", "Address", "198.18.0.1/24", "Address=198.18.0.1/24" },
                { "Network", "Address", "198.18.0.1/32", "Address=198.18.0.1" },
                { "Network", "Address", "198.18.0.1/31", "Address=198.18.0.1/31" },
                { "Network", "Address", "10.0.0.255/16", "Address=10.0.0.255/16" },
                { "Network", "Address", "1.2.3.4/1", "Address=1.2.3.4/1" },
                { "Network", "Address", "2001:0DB8:0::0001", "Address=2001:db8::1" },
                { "Network", "Address", "2001:db8::1/64", "Address=2001:db8::1/64" },
                { "Network", "Address", "2001:db8::1/128", "Address=2001:db8::1" },
                { "Network", "Address", "fe80::1", "Address=fe80::1" },
                { "Reflector", "Destination", "198.51.100.0/24", "Destination=198.51.100.0/24" },
                { "Reflector", "Destination", "198.51.100.7", "Destination=198.51.100.7/32" },
                { "Reflector", "Destination", "0.0.0.0/0", "Destination=0.0.0.0/0" },
                { "Reflector", "Destination", "2001:db8::/32", "Destination=2001:db8::/32" },
                { "Reflector", "Destination", "2001:db8::7", "Destination=2001:db8::7/128" },
                { "Reflector", "Destination", "ff02::1", "Destination=ff02::1/128" },
                { "Reflector", "HopLimit", "1", "HopLimit=1" },
                { "Reflector", "HopLimit", "255", "HopLimit=255" },
                { "Reflector", "AnswerBroadcast", "yes", "AnswerBroadcast=yes" },
                { "Reflector", "AnswerMulticast", "no", "AnswerMulticast=no" },
                { "Engine", "Type", "auto", "Type=auto" },
                { "Engine", "Type", "io_uring", "Type=io_uring" },
                { "Engine", "Type", "syscall", "Type=syscall" },
                { "Log", "Packets", "yes", "Packets=yes" },
                { "Log", "Sessions", "no", "Sessions=no" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                char content[256];
                struct config config;
                int status;

                (void) snprintf(content, sizeof(content), "[%s]\n%s=%s\n", values[i].section, values[i].key,
                                values[i].value);
                status = load_text(&config, content, "tun0");
                if (status != 0 || !has_line(printed(&config), values[i].line))
                        explain(content, status);
                assert_int_equal(status, 0);
                assert_int_equal(n_told, 0);
                assert_true(has_line(printed(&config), values[i].line));
        }
}

static void test_bad_values(void **state)
{
        static const struct {
                const char *section, *key, *value;
        } values[] = {
                { "Device", "MTUBytes", "67" },
                { "Device", "MTUBytes", "65536" },
                { "Device", "MTUBytes", "0" },
                { "Device", "MTUBytes", "" },
                { "Device", "MTUBytes", "-1500" },
                { "Device", "MTUBytes", "+1500" },
                { "Device", "MTUBytes", "1500 bytes" },
                { "Device", "MTUBytes", "1500,1400" },
                { "Device", "MTUBytes", "0x5dc" },
                { "Device", "MTUBytes", "1.5K" },
                { "Device", "MTUBytes", "4294968796" },
                { "Device", "MTUBytes", "18446744073709553116" },
                { "Device", "MTUBytes", "many" },
                { "Device", "TransmitQueueLength", "0" },
                { "Device", "TransmitQueueLength", "1000001" },
                { "Device", "TransmitQueueLength", "4294967297" },
                { "Network", "Configure", "" },
                { "Network", "Configure", "maybe" },
                { "Network", "Configure", "2" },
                { "Network", "Configure", "yes yes" },
                { "Network", "Address", "198.18.0" },
                { "Network", "Address", "198.18.0.1.1" },
                { "Network", "Address", "198.18.0.256" },
                { "Network", "Address", "198.18.0.01" },
                { "Network", "Address", "198.18.0.1/33" },
                { "Network", "Address", "198.18.0.1/" },
                { "Network", "Address", "198.18.0.1/ 24" },
                { "Network", "Address", "198.18.0.1/-1" },
                { "Network", "Address", "198.18.0.1/+24" },
                { "Network", "Address", "198.18.0.1/24/24" },
                { "Network", "Address", "198.18.0.1/4294967320" },
                { "Network", "Address", "198.18.0.1/255.255.255.0" },
                { "Network", "Address", "198.18.0.1/0" },
                { "Network", "Address", "/24" },
                { "Network", "Address", "198.18.0.1 198.18.0.2" },
                { "Network", "Address", "198.18.0.255/24" },
                { "Network", "Address", "0.0.0.0" },
                { "Network", "Address", "0.0.0.1" },
                { "Network", "Address", "127.0.0.1" },
                { "Network", "Address", "127.0.0.1/8" },
                { "Network", "Address", "224.0.0.1" },
                { "Network", "Address", "240.0.0.1" },
                { "Network", "Address", "255.255.255.255" },
                { "Network", "Address", "2001:db8::1/129" },
                { "Network", "Address", "2001:db8::1/0" },
                { "Network", "Address", "2001:db8::1::1" },
                { "Network", "Address", "2001:db8::1%tun0" },
                { "Network", "Address", "2001:db8::12345" },
                { "Network", "Address", "::" },
                { "Network", "Address", "::1" },
                { "Network", "Address", "::1/128" },
                { "Network", "Address", "ff02::1" },
                { "Network", "Address", "::ffff:198.18.0.1" },
                { "Network", "Address", "localhost" },
                { "Network", "Address", "[2001:db8::1]" },
                { "Network", "Peer", "198.18.0.2/24" },
                { "Network", "Peer", "198.18.0.2/32" },
                { "Network", "Peer", "0.0.0.0" },
                { "Network", "Peer", "127.0.0.2" },
                { "Network", "Peer", "224.0.0.2" },
                { "Network", "Peer", "255.255.255.255" },
                { "Network", "Peer", "::" },
                { "Network", "Peer", "::1" },
                { "Network", "Peer", "ff02::2" },
                { "Network", "Peer", "::ffff:198.18.0.2" },
                { "Network", "Peer", "somebody" },
                { "Reflector", "Destination", "198.51.100.0/33" },
                { "Reflector", "Destination", "198.51.100" },
                { "Reflector", "Destination", "2001:db8::/129" },
                { "Reflector", "Destination", "all" },
                { "Reflector", "HopLimit", "0" },
                { "Reflector", "HopLimit", "256" },
                { "Reflector", "HopLimit", "320" },
                { "Reflector", "AnswerBroadcast", "sometimes" },
                { "Reflector", "AnswerMulticast", "" },
                { "Engine", "Type", "" },
                { "Engine", "Type", "Auto" },
                { "Engine", "Type", "uring" },
                { "Engine", "Type", "io_uring,syscall" },
                { "Log", "Packets", "all" },
                { "Log", "Sessions", "none" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                char content[256];
                struct config config;
                int status;

                (void) snprintf(content, sizeof(content), "# a comment\n[%s]\n\n%s=%s\n", values[i].section,
                                values[i].key, values[i].value);
                status = load_text(&config, content, "tun0");
                if (status != EX_CONFIG || n_told != 1 || told[0].line != 4)
                        explain(content, status);
                assert_int_equal(status, EX_CONFIG);
                assert_int_equal(n_told, 1);
                assert_int_equal(told[0].line, 4);
                assert_string_equal(told[0].file, path);
                assert_non_null(strstr(told[0].message, values[i].key));
                assert_non_null(strstr(told[0].message, values[i].value));
        }
}

/* The form of a file. Each mistake is told once, at its line; -1 ends them. */
static void test_lines(void **state)
{
        /* clang-format off */
        static const struct {
                const char *what, *content;
                int lines[8];
                const char *line; /* of what is printed then, or NULL */
        } files[] = {
                { "empty", "", { -1 }, "MTUBytes=1500" },
                { "a section alone", "[Device]\n", { -1 }, "MTUBytes=1500" },
                { "no newline at the end", "[Device]\nMTUBytes=1400", { -1 }, "MTUBytes=1400" },
                { "empty lines", "\n\n[Device]\n\nMTUBytes=1400\n\n", { -1 }, "MTUBytes=1400" },
                { "comments", "# one\n; two\n[Device]\n  # three\nMTUBytes=1400\n", { -1 }, "MTUBytes=1400" },
                { "comments that look like settings", "#[Nothing]\n;Nothing=1\n[Device]\n#MTUBytes=1\n",
                  { -1 }, "MTUBytes=1500" },
                { "a comment behind a value", "[Device]\nMTUBytes=1400 # as the tunnel\n", { -1 },
                  "MTUBytes=1400" },
                { "another comment behind a value", "[Device]\nMTUBytes=1400\t; as the tunnel\n", { -1 },
                  "MTUBytes=1400" },
                { "a comment behind a section", "[Device] # here\nMTUBytes=1400\n", { -1 }, "MTUBytes=1400" },
                { "no comment without a space", "[Device]\nMTUBytes=1400#\n", { 2, -1 }, NULL },
                { "white space", "  [Device]  \n\tMTUBytes\t =  1400  \n", { -1 }, "MTUBytes=1400" },
                { "CRLF", "[Device]\r\nMTUBytes=1400\r\n\r\n# nothing\r\n", { -1 }, "MTUBytes=1400" },
                { "CRLF and a comment behind a value", "[Device]\r\nMTUBytes=1400 # nothing\r\n", { -1 },
                  "MTUBytes=1400" },
                { "a byte order mark", "\357\273\277[Device]\nMTUBytes=1400\n", { -1 }, "MTUBytes=1400" },
                { "a byte order mark before a comment", "\357\273\277# text\n[Device]\nMTUBytes=1400\n",
                  { -1 }, "MTUBytes=1400" },
                { "a byte order mark elsewhere", "[Device]\n\357\273\277MTUBytes=1400\n", { 2, -1 }, NULL },
                { "the last one counts", "[Device]\nMTUBytes=1400\nMTUBytes=1300\n", { -1 },
                  "MTUBytes=1300" },
                { "a section twice", "[Device]\n[Network]\n[Device]\nMTUBytes=1400\n", { -1 },
                  "MTUBytes=1400" },
                { "an unknown section", "[Devices]\nMTUBytes=1400\n", { 1, -1 }, NULL },
                { "sections have a case", "[device]\nMTUBytes=1400\n", { 1, -1 }, NULL },
                { "a section without a name", "[]\nMTUBytes=1400\n", { 1, -1 }, NULL },
                { "an unknown key", "[Device]\nMTU=1400\n", { 2, -1 }, NULL },
                { "keys have a case", "[Device]\nmtubytes=1400\n", { 2, -1 }, NULL },
                { "a key without a name", "[Device]\n=1400\n", { 2, -1 }, NULL },
                { "a key in another section", "[Network]\nMTUBytes=1400\n", { 2, -1 }, NULL },
                { "a key before any section", "MTUBytes=1400\n[Device]\n", { 1, -1 }, NULL },
                { "no value", "[Device]\nMTUBytes\n", { 2, -1 }, NULL },
                { "another sign than =", "[Device]\nMTUBytes:1400\n", { 2, -1 }, NULL },
                { "a section that is not closed", "[Device\nMTUBytes=1400\n", { 1, -1 }, NULL },
                { "something behind a section", "[Device] MTUBytes=1400\n", { 1, -1 }, NULL },
                { "a section behind a section", "[Device][Network]\n", { 1, -1 }, NULL },
                { "a section behind a form feed", "[Log]\n\f[Device]\nMTUBytes=1400\n", { -1 }, "MTUBytes=1400" },
                { "a line that goes on", "[Network]\nAddress=10.0.0.1 \\\n10.0.0.2\n", { 2, 3, -1 }, NULL },
                { "an indented line is no continuation", "[Network]\nAddress=10.0.0.1\n  10.0.0.2\n",
                  { 3, -1 }, NULL },
                { "quotes", "[Network]\nAddress=\"10.0.0.1\"\n", { 2, -1 }, NULL },
                { "a list", "[Network]\nAddress=10.0.0.1\nAddress=10.0.1.1\n", { -1 }, "Address=10.0.1.1" },
                { "a list that begins anew", "[Network]\nAddress=127.0.0.1/8\nAddress=\nAddress=10.0.0.1\n",
                  { 2, -1 }, NULL },
                { "several mistakes",
                  "MTUBytes=1\n[Device]\nMTUBytes=1\nx=1\n[No]\ny=1\n[Log]\nPackets=2\nType=auto\nz\n",
                  { 1, 3, 4, 5, 8, 9, 10, -1 }, NULL },
        };
        /* clang-format on */
        bool failed = false;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                struct config config;
                int status = load_text(&config, files[i].content, "tun0");
                size_t n = 0;

                while (files[i].lines[n] >= 0 && n < n_told && told[n].line == (unsigned) files[i].lines[n] &&
                       strcmp(told[n].file, path) == 0)
                        n++;

                if (files[i].lines[n] >= 0 || n < n_told || status != (n > 0 ? EX_CONFIG : 0) ||
                    (files[i].line && !has_line(printed(&config), files[i].line))) {
                        explain(files[i].what, status);
                        failed = true;
                }
        }

        assert_false(failed);
}

static void test_empty_value_forgets_a_list(void **state)
{
        struct config config;

        (void) state;

        assert_int_equal(
                load_text(&config,
                          "[Network]\n"
                          "Address=10.0.0.1\nAddress=2001:db8::1\nPeer=10.0.0.2\nPeer=2001:db8::2\n"
                          "Address=\nPeer=\n"
                          "Address=10.1.0.1\nPeer=10.1.0.2\n"
                          "[Reflector]\nDestination=10.0.0.0/8\nDestination=\nDestination=10.1.0.0/16\n",
                          "tun0"),
                0);
        assert_int_equal(config.n_addresses, 1);
        assert_address(&config.addresses[0].prefix.address, "10.1.0.1");
        assert_address(&config.peer_ipv4, "10.1.0.2");
        assert_int_equal(config.peer_ipv6.family, AF_UNSPEC);
        assert_int_equal(config.n_destinations, 1);
        assert_int_equal(config.destinations[0].length, 16);

        /* Forgotten altogether, the defaults of the name are back. */
        assert_int_equal(load_text(&config, "[Network]\nAddress=10.0.0.1\nAddress=\n", "tun3"), 0);
        assert_true(config.default_addresses);
        assert_address(&config.peer_ipv4, "198.18.3.2");
}

/* @n copies of @line behind @first. */
static void write_lines(const char *first, const char *format, unsigned n)
{
        FILE *file = fopen(path, "we");

        assert_non_null(file);
        (void) fputs(first, file);
        for (unsigned i = 0; i < n; i++) {
                (void) fputs(format, file);
                (void) fprintf(file, "%u.%u\n", i / 256, i % 256);
        }
        assert_int_equal(fclose(file), 0);
}

static int load_written(struct config *config, const char *words)
{
        char command_line[2048];

        (void) snprintf(command_line, sizeof(command_line), "-c %s %s", path, words);
        return load(config, command_line);
}

static void test_how_many(void **state)
{
        struct config config;

        (void) state;

        write_lines("[Network]\n", "Address=10.1.", CONFIG_MAX_ADDRESSES);
        assert_int_equal(load_written(&config, "wg0"), 0);
        assert_int_equal(config.n_addresses, CONFIG_MAX_ADDRESSES);

        write_lines("[Network]\n", "Address=10.1.", CONFIG_MAX_ADDRESSES + 2);
        assert_int_equal(load_written(&config, "wg0"), EX_CONFIG);
        assert_int_equal(n_told, 2);
        assert_int_equal(told[0].line, CONFIG_MAX_ADDRESSES + 2);
        assert_int_equal(told[1].line, CONFIG_MAX_ADDRESSES + 3);

        write_lines("[Reflector]\n", "Destination=10.1.", POLICY_MAX_DESTINATIONS);
        assert_int_equal(load_written(&config, "tun0"), 0);
        assert_int_equal(config.n_destinations, POLICY_MAX_DESTINATIONS);

        write_lines("[Reflector]\n", "Destination=10.1.", POLICY_MAX_DESTINATIONS + 1);
        assert_int_equal(load_written(&config, "tun0"), EX_CONFIG);
        assert_int_equal(n_told, 1);
        assert_int_equal(told[0].line, POLICY_MAX_DESTINATIONS + 2);
}

/* A file that is none of ours is not told line by line; but an option's mistake is not lost behind it. */
static void test_many_mistakes(void **state)
{
        struct config config;

        (void) state;

        write_lines("[Device]\n", "MTUBytes=10.", 1000);
        assert_int_equal(load_written(&config, "tun0"), EX_CONFIG);
        assert_in_range(n_told, 10, 150);
        for (size_t i = 0; i < n_told; i++)
                assert_int_equal(told[i].line, i + 2);

        assert_int_equal(load_written(&config, "--mtu=1 tun0"), EX_USAGE);
        assert_string_equal(told[n_told - 1].file, "");
        assert_non_null(strstr(told[n_told - 1].message, "--mtu"));
}

static void test_long_lines(void **state)
{
        struct config config;
        char content[2048];
        int size;

        (void) state;

        /* The manual says 190 bytes. */
        for (int length = 150; length < 400; length++) {
                bool good = length <= 190;

                size = snprintf(content, sizeof(content), "[Device]\nMTUBytes=1400%*s\n", length - 13, "# x");
                assert_int_equal(load_bytes(&config, content, (size_t) size, "tun0"), good ? 0 : EX_CONFIG);
                assert_int_equal(n_told, good ? 0 : 1);
                assert_int_equal(config.mtu, good ? 1400 : 1500);
        }

        /* However long a line is, the next one has its own number. */
        for (int length = 170; length < 1000; length++) {
                size = snprintf(content, sizeof(content), "[Log]\nPackets=no%*s\nPackets=1x\n", length, "x");
                assert_int_equal(load_bytes(&config, content, (size_t) size, "tun0"), EX_CONFIG);
                assert_int_equal(n_told, 2);
                assert_int_equal(told[0].line, 2);
                assert_int_equal(told[1].line, 3);
        }
}

static void test_bytes_that_are_no_text(void **state)
{
        static const char nul[] = "[Device]\nMTUBytes=1400\0\nHopLimit=1\n"
                                  "[Log]\nPackets=no\0x\n\0\nPackets=no\n";
        char noise[4096];
        uint64_t random = 1;
        struct config config;

        (void) state;

        assert_int_equal(load_bytes(&config, nul, sizeof(nul) - 1, "tun0"), EX_CONFIG);
        assert_int_equal(n_told, 4);
        assert_int_equal(told[0].line, 2);
        assert_int_equal(told[1].line, 3);
        assert_int_equal(told[2].line, 5);
        assert_int_equal(told[3].line, 6);

        for (unsigned round = 0; round < 200; round++) {
                static const char alphabet[] = "[]=#; \t\r\n\\DeviceMTUBytesAddress0123456789.:/";
                int status;

                random_bytes(&random, noise, sizeof(noise));
                for (size_t i = 0; round % 2 == 1 && i < sizeof(noise); i++)
                        noise[i] = alphabet[(unsigned char) noise[i] % (sizeof(alphabet) - 1)];
                status = load_bytes(&config, noise, sizeof(noise), "tun0");
                assert_int_equal(status, EX_CONFIG);
                assert_in_range(n_told, 1, TOLD_MAX);
        }
}

static void test_files(void **state)
{
        static char large[65537];
        char name[sizeof(directory) + 32], words[sizeof(name) + 32];
        struct config config;

        (void) state;

        (void) snprintf(words, sizeof(words), "-c %s tun0", directory);
        assert_int_equal(load(&config, words), EX_CONFIG);
        assert_int_equal(n_told, 1);
        assert_string_equal(told[0].file, directory);
        assert_int_equal(told[0].line, 0);

        (void) snprintf(name, sizeof(name), "%s/missing", directory);
        (void) snprintf(words, sizeof(words), "-c %s tun0", name);
        assert_int_equal(load(&config, words), EX_CONFIG);
        assert_int_equal(n_told, 1);
        assert_string_equal(told[0].file, name);
        assert_int_equal(told[0].line, 0);

        /* Nobody writes to it, and yet nothing waits. */
        (void) snprintf(name, sizeof(name), "%s/fifo", directory);
        (void) snprintf(words, sizeof(words), "-c %s tun0", name);
        assert_int_equal(mkfifo(name, 0600), 0);
        assert_int_equal(load(&config, words), EX_CONFIG);
        assert_int_equal(n_told, 1);
        assert_int_equal(unlink(name), 0);

        (void) snprintf(name, sizeof(name), "%s/loop", directory);
        (void) snprintf(words, sizeof(words), "-c %s tun0", name);
        assert_int_equal(symlink("loop", name), 0);
        assert_int_equal(load(&config, words), EX_CONFIG);
        assert_int_equal(n_told, 1);
        assert_non_null(strstr(told[0].message, strerror(ELOOP)));
        assert_int_equal(unlink(name), 0);

        assert_int_equal(load(&config, "-c /dev/null tun0"), EX_CONFIG);
        assert_int_equal(n_told, 1);

        /* A regular file that can be opened, but not read where nothing is mapped. */
        assert_int_equal(load(&config, "-c /proc/self/mem tun0"), EX_CONFIG);
        assert_int_equal(n_told, 1);
        assert_non_null(strstr(told[0].message, strerror(EIO)));

        memset(large, '\n', sizeof(large));
        assert_int_equal(load_bytes(&config, large, sizeof(large) - 1, "tun0"), 0);
        assert_int_equal(load_bytes(&config, large, sizeof(large), "tun0"), EX_CONFIG);
        assert_int_equal(n_told, 1);
        assert_int_equal(told[0].line, 0);
}

/* Only what is wrong about the command line itself; its mistakes belong to no file. */
static void test_command_line(void **state)
{
        static const struct {
                const char *words;
                int status;
                enum config_action action;
        } lines[] = {
                { "tun0", 0, CONFIG_RUN },
                { "--check tun0", 0, CONFIG_CHECK },
                { "tun0 --check", 0, CONFIG_CHECK },
                { "-- tun0", 0, CONFIG_RUN },
                { "--help", 0, CONFIG_HELP },
                { "-h", 0, CONFIG_HELP },
                { "--version", 0, CONFIG_VERSION },
                { "-V", 0, CONFIG_VERSION },
                { "-V -h", 0, CONFIG_VERSION },
                { "-hV", 0, CONFIG_HELP },
                { "--help --nothing", 0, CONFIG_HELP },
                { "--mtu=1 --help", 0, CONFIG_HELP },
                { "--check --version", 0, CONFIG_VERSION },
                { "", EX_USAGE, CONFIG_RUN },
                { "--check", EX_USAGE, CONFIG_CHECK },
                { "tun0 tun1", EX_USAGE, CONFIG_RUN },
                { "--nothing tun0", EX_USAGE, CONFIG_RUN },
                { "-x tun0", EX_USAGE, CONFIG_RUN },
                { "--check=yes tun0", EX_USAGE, CONFIG_RUN },
                { "tun0 --mtu", EX_USAGE, CONFIG_RUN },
                { "tun0 -m", EX_USAGE, CONFIG_RUN },
                { "tun0 --user", EX_USAGE, CONFIG_RUN },
                { "tun0 --config", EX_USAGE, CONFIG_RUN },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                struct config config;
                int status = load_text(&config, "", lines[i].words);

                if (status != lines[i].status)
                        explain(lines[i].words, status);
                assert_int_equal(status, lines[i].status);
                assert_int_equal(config.action, lines[i].action);
                assert_int_equal(n_told, status == 0 ? 0 : 1);
                for (size_t n = 0; n < n_told; n++) {
                        assert_string_equal(told[n].file, "");
                        assert_int_equal(told[n].line, 0);
                }
        }
}

static void test_good_options(void **state)
{
        static const struct {
                const char *words, *line;
        } options[] = {
                { "--mtu=1400", "MTUBytes=1400" },
                { "--mtu 1400", "MTUBytes=1400" },
                { "-m 1400", "MTUBytes=1400" },
                { "-m1400", "MTUBytes=1400" },
                { "-m 1400 -m 1300", "MTUBytes=1300" },
                { "--address=10.0.0.1", "Address=10.0.0.1" },
                { "-a 10.0.0.1/24", "Address=10.0.0.1/24" },
                { "-a 10.0.0.1 -a 2001:db8::1", "Address=10.0.0.1" },
                { "-a 10.0.0.1 -a 2001:db8::1", "Address=2001:db8::1" },
                { "-a 10.0.0.1 --peer=10.0.0.2", "Peer=10.0.0.2" },
                { "-a 10.0.0.1 -a 2001:db8::1 -p 10.0.0.2 -p 2001:db8::2", "Peer=2001:db8::2" },
                { "--engine=syscall", "Type=syscall" },
                { "-e io_uring", "Type=io_uring" },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                struct config config;
                char words[256];
                int status;

                (void) snprintf(words, sizeof(words), "tun0 %s", options[i].words);
                status = load_text(&config, "", words);
                if (status != 0 || !has_line(printed(&config), options[i].line))
                        explain(words, status);
                assert_int_equal(status, 0);
                assert_true(has_line(printed(&config), options[i].line));
        }
}

static void test_user(void **state)
{
        struct config config;

        (void) state;

        assert_int_equal(load_text(&config, "", "--user=nobody tun0"), 0);
        assert_string_equal(config.user, "nobody");
}

static void test_bad_options(void **state)
{
        static const struct {
                const char *words, *option;
                size_t n_mistakes;
        } options[] = {
                { "--mtu=67", "--mtu", 1 },
                { "-m 65536", "--mtu", 1 },
                { "--mtu=", "--mtu", 1 },
                { "--address=", "--address", 1 },
                { "--peer=", "--peer", 1 },
                { "--engine=", "--engine", 1 },
                { "--address=127.0.0.1", "--address", 1 },
                { "-a 10.0.0.1/0", "--address", 1 },
                { "-a 10.0.0.1 -p 10.0.0.1", "--peer", 1 },
                { "-a 10.0.0.1 -p 2001:db8::1", "--peer", 1 },
                { "-a 10.0.0.1/24 -p 10.0.1.2", "--peer", 1 },
                { "-a 10.0.0.1 -p 10.0.0.2 -p 10.0.0.3", "--peer", 1 },
                { "-p 10.0.0.2", "--peer", 1 },
                { "-e uring", "--engine", 1 },
                { "--mtu=1279", "--mtu", 1 },
                { "-a 2001:db8::1 -m 1279", "--mtu", 1 },
                { "-m 1 -e 2 -a 3 -p 4", "--", 4 },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
                struct config config;
                char words[256];
                int status;

                (void) snprintf(words, sizeof(words), "tun0 %s", options[i].words);
                status = load_text(&config, "", words);
                if (status != EX_USAGE || n_told != options[i].n_mistakes)
                        explain(words, status);
                assert_int_equal(status, EX_USAGE);
                assert_int_equal(n_told, options[i].n_mistakes);
                for (size_t n = 0; n < n_told; n++) {
                        assert_string_equal(told[n].file, "");
                        assert_non_null(strstr(told[n].message, options[i].option));
                }
        }
}

/* Key by key, an option takes the place of all that the file says for it. */
static void test_options_win(void **state)
{
        static const char content[] =
                "[Device]\nMTUBytes=1400\nTransmitQueueLength=7\n"
                "[Network]\nAddress=10.0.0.1\nAddress=2001:db8::1\nPeer=10.0.0.2\nPeer=2001:db8::2\n"
                "[Engine]\nType=syscall\n";
        struct config config;

        (void) state;

        assert_int_equal(load_text(&config, content, "tun0 --mtu=1300"), 0);
        assert_int_equal(config.mtu, 1300);
        assert_int_equal(config.queue_length, 7);
        assert_int_equal(config.n_addresses, 2);
        assert_int_equal(config.engine, ENGINE_SYSCALL);

        assert_int_equal(load_text(&config, content, "tun0 --engine=auto --peer=10.0.0.3"), 0);
        assert_int_equal(config.engine, ENGINE_AUTO);
        assert_int_equal(config.mtu, 1400);
        assert_address(&config.peer_ipv4, "10.0.0.3");
        assert_int_equal(config.peer_ipv6.family, AF_UNSPEC);

        assert_int_equal(load_text(&config, content, "tun0 -a 10.9.0.1 -p 10.9.0.2 -a 10.8.0.1"), 0);
        assert_int_equal(config.n_addresses, 2);
        assert_address(&config.addresses[0].prefix.address, "10.9.0.1");
        assert_address(&config.addresses[1].prefix.address, "10.8.0.1");
        assert_address(&config.peer_ipv4, "10.9.0.2");

        /* What is told of the outcome is told where it came from. */
        assert_int_equal(load_text(&config, content, "tun0 -a 10.9.0.1"), EX_CONFIG);
        assert_int_equal(n_told, 1);
        assert_int_equal(told[0].line, 8);
        assert_int_equal(load_text(&config, "[Device]\nMTUBytes=576\n", "tun0"), EX_CONFIG);
        assert_int_equal(told[0].line, 2);
        assert_int_equal(load_text(&config, "[Device]\nMTUBytes=576\n", "tun0 -m 577"), EX_USAGE);
        assert_int_equal(load_text(&config, "[Device]\nMTUBytes=576\n", "tun0 -m 1280"), 0);
        assert_int_equal(load_text(&config, "[Device]\nMTUBytes=576\n", "tun0 -a 10.0.0.1"), 0);
}

/* What no value shows by itself, and at which line it is told; 0: all is well. */
static void test_values_together(void **state)
{
        static const struct {
                const char *content;
                unsigned line;
        } files[] = {
                { "[Device]\nMTUBytes=1280\n", 0 },
                { "[Device]\nMTUBytes=1279\n", 2 },
                { "[Network]\nAddress=10.0.0.1\n[Device]\nMTUBytes=68\n", 0 },
                { "[Network]\nAddress=10.0.0.1\nAddress=2001:db8::1\n[Device]\nMTUBytes=1279\n", 5 },
                { "[Device]\nMTUBytes=1279\n[Network]\nConfigure=no\n", 0 },
                { "[Network]\nPeer=10.0.0.2\n", 2 },
                { "[Network]\nConfigure=no\nPeer=10.0.0.2\n", 3 },
                { "[Network]\nAddress=10.0.0.1\nPeer=2001:db8::2\n", 3 },
                { "[Network]\nPeer=2001:db8::2\nAddress=10.0.0.1\n", 2 },
                { "[Network]\nAddress=10.0.0.1\nPeer=10.0.0.2\nPeer=10.0.0.3\n", 4 },
                { "[Network]\nAddress=10.0.0.1\nPeer=10.0.0.1\n", 3 },
                { "[Network]\nAddress=10.0.0.1\nAddress=10.0.0.2\nPeer=10.0.0.2\n", 4 },
                { "[Network]\nAddress=10.0.0.1/24\nPeer=10.0.0.2\n", 0 },
                { "[Network]\nAddress=10.0.0.1/24\nPeer=10.0.1.2\n", 3 },
                { "[Network]\nAddress=10.0.0.1/24\nAddress=10.0.1.1\nPeer=10.0.1.2\n", 0 },
                { "[Network]\nAddress=10.0.0.1\nPeer=192.0.2.9\n", 0 },
                { "[Network]\nAddress=10.0.0.1/24\nPeer=10.0.0.255\n", 3 },
                { "[Network]\nAddress=10.0.0.1/16\nPeer=10.0.0.255\n", 0 },
                { "[Network]\nAddress=10.0.0.0/31\nPeer=10.0.0.1\n", 0 },
                { "[Network]\nAddress=10.0.0.1/16\nAddress=10.0.1.1/24\nPeer=10.0.1.255\n", 4 },
                { "[Network]\nAddress=2001:db8::1/64\nPeer=2001:db8::2\n", 0 },
                { "[Network]\nAddress=2001:db8::1/64\nPeer=2001:db8:1::2\n", 3 },
                { "[Network]\nAddress=2001:db8::1/64\nPeer=2001:db8::ffff:ffff:ffff:ffff\n", 0 },
                { "[Network]\nAddress=2001:db8::1\nPeer=fe80::2\n", 0 },
        };
        bool failed = false;

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                unsigned expected = files[i].line;
                struct config config;
                int status = load_text(&config, files[i].content, "tun0");

                if (status != (expected > 0 ? EX_CONFIG : 0) || n_told != (expected > 0) ||
                    told[0].line * n_told != expected) {
                        explain(files[i].content, status);
                        failed = true;
                }
        }

        assert_false(failed);
}

static bool same_address(const struct address *a, const struct address *b)
{
        return address_equal(a, b) || (a->family == AF_UNSPEC && b->family == AF_UNSPEC);
}

static bool same_settings(const struct config *a, const struct config *b)
{
        if (a->n_addresses != b->n_addresses || a->n_destinations != b->n_destinations)
                return false;

        for (size_t i = 0; i < a->n_addresses; i++)
                if (a->addresses[i].has_length != b->addresses[i].has_length ||
                    a->addresses[i].prefix.length != b->addresses[i].prefix.length ||
                    !address_equal(&a->addresses[i].prefix.address, &b->addresses[i].prefix.address))
                        return false;

        for (size_t i = 0; i < a->n_destinations; i++)
                if (a->destinations[i].length != b->destinations[i].length ||
                    !address_equal(&a->destinations[i].address, &b->destinations[i].address))
                        return false;

        return a->mtu == b->mtu && a->queue_length == b->queue_length && a->configure == b->configure &&
               same_address(&a->peer_ipv4, &b->peer_ipv4) && same_address(&a->peer_ipv6, &b->peer_ipv6) &&
               a->hop_limit == b->hop_limit && a->answer_broadcast == b->answer_broadcast &&
               a->answer_multicast == b->answer_multicast && a->engine == b->engine &&
               a->log_packets == b->log_packets && a->log_sessions == b->log_sessions;
}

/* What is printed is a file that leads to the same settings. */
static void test_print_round_trip(void **state)
{
        static const char *const files[] = {
                "",
                "[Device]\nMTUBytes=9000\nTransmitQueueLength=1\n[Network]\nConfigure=no\n",
                "[Network]\nAddress=10.0.0.1/24\nAddress=10.0.1.1\nAddress=2001:db8::1/64\n"
                "Peer=10.9.9.9\nPeer=2001:db8::2\n",
                "[Reflector]\nDestination=10.0.0.7/8\nDestination=2001:db8::/32\nHopLimit=1\n"
                "AnswerBroadcast=yes\nAnswerMulticast=no\n"
                "[Engine]\nType=syscall\n[Log]\nPackets=yes\nSessions=no\n",
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                char first[8192];
                struct config config, again;

                assert_int_equal(load_text(&config, files[i], "tun0"), 0);
                strcpy(first, printed(&config));
                assert_int_equal(load_text(&again, first, "tun0"), 0);
                assert_true(same_settings(&config, &again));
                assert_string_equal(printed(&again), first);
        }
}

/* As for a reload: the same words, and a file that changed. */
static void test_load_again(void **state)
{
        struct config config;

        (void) state;

        assert_int_equal(
                load_text(&config, "[Device]\nMTUBytes=1400\n", "--check tun0 -a 10.0.0.1 --user nobody"), 0);
        assert_int_equal(config.mtu, 1400);

        write_file("[Device]\nMTUBytes=1300\n", strlen("[Device]\nMTUBytes=1300\n"));
        for (unsigned round = 0; round < 3; round++) {
                struct config before = config;

                assert_int_equal(config_reload(&config, &before, on_mistake, told), 0);
                assert_int_equal(n_told, 0);
                assert_int_equal(config.mtu, 1300);
                assert_int_equal(config.action, CONFIG_CHECK);
                assert_string_equal(config.interface, "tun0");
                assert_string_equal(config.user, "nobody");
                assert_int_equal(config.n_addresses, 1);
        }
}

static void test_has_and_drop_ipv6(void **state)
{
        struct config config;

        (void) state;

        assert_int_equal(load_text(&config, "[Network]\nAddress=10.0.0.1\n", "tun0"), 0);
        assert_false(config_has_ipv6(&config));

        assert_int_equal(
                load_text(&config,
                          "[Network]\nAddress=2001:db8::1\nAddress=10.0.0.1/24\nAddress=2001:db8::3/64\n"
                          "Address=10.0.1.1\nPeer=10.0.0.2\nPeer=2001:db8::2\n",
                          "tun0"),
                0);
        assert_true(config_has_ipv6(&config));
        config_drop_ipv6(&config);
        assert_false(config_has_ipv6(&config));
        assert_int_equal(config.n_addresses, 2);
        assert_address(&config.addresses[0].prefix.address, "10.0.0.1");
        assert_true(config.addresses[0].has_length);
        assert_address(&config.addresses[1].prefix.address, "10.0.1.1");
        assert_address(&config.peer_ipv4, "10.0.0.2");
        assert_int_equal(config.peer_ipv6.family, AF_UNSPEC);
}

/* Which address, by its number, is the near end of a point-to-point link to the peer; -1: none. */
static void test_point_to_point(void **state)
{
        static const struct {
                const char *content;
                int ipv4, ipv6;
        } files[] = {
                { "", 0, 1 },
                { "[Network]\nAddress=10.0.0.1\n", -1, -1 },
                { "[Network]\nAddress=10.0.0.1/24\nPeer=10.0.0.2\n", -1, -1 },
                { "[Network]\nAddress=10.0.0.1/24\nAddress=10.1.0.1\nPeer=10.0.0.2\n", -1, -1 },
                { "[Network]\nAddress=10.0.0.1/24\nAddress=10.1.0.1\nPeer=10.2.0.2\n", 1, -1 },
                { "[Network]\nAddress=10.0.0.1\nAddress=10.1.0.1\nPeer=10.2.0.2\n", 0, -1 },
                { "[Network]\nAddress=10.0.0.1/32\nPeer=10.2.0.2\n", 0, -1 },
                { "[Network]\nAddress=2001:db8::1\nAddress=10.0.0.1\nPeer=10.2.0.2\nPeer=2001:db8:1::2\n", 1,
                  0 },
                { "[Network]\nAddress=2001:db8::1/64\nAddress=10.0.0.1\nPeer=10.2.0.2\nPeer=2001:db8::2\n", 1,
                  -1 },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                struct config config;

                assert_int_equal(load_text(&config, files[i].content, "tun0"), 0);
                for (size_t n = 0; n < config.n_addresses; n++) {
                        const struct address *expected = NULL;

                        if ((int) n == files[i].ipv4)
                                expected = &config.peer_ipv4;
                        if ((int) n == files[i].ipv6)
                                expected = &config.peer_ipv6;
                        assert_ptr_equal(config_point_to_point(&config, &config.addresses[n]), expected);
                }
        }
}

/* What to ping: the peer, or somebody behind the device, and nobody who would not answer. */
static void test_address_to_try(void **state)
{
        static const struct {
                const char *content, *ipv4, *ipv6;
        } files[] = {
                { "", "198.18.0.2", "2001:2::2" },
                { "[Network]\nAddress=10.0.0.1/24\nPeer=10.0.0.9\n", "10.0.0.9", NULL },
                { "[Network]\nAddress=10.0.0.1\n", NULL, NULL },
                { "[Network]\nAddress=10.0.0.1/24\n", "10.0.0.2", NULL },
                { "[Network]\nAddress=10.0.0.254/24\n", "10.0.0.253", NULL },
                { "[Network]\nAddress=10.0.0.0/31\n", "10.0.0.1", NULL },
                { "[Network]\nAddress=10.0.0.1/31\n", "10.0.0.0", NULL },
                { "[Network]\nAddress=10.0.0.1/32\n", NULL, NULL },
                { "[Network]\nAddress=10.0.0.1/24\nAddress=10.0.0.2/24\n", "10.0.0.3", NULL },
                { "[Network]\nAddress=10.0.0.1/32\nAddress=10.1.0.1/24\n", "10.1.0.2", NULL },
                { "[Network]\nAddress=2001:db8::1/64\n", NULL, "2001:db8::2" },
                { "[Network]\nAddress=2001:db8::ff/128\n", NULL, NULL },
                { "[Network]\nAddress=10.0.0.1/24\n[Reflector]\nDestination=10.0.0.128/25\n", NULL, NULL },
                { "[Reflector]\nDestination=198.18.0.2\n", "198.18.0.2", NULL },
        };

        (void) state;

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                struct address ipv4, ipv6;
                struct config config;

                assert_int_equal(load_text(&config, files[i].content, "tun0"), 0);
                ipv4 = config_address_to_try(&config, AF_INET);
                ipv6 = config_address_to_try(&config, AF_INET6);
                assert_int_equal(ipv4.family, files[i].ipv4 ? AF_INET : AF_UNSPEC);
                assert_int_equal(ipv6.family, files[i].ipv6 ? AF_INET6 : AF_UNSPEC);
                if (files[i].ipv4)
                        assert_address(&ipv4, files[i].ipv4);
                if (files[i].ipv6)
                        assert_address(&ipv6, files[i].ipv6);
        }
}

static void test_policy(void **state)
{
        struct policy policy;
        struct config config;
        char text[INET6_ADDRSTRLEN];

        (void) state;

        assert_int_equal(
                load_text(&config,
                          "[Network]\nAddress=10.0.0.1/24\nAddress=10.1.0.1\nAddress=10.2.0.0/31\n"
                          "Address=10.3.0.1/9\nAddress=2001:db8::1/64\nAddress=2001:db8:1::1\n"
                          "Peer=10.0.0.2\nPeer=2001:db8:1:2:1234:5:6:7\n"
                          "[Reflector]\nDestination=10.0.0.0/8\nDestination=2001:db8::/32\nHopLimit=255\n"
                          "AnswerBroadcast=yes\nAnswerMulticast=no\n",
                          "tun0"),
                0);
        config_policy(&config, &policy);
        assert_string_equal(inet_ntop(AF_INET, &policy.peer_ipv4, text, sizeof(text)), "10.0.0.2");
        assert_string_equal(inet_ntop(AF_INET6, &policy.peer_ipv6, text, sizeof(text)),
                            "2001:db8:1:2:1234:5:6:7");
        assert_string_equal(inet_ntop(AF_INET6, &policy.peer_link_local, text, sizeof(text)),
                            "fe80::1234:5:6:7");
        assert_int_equal(policy.n_broadcasts, 2);
        assert_string_equal(inet_ntop(AF_INET, &policy.broadcasts[0], text, sizeof(text)), "10.0.0.255");
        assert_string_equal(inet_ntop(AF_INET, &policy.broadcasts[1], text, sizeof(text)), "10.127.255.255");
        assert_int_equal(policy.n_destinations, 2);
        assert_int_equal(policy.destinations[0].length, 8);
        assert_int_equal(policy.destinations[1].address.family, AF_INET6);
        assert_int_equal(policy.hop_limit, 255);
        assert_true(policy.answer_broadcast);
        assert_false(policy.answer_multicast);
}

/* An address that is all zero is none. */
static void test_policy_without_peer(void **state)
{
        static const struct in6_addr none;
        struct policy policy;
        struct config config;

        (void) state;

        assert_int_equal(load_text(&config, "[Network]\nAddress=10.0.0.1/24\n", "tun0"), 0);
        config_policy(&config, &policy);
        assert_int_equal(policy.peer_ipv4.s_addr, 0);
        assert_memory_equal(&policy.peer_ipv6, &none, sizeof(none));
        assert_memory_equal(&policy.peer_link_local, &none, sizeof(none));
        assert_int_equal(policy.n_destinations, 0);
        assert_int_equal(policy.hop_limit, 64);
        assert_false(policy.answer_broadcast);
        assert_true(policy.answer_multicast);
}

static void test_help(void **state)
{
        static const char *const words[] = {
                "-c, --config=FILE",
                "-a, --address=ADDR[/LEN]",
                "-p, --peer=ADDR",
                "-m, --mtu=BYTES",
                "-e, --engine=NAME",
                "--check",
                "--user=NAME",
                "-h, --help",
                "-V, --version",
                "INTERFACE",
                TUNECHO_CONFIG_DIR,
        };
        char text[4096] = "";
        FILE *file = fmemopen(text, sizeof(text), "w");

        (void) state;

        assert_non_null(file);
        config_print_help(file);
        assert_int_equal(fclose(file), 0);
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                assert_non_null(strstr(text, words[i]));
}

static int set_up(void **state)
{
        (void) state;

        if (!mkdtemp(directory))
                return -1;

        (void) snprintf(path, sizeof(path), "%s/conf", directory);
        return 0;
}

static int tear_down(void **state)
{
        (void) state;

        forget_arguments();
        (void) unlink(path);
        return rmdir(directory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults),
                cmocka_unit_test(test_defaults_by_name),
                cmocka_unit_test(test_no_defaults_by_name),
                cmocka_unit_test(test_default_file),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_empty_name),
                cmocka_unit_test(test_good_values),
                cmocka_unit_test(test_bad_values),
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_empty_value_forgets_a_list),
                cmocka_unit_test(test_how_many),
                cmocka_unit_test(test_many_mistakes),
                cmocka_unit_test(test_long_lines),
                cmocka_unit_test(test_bytes_that_are_no_text),
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_command_line),
                cmocka_unit_test(test_good_options),
                cmocka_unit_test(test_user),
                cmocka_unit_test(test_bad_options),
                cmocka_unit_test(test_options_win),
                cmocka_unit_test(test_values_together),
                cmocka_unit_test(test_print_round_trip),
                cmocka_unit_test(test_load_again),
                cmocka_unit_test(test_has_and_drop_ipv6),
                cmocka_unit_test(test_point_to_point),
                cmocka_unit_test(test_address_to_try),
                cmocka_unit_test(test_policy),
                cmocka_unit_test(test_policy_without_peer),
                cmocka_unit_test(test_help),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
