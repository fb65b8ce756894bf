/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stddef.h>

/* Hooks of the packet path, as a bit mask. */
enum nft_hook {
        NFT_HOOK_INGRESS = 1 << 0,
        NFT_HOOK_PREROUTING = 1 << 1,
        NFT_HOOK_INPUT = 1 << 2,
        NFT_HOOK_FORWARD = 1 << 3,
        NFT_HOOK_OUTPUT = 1 << 4,
        NFT_HOOK_POSTROUTING = 1 << 5,
        NFT_HOOK_EGRESS = 1 << 6,
};

/* Rules and policies that can lose a ping, each as a line with the command that shows it. */
struct suspects {
        char **texts;
        size_t n;
};

int nft_suspects_parse(const char *text, size_t size, int family, unsigned hooks, const char *device,
                       struct suspects *ret_suspects);
int nft_suspects_read(int family, unsigned hooks, const char *device, struct suspects *ret_suspects);
void suspects_free(struct suspects *suspects);
