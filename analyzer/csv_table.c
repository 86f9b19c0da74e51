#include "csv_table.h"

#include "utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { QUOTED_BYTES = 60 };

/* What a message quotes of a text from outside. */
static void quote(char ret_quote[static QUOTED_BYTES], const char *text)
{
    (void)utf8_copy_for_terminal(ret_quote, QUOTED_BYTES, text, strlen(text));
}

PRINTF_LIKE(2, 3)
static int refuse(struct csv_table *table, const char *format, ...)
{
    int used = snprintf(table->problem, sizeof(table->problem), "line %llu",
                        (unsigned long long)table->row.line);
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(table->problem + used, sizeof(table->problem) - (size_t)used, format,
                    arguments);
    va_end(arguments);
    return -EBADMSG;
}

int csv_table_refuse(struct csv_table *table, size_t column, const char *expected)
{
    char text[QUOTED_BYTES];

    quote(text, csv_table_text(table, column));
    return refuse(table, ", column '%s': '%s' is not %s", table->columns[column].name, text,
                  expected);
}

static int next_row(struct csv_table *table)
{
    int r = csv_reader_next(&table->reader, &table->row);

    return r == -EBADMSG ? refuse(table, ": %s", table->reader.fault) : r;
}

/* "name, start_ns, ..." */
static void list_columns(char *ret_list, size_t size, const struct csv_table *table)
{
    size_t used = 0;

    for (size_t i = 0; i < table->column_count && used < size; i++) {
        used += (size_t)snprintf(ret_list + used, size - used, "%s%s", i > 0 ? ", " : "",
                                 table->columns[i].name);
    }
}

static int refuse_unknown(struct csv_table *table, const char *name)
{
    char text[QUOTED_BYTES];
    char known[CSV_PROBLEM_BYTES / 2];

    quote(text, name);
    list_columns(known, sizeof(known), table);
    return refuse(table, ": unknown column '%s'; known are %s, separated by commas", text, known);
}

static int find_column(const struct csv_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int map_header(struct csv_table *table)
{
    for (size_t field = 0; field < table->row.count; field++) {
        int column = find_column(table, table->row.fields[field]);

        if (column < 0) {
            return refuse_unknown(table, table->row.fields[field]);
        }
        if (table->field_of[column] >= 0) {
            return refuse(table, ": column '%s' stands there twice", table->columns[column].name);
        }
        table->field_of[column] = (int)field;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].is_required && table->field_of[i] < 0) {
            return refuse(table, ": column '%s' is missing; the first row names the columns",
                          table->columns[i].name);
        }
    }
    return 0;
}

int csv_table_init(struct csv_table *table, int fd, const struct csv_column *columns,
                   size_t column_count)
{
    csv_reader_init(&table->reader, fd);
    table->columns = columns;
    table->column_count = column_count;
    table->problem[0] = '\0';
    for (size_t i = 0; i < column_count; i++) {
        table->field_of[i] = -1;
    }

    int r = next_row(table);

    if (r < 0) {
        return r;
    }
    if (r == 0) {
        return refuse(table, ": the file is empty; its first row must name the columns");
    }
    table->header_count = table->row.count;
    return map_header(table);
}

int csv_table_next(struct csv_table *table)
{
    int r = next_row(table);

    if (r == 1 && table->row.count != table->header_count) {
        return refuse(table, ": %zu fields, but the first row names %zu columns", table->row.count,
                      table->header_count);
    }
    return r;
}

bool csv_table_has(const struct csv_table *table, size_t column)
{
    return table->field_of[column] >= 0;
}

const char *csv_table_text(const struct csv_table *table, size_t column)
{
    return csv_table_has(table, column) ? table->row.fields[table->field_of[column]] : "";
}
