#include "csv_samples.h"

#include "csv_operations.h"
#include "csv_values.h"
#include "utf8.h"

#include <string.h>

enum column { NAME, TIME, VALUE, UNIT, COLUMN_COUNT };

static const struct csv_column columns[COLUMN_COUNT] = {
    [NAME] = {"name", true},
    [TIME] = {"t_ns", true},
    [VALUE] = {"value", true},
    [UNIT] = {"unit", false},
};

int csv_samples_init(struct csv_table *table, int fd)
{
    return csv_table_init(table, fd, columns, COLUMN_COUNT);
}

int csv_samples_refuse_unit(struct csv_table *table)
{
    return csv_table_refuse(table, UNIT, "the unit of the rows before it of this metric");
}

static int parse_name(struct csv_table *table, struct csv_sample *sample)
{
    sample->name = csv_table_text(table, NAME);

    size_t length = strlen(sample->name);

    if (length == 0 || length > NAME_MAX_BYTES || !utf8_is_valid(sample->name, length)) {
        return csv_table_refuse(table, NAME, "a name of 1 to 255 bytes of UTF-8");
    }
    return 0;
}

static int parse_value(struct csv_table *table, struct csv_sample *sample)
{
    const char *text = csv_table_text(table, VALUE);

    if (csv_parse_real(text, &sample->real) < 0) {
        return csv_table_refuse(table, VALUE, "a decimal number that a double holds");
    }
    sample->is_integer = csv_parse_signed(text, &sample->integer) == 0;
    return 0;
}

static int parse_time_and_unit(struct csv_table *table, struct csv_sample *sample)
{
    if (csv_parse_unsigned(csv_table_text(table, TIME), CSV_TIME_LIMIT_NS - 1, &sample->time_ns) <
        0) {
        return csv_table_refuse(table, TIME, "a whole number of nanoseconds from 0 to 2^62 - 1");
    }
    sample->unit = csv_table_text(table, UNIT);

    size_t length = strlen(sample->unit);

    if (length > CSV_UNIT_MAX_BYTES || !utf8_is_valid(sample->unit, length)) {
        return csv_table_refuse(table, UNIT, "a unit of at most 63 bytes of UTF-8");
    }
    return 0;
}

int csv_samples_next(struct csv_table *table, struct csv_sample *ret_sample)
{
    struct csv_sample sample = {0};
    int r = csv_table_next(table);

    if (r <= 0) {
        return r;
    }
    r = parse_name(table, &sample);
    r = r < 0 ? r : parse_value(table, &sample);
    r = r < 0 ? r : parse_time_and_unit(table, &sample);
    if (r < 0) {
        return r;
    }
    *ret_sample = sample;
    return 1;
}
