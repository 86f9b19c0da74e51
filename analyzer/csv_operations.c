#include "csv_operations.h"

#include "csv_values.h"
#include "utf8.h"

#include <string.h>

enum column { NAME, START, DURATION, STATUS, THREAD, COLUMN_COUNT };

static const struct csv_column columns[COLUMN_COUNT] = {
    [NAME] = {"name", true},      [START] = {"start_ns", true}, [DURATION] = {"duration_ns", true},
    [STATUS] = {"status", false}, [THREAD] = {"thread", false},
};

static const struct status_word {
    const char *text;
    enum operation_status status;
    bool is_unfinished;
} status_words[] = {
    {"ok", STATUS_OK, false},
    {"0", STATUS_OK, false},
    {"error", STATUS_ERROR, false},
    {"1", STATUS_ERROR, false},
    {"cancelled", STATUS_CANCELLED, false},
    {"2", STATUS_CANCELLED, false},
    {"timeout", STATUS_TIMEOUT, false},
    {"3", STATUS_TIMEOUT, false},
    {"unfinished", STATUS_OK, true},
    {"4", STATUS_OK, true},
};

int csv_operations_init(struct csv_table *table, int fd)
{
    return csv_table_init(table, fd, columns, COLUMN_COUNT);
}

static int parse_name(struct csv_table *table, const char **ret_name)
{
    const char *text = csv_table_text(table, NAME);
    size_t length = strlen(text);

    if (length == 0 || length > NAME_MAX_BYTES || !utf8_is_valid(text, length)) {
        return csv_table_refuse(table, NAME, "a name of 1 to 255 bytes of UTF-8");
    }
    *ret_name = text;
    return 0;
}

static int parse_time(struct csv_table *table, enum column column, uint64_t *ret_ns)
{
    if (csv_parse_unsigned(csv_table_text(table, column), CSV_TIME_LIMIT_NS - 1, ret_ns) < 0) {
        return csv_table_refuse(table, column, "a whole number of nanoseconds from 0 to 2^62 - 1");
    }
    return 0;
}

static int parse_status(struct csv_table *table, struct csv_operation *operation)
{
    const char *text = csv_table_text(table, STATUS);

    operation->status = STATUS_OK;
    operation->is_unfinished = false;
    if (!csv_table_has(table, STATUS)) {
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(status_words); i++) {
        if (strcmp(text, status_words[i].text) == 0) {
            operation->status = status_words[i].status;
            operation->is_unfinished = status_words[i].is_unfinished;
            return 0;
        }
    }
    return csv_table_refuse(table, STATUS,
                            "ok, error, cancelled, timeout or unfinished (or 0, 1, 2, 3, 4)");
}

static int parse_thread(struct csv_table *table, const char **ret_thread)
{
    const char *text = csv_table_text(table, THREAD);
    size_t length = strlen(text);

    if (length > NAME_MAX_BYTES || !utf8_is_valid(text, length)) {
        return csv_table_refuse(table, THREAD, "a thread of at most 255 bytes of UTF-8");
    }
    *ret_thread = text;
    return 0;
}

int csv_operations_next(struct csv_table *table, struct csv_operation *ret_operation)
{
    struct csv_operation operation = {0};
    int r = csv_table_next(table);

    if (r <= 0) {
        return r;
    }
    r = parse_name(table, &operation.name);
    r = r < 0 ? r : parse_time(table, START, &operation.begin_ns);
    r = r < 0 ? r : parse_time(table, DURATION, &operation.duration_ns);
    r = r < 0 ? r : parse_status(table, &operation);
    r = r < 0 ? r : parse_thread(table, &operation.thread);
    if (r < 0) {
        return r;
    }
    *ret_operation = operation;
    return 1;
}
