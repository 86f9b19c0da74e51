#include "run_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SETTING_TEXT_BYTES = CONFIG_PATH_MAX_BYTES + 256 };

int run_options_take(struct run_options *options, int option, const char *value)
{
    switch (option) {
    case 'c':
        options->config_path = value;
        return 0;
    case 's':
        options->socket_path = value;
        return 0;
    case 'o':
        options->output_path = value;
        return 0;
    case 'S':
        if (options->setting_count == RUN_OPTIONS_MAX_SETTINGS) {
            return -E2BIG;
        }
        options->settings[options->setting_count++] = value;
        return 0;
    default:
        return -EINVAL;
    }
}

const char *run_options_file(const struct run_options *options)
{
    if (options->config_path != NULL) {
        return options->config_path;
    }
    /* What is there and cannot be read is an error; what is not there is no file. */
    return access(CONFIG_DEFAULT_FILE, F_OK) == 0 ? CONFIG_DEFAULT_FILE : NULL;
}

/* "Rotate.Size=1M" is what a file with a section [Rotate] and a line Size=1M says. */
static int apply_setting(struct collector_config *config, const char *setting, char *ret_error)
{
    const char *dot = strchr(setting, '.');
    const char *equals = strchr(setting, '=');
    char text[SETTING_TEXT_BYTES];

    if (dot == NULL || equals == NULL || dot > equals || strchr(setting, '\n') != NULL) {
        (void)snprintf(ret_error, CONFIG_ERROR_MAX_BYTES,
                       "--set %.200s: must be Section.Key=Value, as in --set Rotate.Size=64M",
                       setting);
        return -EINVAL;
    }
    int length =
        snprintf(text, sizeof(text), "[%.*s]\n%s\n", (int)(dot - setting), setting, dot + 1);
    if (length < 0 || (size_t)length >= sizeof(text)) {
        (void)snprintf(ret_error, CONFIG_ERROR_MAX_BYTES, "--set %.200s...: is too long", setting);
        return -EINVAL;
    }
    return config_read_text(config, "--set", text, (size_t)length, ret_error);
}

static int apply_path(char *ret_path, const char *path, const char *option, char *ret_error)
{
    if (path == NULL) {
        return 0;
    }
    if (strlen(path) >= CONFIG_PATH_MAX_BYTES || path[0] == '\0') {
        (void)snprintf(ret_error, CONFIG_ERROR_MAX_BYTES, "%s: the path is %s", option,
                       path[0] == '\0' ? "empty" : "too long");
        return -EINVAL;
    }
    memcpy(ret_path, path, strlen(path) + 1);
    return 0;
}

int run_options_load(const struct run_options *options, struct collector_config *ret_config,
                     char ret_error[static CONFIG_ERROR_MAX_BYTES])
{
    const char *file = run_options_file(options);
    struct collector_config config;
    int r = 0;

    config_init(&config);
    if (file != NULL) {
        r = config_read_file(&config, file, ret_error);
    }
    for (size_t i = 0; r == 0 && i < options->setting_count; i++) {
        r = apply_setting(&config, options->settings[i], ret_error);
    }
    r = r < 0 ? r : apply_path(config.socket_path, options->socket_path, "--socket", ret_error);
    r = r < 0 ? r : apply_path(config.output_path, options->output_path, "--output", ret_error);
    r = r < 0 ? r : config_check(&config, ret_error);
    if (r == 0) {
        *ret_config = config;
    }
    return r;
}
