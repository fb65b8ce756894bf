/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Recognises mistyped commands, and names of instances in the place of a command. */

#include "client/command.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/interface.h"
#include "common/util.h"

/* Words that are longer are no mistyped commands. */
#define WORD_MAX 16

/* More errors than that make another word. */
#define DISTANCE_MAX 2

static unsigned least(unsigned a, unsigned b)
{
        return a < b ? a : b;
}

/* How many letters were left out, added, replaced, or swapped with the next one; UINT_MAX for a long word. */
static unsigned find_distance(const char *a, const char *b)
{
        unsigned rows[WORD_MAX + 1][WORD_MAX + 1], length_a = (unsigned) strlen(a), length_b = (unsigned) strlen(b);

        if (length_a > WORD_MAX || length_b > WORD_MAX)
                return UINT_MAX;

        for (unsigned i = 0; i <= length_a; i++)
                for (unsigned j = 0; j <= length_b; j++) {
                        if (i == 0 || j == 0) {
                                rows[i][j] = i + j;
                                continue;
                        }

                        rows[i][j] = least(rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]),
                                           1 + least(rows[i - 1][j], rows[i][j - 1]));
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
                }

        return rows[length_a][length_b];
}

/**
 * command_find_similar() - find the name that was meant by a mistyped one
 * @word: the word
 * @names: the names
 * @n: how many there are
 *
 * Return: the name that @word is the begin of, or that differs least from it; NULL if none is similar.
 */
const char *command_find_similar(const char *word, const char *const *names, size_t n)
{
        size_t length = strlen(word);
        unsigned best = DISTANCE_MAX + 1;
        const char *similar = NULL;

        for (size_t i = 0; i < n; i++) {
                unsigned distance = find_distance(word, names[i]);

                if (length > 1 && strncmp(word, names[i], length) == 0)
                        distance = 0;
                if (distance >= best || distance >= length)
                        continue;

                best = distance;
                similar = names[i];
        }

        return similar;
}

static bool exists(const char *directory, const char *name, const char *suffix)
{
        char path[PATH_MAX];
        int size = snprintf(path, sizeof(path), "%s/%s%s", directory, name, suffix);

        return (size_t) size < sizeof(path) && access(path, F_OK) == 0;
}

/**
 * command_is_instance() - check whether a word names an instance
 * @word: the word
 * @directory: has a directory for each instance
 *
 * Return: true for one that runs or is configured, and for the names that need no configuration, tun0 and so on.
 */
bool command_is_instance(const char *word, const char *directory)
{
        size_t digits;

        if (!interface_is_name(word))
                return false;

        digits = strncmp(word, "tun", 3) == 0 ? strspn(word + 3, "0123456789") : 0;
        return (digits > 0 && word[3 + digits] == '\0') || exists(directory, word, "") ||
               exists(TUNECHO_CONFIG_DIR, word, ".conf");
}
