/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The settings of an instance: the defaults, then the file and its drop-ins, then the options, and what
 * follows from them. Every error is reported with its place. This folder logs nothing, applies nothing, and
 * opens no file but those of the settings.
 */

#include "config/config.h"

#include <sysexits.h>

#include "config/check.h"
#include "config/files.h"
#include "config/options.h"
#include "config/settings.h"

static int load(struct loader *loader, int argc, char *argv[])
{
        _cleanup_(files_free) struct files files = { 0 };
        char default_path[sizeof(TUNECHO_CONFIG_DIR "/.conf") + IFNAMSIZ];
        struct config *config = loader->config;
        const char *path;
        bool is_given;

        *config = (struct config) { .argc = argc, .argv = argv };
        settings_set_defaults(loader);

        path = options_read(loader, argc, argv);
        errors_report_rest(&loader->errors, /* path= */ NULL);
        if (loader->errors.n_in_options > 0)
                return EX_USAGE;
        if (config->action == CONFIG_HELP || config->action == CONFIG_VERSION)
                return 0;

        is_given = path != NULL;
        (void) snprintf(default_path, sizeof(default_path), TUNECHO_CONFIG_DIR "/%s.conf", config->interface);
        path = is_given ? path : default_path;
        files_read(&files, loader, path, /* must_exist= */ is_given);
        errors_report_rest(&loader->errors, path);
        (void) files_describe(&files, config->sources, sizeof(config->sources));
        options_set(loader, argc, argv);

        /* Values that are wrong by themselves would only cause more errors. */
        if (loader->errors.n_in_files == 0 && loader->errors.n_in_options == 0)
                check_settings(loader, path);

        errors_report_rest(&loader->errors, /* path= */ NULL);
        if (loader->errors.n_in_options > 0)
                return EX_USAGE;

        return loader->errors.n_in_files > 0 ? EX_CONFIG : 0;
}

/**
 * config_load() - make the settings of defaults, files and options
 * @ret_config: the settings; after an error those that are good
 * @argc: as main() has it
 * @argv: as main() has it; reordered by getopt_long(3), and must outlive @ret_config
 * @on_error: called for each error
 * @userdata: passed to @on_error
 *
 * Return: 0; EX_USAGE for an error among the options, else EX_CONFIG for one in the files.
 */
int config_load(struct config *ret_config, int argc, char *argv[], config_error_t on_error, void *userdata)
{
        struct loader loader = {
                .config = ret_config,
                .errors = { .report = on_error, .userdata = userdata },
        };

        return load(&loader, argc, argv);
}

/**
 * config_reload() - make the settings again from the same options and what the files have now
 * @ret_config: the new settings; not @config
 * @config: the settings that config_load() made
 * @on_error: called for each error
 * @userdata: passed to @on_error
 *
 * Return: as config_load(); EX_CONFIG also for a pipe that was read before, and has nothing more.
 */
int config_reload(struct config *ret_config, const struct config *config, config_error_t on_error,
                  void *userdata)
{
        struct loader loader = {
                .config = ret_config,
                .errors = { .report = on_error, .userdata = userdata },
                .is_reload = true,
        };

        return load(&loader, config->argc, config->argv);
}

/**
 * config_print() - print the settings as a file that would set them
 * @config: the settings
 * @file: the stream to print to; the first line is a comment that names the files that were read
 */
void config_print(const struct config *config, FILE *file)
{
        fprintf(file, "# %s\n", config->sources);
        settings_print(config, file);
}
