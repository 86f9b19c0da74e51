/*
 * The configuration as files and options make it: defaults, then the file, then --set, then --socket and --output.
 */
#pragma once

#include "collector_config.h"

enum { RUN_OPTIONS_MAX_SETTINGS = 64 };

/* All strings are borrowed from argv. */
struct run_options {
    const char *config_path; /* NULL: CONFIG_DEFAULT_FILE, if it exists */
    const char *socket_path; /* NULL: as configured */
    const char *output_path;
    const char *settings[RUN_OPTIONS_MAX_SETTINGS]; /* "Section.Key=Value" */
    size_t setting_count;
};

/*
 * Reads the options that run and check-config have in common.
 *
 * option    what getopt_long() returned: 'c' (--config), 's' (--socket), 'o' (--output), 'S' (--set)
 * Returns:  0; -EINVAL for another option; -E2BIG for too many settings.
 * Threads:  any, as all functions here.
 */
MUST_USE int run_options_take(struct run_options *options, int option, const char *value);

/*
 * Makes the configuration. May be called again when files have changed.
 *
 * ret_error what is wrong, where, and what to do; filled in on error
 * Returns:  0 or a negative errno.
 */
MUST_USE int run_options_load(const struct run_options *options,
                              struct collector_config *ret_config,
                              char ret_error[static CONFIG_ERROR_MAX_BYTES]);

/* The file that is read, NULL if there is none. */
const char *run_options_file(const struct run_options *options);
