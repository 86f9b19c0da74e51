/*
 * The configuration of the daemon: an INI file in the style of systemd to a plain struct. Unknown keys, bad values and
 * contradictions are errors that name file and line; nothing is guessed.
 */
#pragma once

#include "base.h"

#include <stdbool.h>

#define CONFIG_DEFAULT_FILE "/etc/eddy/collector.conf"
#define CONFIG_DEFAULT_OUTPUT "/var/lib/eddy"

enum {
    CONFIG_PATH_MAX_BYTES = 4096,
    CONFIG_GROUP_MAX_BYTES = 64,
    CONFIG_ERROR_MAX_BYTES = 512,
};

/* When a part is closed and the next begun, and how late writes may be durable. */
struct part_limits {
    uint64_t rotate_bytes;       /* compressed */
    uint64_t rotate_plain_bytes; /* decompressed: protobuf readers refuse 2 GiB */
    uint64_t rotate_age_ns;
    uint64_t sync_interval_ns;
    uint64_t sync_bytes;
};

/* What the output folder may hold; 0: no limit. */
struct folder_limits {
    uint64_t max_total_bytes;
    uint64_t keep_free_bytes;
    uint64_t max_age_ns;
    bool may_delete; /* the oldest closed parts give way; otherwise new data is refused */
};

struct collector_config {
    char socket_path[CONFIG_PATH_MAX_BYTES];
    char socket_group[CONFIG_GROUP_MAX_BYTES]; /* "": the collector's own */
    uint32_t socket_mode;
    uint64_t max_connections; /* 0: as many as descriptors permit */
    uint64_t max_connections_per_user;
    uint64_t hello_timeout_ns;
    char output_path[CONFIG_PATH_MAX_BYTES];
    uint64_t queue_bytes; /* frames between socket and disk */
    struct part_limits part;
    struct folder_limits folder;
    bool sample_machine;
    uint64_t sample_period_ns;
};

/* The defaults, with the default socket path of this environment. */
void config_init(struct collector_config *ret_config);

/*
 * Reads a file over *config.
 *
 * ret_error "FILE:LINE: what is wrong", filled in on error
 * Returns:  0; -EINVAL if the file has errors (config is then half changed: drop it); a negative errno if it cannot be
 *           read; -E2BIG if it is larger than a configuration can be.
 * Threads:  any.
 */
MUST_USE int config_read_file(struct collector_config *config, const char *path,
                              char ret_error[static CONFIG_ERROR_MAX_BYTES]);

/* The same from memory; name stands in messages. */
MUST_USE int config_read_text(struct collector_config *config, const char *name, const char *text,
                              size_t size, char ret_error[static CONFIG_ERROR_MAX_BYTES]);

/*
 * Whether the values go together.
 *
 * Returns:  0, or -EINVAL and what contradicts what in ret_error.
 * Threads:  any.
 */
MUST_USE int config_check(const struct collector_config *config,
                          char ret_error[static CONFIG_ERROR_MAX_BYTES]);

/* Prints the configuration as a file that config_read_file() reads. Threads: any. */
void config_print(const struct collector_config *config,
                  void (*print)(void *context, const char *line), void *context);

/* EDDY_SOCKET, else $XDG_RUNTIME_DIR/eddy.sock, else /run/eddy/collector.sock. Returns -ENAMETOOLONG if it does not fit. */
MUST_USE int config_default_socket(char *ret_path, size_t size);
