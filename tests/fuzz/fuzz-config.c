/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Fuzzes config_load(). An input is the content of a configuration file, which is kept in memory. */

#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/util.h"
#include "config/config.h"
#include "fuzz.h"

struct reported {
        const char *path;
        unsigned n_lines;
        unsigned n_errors;
};

static bool is_printable(const char *text)
{
        while ((unsigned char) *text >= ' ' && *text != 0x7f)
                text++;

        return *text == '\0';
}

static void on_error(void *userdata, const char *file, unsigned line, const char *message)
{
        struct reported *reported = userdata;

        reported->n_errors++;
        must(file != NULL && strcmp(file, reported->path) == 0, "an error is of the file");
        must(line <= reported->n_lines, "an error is in a line that exists");
        must(message[0] != '\0' && is_printable(message), "an error is one printable line");
        must(strlen(file) + strlen(message) < 800, "an error is short");
}

static unsigned count_lines(const void *text, size_t size)
{
        const char *bytes = text;
        unsigned n = size > 0 && bytes[size - 1] != '\n';

        for (size_t i = 0; i < size; i++)
                n += bytes[i] == '\n';

        return n;
}

static int load(struct config *ret_config, const void *text, size_t size)
{
        _cleanup_(close_fdp) int fd = memfd_create("tunecho.conf", MFD_CLOEXEC);
        char path[64], option[80], program[] = "tunecho", interface[] = "tun0";
        char *argv[] = { program, option, interface, NULL };
        struct reported reported = { .path = path, .n_lines = count_lines(text, size) };
        int r;

        must(fd >= 0 && write(fd, text, size) == (ssize_t) size, "there is memory");
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        (void) snprintf(option, sizeof(option), "--config=%s", path);

        r = config_load(ret_config, ARRAY_SIZE(argv) - 1, argv, on_error, &reported);
        must(r == 0 || r == EX_CONFIG, "only a file can be wrong where the options are not");
        must((r != 0) == (reported.n_errors > 0), "errors are reported, and nothing else");
        return r;
}

/* Prints the settings without the names of the files; the caller frees the text. */
static char *print(const struct config *config)
{
        char *text = NULL, *settings;
        size_t size;
        FILE *file = open_memstream(&text, &size);

        must(file != NULL, "there is memory");
        config_print(config, file);
        must(fclose(file) == 0, "there is memory");
        settings = strchr(text, '\n');
        must(text[0] == '#' && settings != NULL, "the files are named in a comment");
        memmove(text, settings, strlen(settings) + 1);
        return text;
}

static void check_policy(const struct config *config)
{
        struct policy policy;

        config_policy(config, &policy);
        must(policy.hop_limit > 0, "replies get somewhere");
        must(policy.n_broadcasts <= POLICY_MAX_ADDRESSES && policy.n_destinations <= POLICY_MAX_DESTINATIONS,
             "tables are not overrun");
        must(config->mtu >= 68 && config->mtu <= 65535 && (config->mtu >= 1280 || !config_has_ipv6(config)),
             "the MTU is possible");
        must(policy.peer_ipv4.s_addr == 0 || ipv4_is_unicast(policy.peer_ipv4), "the IPv4 peer is a host");
        must(IN6_IS_ADDR_UNSPECIFIED(&policy.peer_ipv6) || ipv6_is_unicast(&policy.peer_ipv6),
             "the IPv6 peer is a host");
}

static void check_links(struct config *config)
{
        for (size_t i = 0; i < config->n_addresses; i++) {
                const struct config_address *address = &config->addresses[i];
                const struct address *peer = config_point_to_point(config, address);

                must(!peer || (peer->family == address->prefix.address.family && !address->has_length),
                     "a subnet has no peer of its own");
        }

        config_drop_ipv6(config);
        must(!config_has_ipv6(config) && config->peer_ipv6.family == AF_UNSPEC, "without IPv6 there is none");
}

const char *fuzz_outcome(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *first = NULL, *second = NULL;
        struct config config, again;

        if (load(&config, data, size) != 0)
                return "wrong";

        check_policy(&config);
        first = print(&config);
        must(load(&again, first, strlen(first)) == 0, "what is printed can be loaded");
        second = print(&again);
        must(strcmp(first, second) == 0, "what is printed loads as the same");
        check_links(&again);

        return "good";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        (void) fuzz_outcome(data, size);
        return 0;
}
