#include "collector_config.h"

#include "config_values.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    CONFIG_FILE_MAX_BYTES = 256 << 10,
    CONFIG_KEY_COUNT = 18,
    CONFIG_LINE_MAX_BYTES = 4400,
};

enum value_kind {
    KIND_PATH,
    KIND_GROUP,
    KIND_MODE,
    KIND_COUNT_OR_NONE,
    KIND_SIZE,
    KIND_DURATION,
    KIND_BOOLEAN
};

/* One key: where its value goes and what it may be. */
struct config_key {
    const char *section;
    const char *name;
    enum value_kind kind;
    size_t offset;
    uint64_t least;
    uint64_t greatest;
};

#define FIELD(member) offsetof(struct collector_config, member)
#define DAYS(count) ((count)*24 * 3600 * NS_PER_S)

/* Plaintext of a part stays this far below 1 GiB, so that its last frame and its End fit. */
#define GREATEST_PLAIN_BYTES (GIB - 16 * MIB)

static const struct config_key keys[CONFIG_KEY_COUNT] = {
    {"Socket", "Path", KIND_PATH, FIELD(socket_path), 0, 0},
    {"Socket", "Group", KIND_GROUP, FIELD(socket_group), 0, 0},
    {"Socket", "Mode", KIND_MODE, FIELD(socket_mode), 0, 0777},
    {"Socket", "MaxConnections", KIND_COUNT_OR_NONE, FIELD(max_connections), 0, 1 << 20},
    {"Socket", "MaxConnectionsPerUser", KIND_COUNT_OR_NONE, FIELD(max_connections_per_user), 0,
     1 << 20},
    {"Socket", "HelloTimeout", KIND_DURATION, FIELD(hello_timeout_ns), 100 * NS_PER_MS,
     3600 * NS_PER_S},
    {"Output", "Path", KIND_PATH, FIELD(output_path), 0, 0},
    {"Output", "QueueSize", KIND_SIZE, FIELD(queue_bytes), 32 * MIB, 64 * GIB},
    {"Output", "SyncInterval", KIND_DURATION, FIELD(part.sync_interval_ns), 10 * NS_PER_MS,
     3600 * NS_PER_S},
    {"Output", "SyncSize", KIND_SIZE, FIELD(part.sync_bytes), 64 * KIB, GIB},
    {"Rotate", "Size", KIND_SIZE, FIELD(part.rotate_bytes), 64 * KIB, GIB},
    {"Rotate", "PlainSize", KIND_SIZE, FIELD(part.rotate_plain_bytes), 64 * KIB,
     GREATEST_PLAIN_BYTES},
    {"Rotate", "Age", KIND_DURATION, FIELD(part.rotate_age_ns), NS_PER_S, DAYS(366)},
    {"Keep", "TotalSize", KIND_SIZE, FIELD(folder.max_total_bytes), 0, UINT64_MAX},
    {"Keep", "FreeSpace", KIND_SIZE, FIELD(folder.keep_free_bytes), 0, UINT64_MAX},
    {"Keep", "Age", KIND_DURATION, FIELD(folder.max_age_ns), 0, UINT64_MAX},
    {"Machine", "Sample", KIND_BOOLEAN, FIELD(sample_machine), 0, 0},
    {"Machine", "Period", KIND_DURATION, FIELD(sample_period_ns), 100 * NS_PER_MS, 60 * NS_PER_S},
};

/* inih asks for one line after the other; the number of the last one is the place of an error. */
struct config_parse {
    struct collector_config *config;
    const char *file_name;
    const char *position;
    const char *end;
    unsigned int line;
    bool seen[CONFIG_KEY_COUNT];
    char *error;
    unsigned int error_line; /* 0: none yet */
};

void config_init(struct collector_config *ret_config)
{
    *ret_config = (struct collector_config){
        .socket_mode = 0660,
        .hello_timeout_ns = 5 * NS_PER_S,
        .output_path = CONFIG_DEFAULT_OUTPUT,
        .queue_bytes = 64 * MIB,
        .part = {.rotate_bytes = 256 * MIB,
                 .rotate_plain_bytes = GREATEST_PLAIN_BYTES,
                 .rotate_age_ns = 3600 * NS_PER_S,
                 .sync_interval_ns = NS_PER_S,
                 .sync_bytes = 8 * MIB},
        .folder = {.max_total_bytes = 10 * GIB,
                   .keep_free_bytes = GIB,
                   .max_age_ns = DAYS(30),
                   .may_delete = true},
        .sample_machine = true,
        .sample_period_ns = NS_PER_S,
    };
    if (config_default_socket(ret_config->socket_path, sizeof(ret_config->socket_path)) < 0) {
        ret_config->socket_path[0] = '\0';
    }
}

int config_default_socket(char *ret_path, size_t size)
{
    const char *socket_path = secure_getenv("EDDY_SOCKET");
    const char *runtime_folder = secure_getenv("XDG_RUNTIME_DIR");
    int length;

    if (socket_path != NULL && socket_path[0] != '\0') {
        length = snprintf(ret_path, size, "%s", socket_path);
    } else if (runtime_folder != NULL && runtime_folder[0] == '/') {
        length = snprintf(ret_path, size, "%s/eddy.sock", runtime_folder);
    } else {
        length = snprintf(ret_path, size, "/run/eddy/collector.sock");
    }
    return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

PRINTF_LIKE(2, 3) static int refuse(struct config_parse *parse, const char *format, ...)
{
    va_list arguments;

    /* The first error is told; inih goes on to the end of the text. */
    if (parse->error[0] != '\0') {
        return 0;
    }
    parse->error_line = parse->line;
    int used = snprintf(parse->error, CONFIG_ERROR_MAX_BYTES, "%.300s:%u: ", parse->file_name,
                        parse->line);
    va_start(arguments, format);
    (void)vsnprintf(parse->error + used, CONFIG_ERROR_MAX_BYTES - (size_t)used, format, arguments);
    va_end(arguments);
    return 0;
}

static int store_text(struct config_parse *parse, const struct config_key *key, const char *value)
{
    size_t room = key->kind == KIND_PATH ? CONFIG_PATH_MAX_BYTES : CONFIG_GROUP_MAX_BYTES;
    size_t length = strlen(value);

    if (length >= room) {
        return refuse(parse, "value of '%s' is longer than %zu bytes", key->name, room - 1);
    }
    if (key->kind == KIND_PATH && value[0] != '/') {
        return refuse(parse, "'%s' must be an absolute path, not '%.80s'", key->name, value);
    }
    memcpy((char *)parse->config + key->offset, value, length + 1);
    return 1;
}

static int read_number(enum value_kind kind, const char *value, uint64_t *ret_number)
{
    bool yes = false;
    uint32_t mode = 0;
    int r;

    switch (kind) {
    case KIND_SIZE:
        return parse_size_bytes(value, ret_number);
    case KIND_DURATION:
        return parse_duration_ns(value, ret_number);
    case KIND_COUNT_OR_NONE:
        return parse_count(value, ret_number);
    case KIND_BOOLEAN:
        r = parse_boolean(value, &yes);
        *ret_number = yes;
        return r;
    default:
        r = parse_mode(value, &mode);
        *ret_number = mode;
        return r;
    }
}

static const char *value_example(enum value_kind kind)
{
    switch (kind) {
    case KIND_SIZE:
        return "a size such as 512K, 256M or 10G";
    case KIND_DURATION:
        return "a time such as 500ms, 10s, 5min, 1h or 30d";
    case KIND_COUNT_OR_NONE:
        return "a number, or unlimited";
    case KIND_BOOLEAN:
        return "yes or no";
    default:
        return "a file mode such as 0660";
    }
}

static void store_number(struct config_parse *parse, const struct config_key *key, uint64_t number)
{
    char *field = (char *)parse->config + key->offset;

    if (key->kind == KIND_BOOLEAN) {
        *(bool *)field = number != 0;
    } else if (key->kind == KIND_MODE) {
        uint32_t mode = (uint32_t)number;

        memcpy(field, &mode, sizeof(mode));
    } else {
        memcpy(field, &number, sizeof(number));
    }
}

static int store_value(struct config_parse *parse, const struct config_key *key, const char *value)
{
    uint64_t number = 0;

    if (key->kind == KIND_PATH || key->kind == KIND_GROUP) {
        return store_text(parse, key, value);
    }
    int r = read_number(key->kind, value, &number);
    if (r == -EINVAL) {
        return refuse(parse, "'%s' must be %s, not '%.80s'", key->name, value_example(key->kind),
                      value);
    }
    if (r < 0 || (key->greatest != 0 && (number < key->least || number > key->greatest))) {
        return refuse(parse, "'%s' is out of range: '%.80s'", key->name, value);
    }
    store_number(parse, key, number);
    return 1;
}

static int handle_value(void *context, const char *section, const char *name, const char *value)
{
    struct config_parse *parse = context;

    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = &keys[i];

        if (strcmp(key->section, section) != 0 || strcmp(key->name, name) != 0) {
            continue;
        }
        if (parse->seen[i]) {
            /* inih hands an indented line over as a second value of the key above it. */
            return refuse(parse, "'%s' is given twice (or continued on an indented line)", name);
        }
        parse->seen[i] = true;
        return store_value(parse, key, value);
    }
    return refuse(parse, "unknown key '%.60s' in section [%.60s]", name, section);
}

static char *next_line(char *line, int size, void *context)
{
    struct config_parse *parse = context;
    size_t left = (size_t)(parse->end - parse->position);

    if (left == 0) {
        return NULL;
    }
    const char *newline = memchr(parse->position, '\n', left);
    size_t length = newline == NULL ? left : (size_t)(newline - parse->position);

    parse->line++;
    parse->position += length + (newline != NULL);
    if (length + 1 > (size_t)size) {
        (void)refuse(parse, "line is longer than %d bytes", size - 1);
        length = 0;
    } else if (memchr(parse->position - length - (newline != NULL), '\0', length) != NULL) {
        (void)refuse(parse, "line contains a zero byte");
        length = 0;
    }
    memcpy(line, parse->position - (newline != NULL) - length, length);
    line[length] = '\0';
    return line;
}

int config_read_text(struct collector_config *config, const char *name, const char *text,
                     size_t size, char ret_error[static CONFIG_ERROR_MAX_BYTES])
{
    struct config_parse parse = {
        .config = config,
        .file_name = name,
        .position = text,
        .end = text + size,
        .error = ret_error,
    };

    ret_error[0] = '\0';
    int first_bad_line = ini_parse_stream(next_line, &parse, handle_value, &parse);
    if (first_bad_line < 0) {
        return -ENOMEM;
    }
    /* inih goes on behind a line that it cannot read; what it makes of the lines that follow is of no interest then. */
    if (first_bad_line > 0 &&
        (parse.error_line == 0 || (unsigned int)first_bad_line < parse.error_line)) {
        parse.line = (unsigned int)first_bad_line;
        ret_error[0] = '\0';
        (void)refuse(&parse, "not a section, a comment, or 'Key=Value'");
    }
    return ret_error[0] == '\0' ? 0 : -EINVAL;
}

static int read_whole(int fd, char *text, size_t size, size_t *ret_size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t got = read(fd, text + used, size - used);

        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        if (got == 0) {
            *ret_size = used;
            return 0;
        }
        used += got > 0 ? (size_t)got : 0;
    }
    return -E2BIG;
}

int config_read_file(struct collector_config *config, const char *path,
                     char ret_error[static CONFIG_ERROR_MAX_BYTES])
{
    /* O_NONBLOCK: a FIFO in place of the file must not stop the start. */
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    AUTO_FREE char *text = NULL;
    size_t size = 0;
    int r;

    if (fd < 0) {
        r = -errno;
    } else {
        text = malloc(CONFIG_FILE_MAX_BYTES);
        r = text == NULL ? -ENOMEM : read_whole(fd, text, CONFIG_FILE_MAX_BYTES, &size);
    }
    if (r < 0) {
        (void)snprintf(ret_error, CONFIG_ERROR_MAX_BYTES, "cannot read configuration '%.300s': %s",
                       path, strerror(-r));
        return r;
    }
    return config_read_text(config, path, text, size, ret_error);
}

int config_check(const struct collector_config *config,
                 char ret_error[static CONFIG_ERROR_MAX_BYTES])
{
    uint64_t total_bytes = config->folder.max_total_bytes;

    if (total_bytes != 0 && total_bytes < config->part.rotate_bytes) {
        (void)snprintf(ret_error, CONFIG_ERROR_MAX_BYTES,
                       "TotalSize in [Keep] (%llu bytes) is less than Size in [Rotate] (%llu "
                       "bytes): not even one trace file would fit in; change one of them",
                       (unsigned long long)total_bytes,
                       (unsigned long long)config->part.rotate_bytes);
        return -EINVAL;
    }
    return 0;
}

static void print_duration(char *ret_text, size_t size, uint64_t ns)
{
    if (ns % NS_PER_S == 0) {
        (void)snprintf(ret_text, size, "%llus", (unsigned long long)(ns / NS_PER_S));
    } else {
        (void)snprintf(ret_text, size, "%llums", (unsigned long long)(ns / NS_PER_MS));
    }
}

static void print_value(char *ret_text, size_t size, const struct collector_config *config,
                        const struct config_key *key)
{
    const char *field = (const char *)config + key->offset;
    uint64_t number = 0;

    switch (key->kind) {
    case KIND_PATH:
    case KIND_GROUP:
        (void)snprintf(ret_text, size, "%s", field);
        return;
    case KIND_BOOLEAN:
        (void)snprintf(ret_text, size, "%s", *(const bool *)field ? "yes" : "no");
        return;
    case KIND_MODE:
        (void)snprintf(ret_text, size, "0%o", config->socket_mode);
        return;
    default:
        memcpy(&number, field, sizeof(number));
    }
    if (number == 0) {
        (void)snprintf(ret_text, size, "unlimited");
    } else if (key->kind == KIND_DURATION) {
        print_duration(ret_text, size, number);
    } else if (key->kind == KIND_SIZE && number % MIB == 0) {
        (void)snprintf(ret_text, size, "%lluM", (unsigned long long)(number / MIB));
    } else {
        (void)snprintf(ret_text, size, "%llu", (unsigned long long)number);
    }
}

void config_print(const struct collector_config *config,
                  void (*print)(void *context, const char *line), void *context)
{
    const char *section = "";
    char value[CONFIG_PATH_MAX_BYTES];
    char line[CONFIG_LINE_MAX_BYTES];

    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = &keys[i];

        if (strcmp(section, key->section) != 0) {
            section = key->section;
            (void)snprintf(line, sizeof(line), "%s[%s]", i == 0 ? "" : "\n", section);
            print(context, line);
        }
        print_value(value, sizeof(value), config, key);
        (void)snprintf(line, sizeof(line), "%s=%s", key->name, value);
        print(context, line);
    }
}
