#include "settings.h"

#include "debug_line.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#define USER_SOCKET "eddy.sock" /* in $XDG_RUNTIME_DIR */
#define SYSTEM_SOCKET "/run/eddy/collector.sock"

enum {
    DEFAULT_RING_KIB =
        2048, /* 32 ms at a million operations a second: as long may the flusher wait for a processor */
    MAX_RING_KIB = 64 << 10,
    DEFAULT_SLOTS = 64 << 10,
    DEFAULT_MEMORY_MIB = 64,
    MIN_MEMORY_MIB = 8,
    MAX_MEMORY_MIB = 64 << 10,
    DEFAULT_SAMPLE_MS = 100,
    MIN_SAMPLE_MS = 10,
    MAX_SAMPLE_MS = 60 * 1000,
    DEFAULT_LONG_RUN_US = 1000,
    MAX_LONG_RUN_US = 1000 * 1000 * 1000,
    SLOT_BYTES = sizeof(struct slot) + ATTRIBUTE_BYTES,
};

/* A number that the environment may set. */
struct number {
    const char *variable;
    uint64_t least;
    uint64_t most;
    uint64_t fallback;
};

/* The settings being read, and how far their text is used. */
struct reading {
    struct settings *settings;
    size_t text_used;
};

/* The variable's value, or NULL if it is unset, empty, or not to be trusted. */
static const char *variable(const char *name)
{
    const char *value = secure_getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

static bool is_true(const char *value)
{
    return value != NULL && strcmp(value, "0") != 0 && strcmp(value, "false") != 0 &&
           strcmp(value, "no") != 0 && strcmp(value, "off") != 0;
}

/* Reads decimal digits only; false if there is anything else, or more than 64 bits. */
static bool read_digits(const char *text, uint64_t *ret_number)
{
    uint64_t number = 0;

    for (const char *digit = text; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*digit - '0'), &number)) {
            return false;
        }
    }
    *ret_number = number;
    return text[0] != '\0';
}

static uint64_t read_number(const struct settings *settings, const struct number *number)
{
    const char *text = variable(number->variable);
    uint64_t value = 0;

    if (text == NULL) {
        return number->fallback;
    }
    if (!read_digits(text, &value) || value < number->least || value > number->most) {
        debug_line(settings->debug, "%s=%s is not a number from %lu to %lu: %lu is used instead",
                   number->variable, text, number->least, number->most, number->fallback);
        return number->fallback;
    }
    return value;
}

/* --- Sizes --- */

static uint64_t round_up_to_power_of_two(uint64_t number)
{
    uint64_t power = 1;

    while (power < number) {
        power *= 2;
    }
    return power;
}

/*
 * As many slots as are wanted and fit: they may take 3/8 of the memory (at the default sizes exactly what they need) and must
 * leave 1/16 for rings, which counts where the memory is little.
 */
static uint32_t fit_slots(const struct settings *settings, uint64_t wanted,
                          const struct recorder_sizes *sizes)
{
    struct recorder_sizes tried = *sizes;

    tried.slot_count = (uint32_t)round_up_to_power_of_two(wanted);
    while (tried.slot_count > RECORDER_MIN_SLOTS &&
           ((uint64_t)tried.slot_count * SLOT_BYTES > tried.memory_bytes / 8 * 3 ||
            recorder_room_for_rings(&tried) < tried.memory_bytes / 16)) {
        tried.slot_count /= 2;
    }
    if (tried.slot_count < wanted) {
        debug_line(
            settings->debug,
            "%lu slots do not fit into %lu MiB of memory: %u are used; raise EDDY_MEMORY_MIB",
            wanted, (unsigned long)(tried.memory_bytes / MIB), tried.slot_count);
    }
    return tried.slot_count;
}

static struct recorder_sizes read_sizes(const struct settings *settings)
{
    const struct number memory = {"EDDY_MEMORY_MIB", MIN_MEMORY_MIB, MAX_MEMORY_MIB,
                                  DEFAULT_MEMORY_MIB};
    const struct number ring = {"EDDY_RING_KIB", RING_MIN_BYTES / KIB, MAX_RING_KIB,
                                DEFAULT_RING_KIB};
    const struct number slots = {"EDDY_SLOTS", RECORDER_MIN_SLOTS, RECORDER_MAX_SLOTS,
                                 DEFAULT_SLOTS};
    struct recorder_sizes sizes = {
        .memory_bytes = read_number(settings, &memory) * MIB,
        .ring_bytes = round_up_to_power_of_two(read_number(settings, &ring) * KIB),
    };

    sizes.slot_count = fit_slots(settings, read_number(settings, &slots), &sizes);
    return sizes;
}

static uint64_t read_sample_period(const struct settings *settings)
{
    const struct number period = {"EDDY_SAMPLE_MS", MIN_SAMPLE_MS, MAX_SAMPLE_MS,
                                  DEFAULT_SAMPLE_MS};
    const char *text = variable(period.variable);

    if (text != NULL && strcmp(text, "0") == 0) {
        return 0;
    }
    return read_number(settings, &period) * NS_PER_MS;
}

static uint64_t read_long_run(const struct settings *settings)
{
    const struct number length = {"EDDY_LONG_RUN_US", 0, MAX_LONG_RUN_US, DEFAULT_LONG_RUN_US};

    return read_number(settings, &length) * NS_PER_US;
}

/* --- Socket --- */

static void add_path(struct settings *settings, const char *folder, const char *name)
{
    char *path = settings->socket_paths[settings->socket_path_count];
    int length = snprintf(path, SETTINGS_PATH_BYTES, "%s%s", folder, name);

    if (length < 0 || length >= SETTINGS_PATH_BYTES) {
        debug_line(settings->debug, "the socket path %s%s is longer than %d bytes", folder, name,
                   SETTINGS_PATH_BYTES - 1);
        path[0] = '\0';
        return;
    }
    settings->socket_path_count++;
}

static void read_socket(struct settings *settings)
{
    const char *given = variable("EDDY_SOCKET");
    const char *runtime_folder = variable("XDG_RUNTIME_DIR");

    if (given != NULL) {
        add_path(settings, "", given);
        return;
    }
    if (runtime_folder != NULL) {
        add_path(settings, runtime_folder, "/" USER_SOCKET);
    }
    add_path(settings, "", SYSTEM_SOCKET);
}

/* --- Lists --- */

/* Keeps a copy, as valid UTF-8 of at most NAME_MAX_BYTES; NULL if the room is used up. */
static const char *keep_text(struct reading *reading, const char *text, size_t length)
{
    char *copy = reading->settings->text + reading->text_used;
    size_t room = SETTINGS_TEXT_BYTES - reading->text_used;

    if (room <= min_u64(length, NAME_MAX_BYTES)) {
        return NULL;
    }
    reading->text_used +=
        utf8_copy(copy, min_u64(room, NAME_MAX_BYTES + 1), text, length, NULL) + 1;
    return copy;
}

/* The next item of a list with commas. Returns its length, and moves *list behind it. */
static size_t next_item(const char **list, const char **ret_item)
{
    size_t length = strcspn(*list, ",");

    *ret_item = *list;
    *list += length + ((*list)[length] == ',' ? 1 : 0);
    return length;
}

static bool add_label(struct reading *reading, const char *item, size_t length)
{
    struct settings *settings = reading->settings;
    const char *equals = memchr(item, '=', length);

    if (equals == NULL || equals == item || settings->label_count == SOURCE_MAX_LABELS) {
        return false;
    }

    size_t key_length = (size_t)(equals - item);
    const char *key = keep_text(reading, item, key_length);
    const char *value =
        key == NULL ? NULL : keep_text(reading, equals + 1, length - key_length - 1);

    if (value == NULL) {
        return false;
    }
    settings->labels[settings->label_count++] = (struct label){key, value};
    return true;
}

static void read_labels(struct reading *reading)
{
    const char *list = variable("EDDY_LABELS");

    while (list != NULL && list[0] != '\0') {
        const char *item;
        size_t length = next_item(&list, &item);

        if (length > 0 && !add_label(reading, item, length)) {
            debug_line(reading->settings->debug,
                       "EDDY_LABELS: '%.*s' is left out: not KEY=VALUE, or more than %d labels, or "
                       "too long",
                       (int)length, item, SOURCE_MAX_LABELS);
        }
    }
}

static void read_attribute_keys(struct reading *reading)
{
    struct settings *settings = reading->settings;
    const char *list = variable("EDDY_ATTRIBUTES");

    if (list == NULL) {
        return;
    }
    while (strcmp(list, "off") != 0 && list[0] != '\0') {
        const char *item;
        size_t length = next_item(&list, &item);
        const char *key = length > 0 && settings->attribute_key_count < SETTINGS_MAX_KEYS
                              ? keep_text(reading, item, length)
                              : NULL;

        if (key != NULL) {
            settings->attribute_keys[settings->attribute_key_count++] = key;
        } else if (length > 0) {
            debug_line(settings->debug, "EDDY_ATTRIBUTES: no room for '%.*s': it is kept back",
                       (int)length, item);
        }
    }
    /* A list without a usable key allows nothing: what was meant to be kept back must not leave. */
    settings->attributes_off = settings->attribute_key_count == 0;
}

void settings_read(struct settings *ret_settings)
{
    struct reading reading = {.settings = ret_settings};

    *ret_settings = (struct settings){0};
    ret_settings->debug = is_true(variable("EDDY_DEBUG"));
    ret_settings->disabled = getauxval(AT_SECURE) != 0 || is_true(variable("EDDY_DISABLE"));
    ret_settings->sizes = read_sizes(ret_settings);
    ret_settings->sample_period_ns = read_sample_period(ret_settings);
    ret_settings->asks_malloc = is_true(variable("EDDY_MALLINFO"));
    ret_settings->long_run_ns = read_long_run(ret_settings);
    read_socket(ret_settings);
    read_labels(&reading);
    read_attribute_keys(&reading);
}

bool settings_allow_attribute(const struct settings *settings, const char *key, size_t length)
{
    for (size_t i = 0; i < settings->attribute_key_count; i++) {
        const char *allowed = settings->attribute_keys[i];

        if (strlen(allowed) == length && memcmp(allowed, key, length) == 0) {
            return true;
        }
    }
    return settings->attribute_key_count == 0 && !settings->attributes_off;
}
