/*
 * CSV rows to rows of known columns: reads the header, finds the columns wherever they stand, and says in words what is
 * wrong with a row and where. What the columns mean is left to csv_operations.h and csv_samples.h.
 */
#pragma once

#include "csv_reader.h"

enum {
    CSV_MAX_COLUMNS = 8,
    CSV_PROBLEM_BYTES = 400,
};

struct csv_column {
    const char *name;
    bool is_required;
};

struct csv_table {
    struct csv_reader reader;
    struct csv_row row;
    const struct csv_column *columns; /* borrowed */
    size_t column_count;
    int field_of[CSV_MAX_COLUMNS]; /* -1 if the file has no such column */
    size_t header_count;
    char problem[CSV_PROBLEM_BYTES]; /* after -EBADMSG: "line 7: ...", safe to print */
};

/*
 * Reads the header row.
 *
 * fd        borrowed as long as the table is used; read from its current position
 * columns   borrowed likewise, at most CSV_MAX_COLUMNS
 * Returns:  0; -EBADMSG if there is no header, a column is unknown, doubled or missing; what read() said.
 * Threads:  one table, one thread at a time, as all functions here.
 */
MUST_USE int csv_table_init(struct csv_table *table, int fd, const struct csv_column *columns,
                            size_t column_count);

/* The next row. Returns 1, 0 at the end, -EBADMSG if it is no row of this table, or what read() said. */
MUST_USE int csv_table_next(struct csv_table *table);

/* The text of a column in the current row, by its place in columns[]; "" if the file has no such column. */
const char *csv_table_text(const struct csv_table *table, size_t column);
bool csv_table_has(const struct csv_table *table, size_t column);

/*
 * Says what is wrong with a column of the current row: "line 7, column 'status': 'fine' is not ok, error, ...".
 *
 * expected  continues "... is not"
 * Returns:  -EBADMSG, always.
 */
int csv_table_refuse(struct csv_table *table, size_t column, const char *expected);
