/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Runs a fuzz target without a fuzzer: each file that is named, or is in a directory that is named, is one
 * input and one test case. What comes of an input that is called OUTCOME.DESCRIPTION has to be that outcome.
 */

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "common/util.h"

#define INPUT_SIZE_MAX (1 << 20)

static unsigned n_cases, n_failures;

static void replay_file(const char *path)
{
        _cleanup_(close_filep) FILE *file = fopen(path, "re");
        _cleanup_(freep) uint8_t *data = malloc(INPUT_SIZE_MAX);
        const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
        const char *outcome = "unreadable";
        bool good;

        /* The size is an exact one, for the sanitizer. */
        if (file && data) {
                size_t size = fread(data, 1, INPUT_SIZE_MAX, file);
                uint8_t *exact = realloc(data, size > 0 ? size : 1);

                data = exact ? exact : data;
                outcome = fuzz_outcome(data, size);
        }

        good = strncmp(name, outcome, strlen(outcome)) == 0 && name[strlen(outcome)] == '.';
        printf("%s %u - %s\n", good ? "ok" : "not ok", ++n_cases, name);
        if (!good) {
                printf("# %s: %s\n", path, outcome);
                n_failures++;
        }
        fflush(stdout); /* the target may abort in the next one */
}

static int replay_directory(const char *path)
{
        struct dirent **entries;
        int n = scandir(path, &entries, NULL, alphasort);

        if (n < 0)
                return -errno;

        for (int i = 0; i < n; i++) {
                char file[4096];

                (void) snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
                if (entries[i]->d_name[0] != '.')
                        replay_file(file);
                free(entries[i]);
        }
        free(entries);
        return 0;
}

int main(int argc, char *argv[])
{
        for (int i = 1; i < argc; i++)
                if (replay_directory(argv[i]) < 0)
                        replay_file(argv[i]);

        printf("1..%u\n", n_cases);
        return n_failures > 0;
}
