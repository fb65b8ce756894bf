/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * reflect-model DIRECTORY: print what the model says of each seed of fuzz-reflect, for the live tests. A line has the
 * name of the seed, its control bytes, its packet, the verdict, the reply, and "timed" if the reply has the time.
 */

#include <dirent.h>
#include <string.h>

#include "common/util.h"
#include "fuzz.h"
#include "model.h"
#include "reflect-input.h"

#define SEED_SIZE_MAX 65536

static void print_bytes(const uint8_t *bytes, size_t size)
{
        printf(" -");
        for (size_t i = 0; i < size; i++)
                printf("%02x", bytes[i]);
}

static void print_seed(const char *name, const uint8_t *data, size_t size)
{
        struct reflection reflection;
        struct policy policy;
        size_t length = 0;
        _cleanup_(freep) uint8_t *packet = reflect_input_parse(data, size, &policy, &length);
        _cleanup_(freep) uint8_t *reply = reflect_input_parse(data, size, &policy, &length);
        _cleanup_(freep) uint8_t *later = reflect_input_parse(data, size, &policy, &length);
        enum verdict verdict;

        if (!packet || !reply || !later)
                return;

        verdict = model_reflect(&policy, 0, reply, length, &reflection);
        (void) model_reflect(&policy, UINT32_MAX, later, length, &reflection);
        printf("%s", name);
        print_bytes(data, REFLECT_CONTROL_SIZE);
        print_bytes(packet, length);
        printf(" %s", verdict_name(verdict));
        print_bytes(reply + reflection.offset, reflection.length);
        printf("%s\n", memcmp(reply, later, length) != 0 ? " timed" : "");
}

int main(int argc, char **argv)
{
        static uint8_t data[SEED_SIZE_MAX];
        struct dirent **entries = NULL;
        int n = argc == 2 ? scandir(argv[1], &entries, NULL, alphasort) : -1;

        for (int i = 0; i < n; i++) {
                _cleanup_(close_filep) FILE *file = NULL;
                char path[4096];

                (void) snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
                if (entries[i]->d_name[0] != '.')
                        file = fopen(path, "re");
                if (file)
                        print_seed(entries[i]->d_name, data, fread(data, 1, sizeof(data), file));
                free(entries[i]);
        }

        free(entries);
        return n < 0;
}
