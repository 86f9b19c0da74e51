/*
 * What the environment says: EDDY_SOCKET, EDDY_DISABLE, EDDY_LABELS, EDDY_RING_KIB, EDDY_SLOTS, EDDY_MEMORY_MIB,
 * EDDY_SAMPLE_MS, EDDY_MALLINFO, EDDY_LONG_RUN_US, EDDY_ATTRIBUTES, EDDY_DEBUG. Ignored as a whole where AT_SECURE is set (set-user-id programs): recording is off then.
 */
#pragma once

#include "base.h"
#include "packet.h"
#include "recorder.h"

enum {
    SETTINGS_PATH_BYTES = 108, /* sockaddr_un.sun_path */
    SETTINGS_MAX_PATHS = 2,
    SETTINGS_TEXT_BYTES = 4096,
    SETTINGS_MAX_KEYS = 64,
};

struct settings {
    bool disabled;
    bool debug;
    size_t socket_path_count; /* 0 if the name given is too long */
    char socket_paths[SETTINGS_MAX_PATHS][SETTINGS_PATH_BYTES]; /* to be tried in this order */
    struct recorder_sizes sizes;
    uint64_t sample_period_ns; /* 0: no samples */
    bool asks_malloc;          /* what glibc's malloc holds is sampled, too */
    uint64_t long_run_ns;      /* stretches of running this long are recorded; 0: none are */
    size_t label_count;
    struct label labels[SOURCE_MAX_LABELS]; /* point into text */
    bool attributes_off;
    size_t attribute_key_count; /* 0: all keys are allowed, unless attributes_off */
    const char *attribute_keys[SETTINGS_MAX_KEYS]; /* point into text */
    char text[SETTINGS_TEXT_BYTES];
};

/*
 * Reads the environment once. A value that makes no sense is replaced by its default; with EDDY_DEBUG one line on
 * standard error says so. Allocates nothing.
 *
 * Threads:  any; the environment must not be changed meanwhile.
 */
void settings_read(struct settings *ret_settings);

/* Whether EDDY_ATTRIBUTES lets an attribute with this key leave the process. Threads: any; async-signal-safe. */
bool settings_allow_attribute(const struct settings *settings, const char *key, size_t length);
