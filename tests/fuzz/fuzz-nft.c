/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Fuzzes nft_suspects_parse(). An input is a ruleset as nft prints it in JSON. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "client/nft-rules.h"
#include "common/util.h"
#include "fuzz.h"

#define ALL_HOOKS    0x7fU
#define SUSPECTS_MAX 21 /* the last one has the number of the others */
#define TEXT_MAX     600

static void check_text(const char *text)
{
        static const char shows[] = "; see: nft --handle list ";
        const char *command = strstr(text, shows);

        must(strlen(text) < TEXT_MAX, "a suspect is short");
        for (const char *c = text; *c != '\0'; c++)
                must(*c >= ' ' && *c <= '~', "a suspect is one printable line");
        must(command != NULL, "a command shows it");

        while (strstr(command + 1, shows))
                command = strstr(command + 1, shows);
        command += strlen("; see: ");
        must(strspn(command, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._- ") == strlen(command),
             "a shell takes the command literally");
}

/* The number of suspects, or -1 if this is no ruleset. */
static int count(const uint8_t *data, size_t size, int family, unsigned hooks, const char *device)
{
        _cleanup_(suspects_free) struct suspects suspects = { 0 };
        int r;

        r = nft_suspects_parse((const char *) data, size, family, hooks, device, &suspects);
        must(r == 0 || r == -EBADMSG, "what is no ruleset is refused");
        must(r == 0 || suspects.n == 0, "nothing is found in it");
        must(suspects.n <= SUSPECTS_MAX, "there is a limit");
        for (size_t i = 0; i < suspects.n; i++)
                check_text(suspects.texts[i]);

        return r == 0 ? (int) suspects.n : -1;
}

const char *fuzz_outcome(const uint8_t *data, size_t size)
{
        int any = count(data, size, AF_INET, ALL_HOOKS, NULL), six = count(data, size, AF_INET6, ALL_HOOKS, NULL);
        int one = count(data, size, AF_INET, ALL_HOOKS, "tun0");

        must((any < 0) == (six < 0) && (any < 0) == (one < 0), "a ruleset is one for every question");
        must(count(data, size, AF_INET, 0, NULL) <= 0, "without a hook there is no suspect");
        if (any < 0)
                return "invalid";
        if (any > 0 && six > 0)
                return "both";
        if (any > 0)
                return "ipv4";

        return six > 0 ? "ipv6" : "none";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        (void) fuzz_outcome(data, size);
        return 0;
}
