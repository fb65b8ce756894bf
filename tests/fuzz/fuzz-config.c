/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Fuzzes config_load(). An input is the content of a configuration file, which is kept in memory. */

#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "fuzz.h"
#include "config/config.h"
#include "common/util.h"

struct told {
        const char *path;
        unsigned n_lines;
        unsigned n_mistakes;
};

static void on_mistake(void *userdata, const char *file, unsigned line, const char *message)
{
        struct told *told = userdata;

        told->n_mistakes++;
        must(file != NULL && strcmp(file, told->path) == 0, "a mistake is the file's");
        must(line <= told->n_lines, "a mistake is in a line that there is");
        must(message[0] != '\0' && !strchr(message, '\n'), "a mistake is told in one line");
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
        struct told told = { .path = path, .n_lines = count_lines(text, size) };
        int r;

        must(fd >= 0 && write(fd, text, size) == (ssize_t) size, "there is memory");
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        (void) snprintf(option, sizeof(option), "--config=%s", path);

        r = config_load(ret_config, ARRAY_SIZE(argv) - 1, argv, on_mistake, &told);
        must(r == 0 || r == EX_CONFIG, "only a file can be wrong where the options are not");
        must((r != 0) == (told.n_mistakes > 0), "mistakes are told, and nothing else");
        return r;
}

/* Prints the settings; the text is the caller's to free. */
static char *print(const struct config *config, size_t *ret_size)
{
        char *text = NULL;
        FILE *file = open_memstream(&text, ret_size);

        must(file != NULL, "there is memory");
        config_print(config, file);
        must(fclose(file) == 0, "there is memory");
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
                     "a subnet has no far end");
        }

        config_drop_ipv6(config);
        must(!config_has_ipv6(config) && config->peer_ipv6.family == AF_UNSPEC, "without IPv6 there is none");
}

const char *fuzz_outcome(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *first = NULL, *second = NULL;
        size_t first_size, second_size;
        struct config config, again;

        if (load(&config, data, size) != 0)
                return "wrong";

        check_policy(&config);
        first = print(&config, &first_size);
        must(load(&again, first, first_size) == 0, "what is printed can be loaded");
        second = print(&again, &second_size);
        must(first_size == second_size && memcmp(first, second, first_size) == 0,
             "what is printed loads as the same");
        check_links(&again);

        return "good";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        (void) fuzz_outcome(data, size);
        return 0;
}
