/*
 * CSV to samples: one row, one value of a metric at a time.
 *
 *     name   of the metric, at most 255 bytes of UTF-8
 *     t_ns   decimal, below 2^62; the same clock as start_ns of the operations
 *     value  a decimal number: 17, -0.5, 1.2e9
 *     unit   UCUM, as "By" or "ms", at most 63 bytes; optional; one for all rows of a metric
 */
#pragma once

#include "csv_table.h"

#include "batch.h"

enum { CSV_UNIT_MAX_BYTES = 63 };

struct csv_sample {
    const char *name; /* borrowed from the table until its next row, as unit */
    const char *unit;
    uint64_t time_ns;
    bool
        is_integer; /* the value is a whole number that int64_t holds, written without point and exponent */
    int64_t integer;
    double real; /* the value, in any case */
};

/* As csv_table_init(), with the columns above. Threads: one table, one thread at a time, as all functions here. */
MUST_USE int csv_samples_init(struct csv_table *table, int fd);

/* The next sample. Returns 1, 0 at the end, -EBADMSG (table->problem says why), or what read() said. */
MUST_USE int csv_samples_next(struct csv_table *table, struct csv_sample *ret_sample);

/* Refuses the current row because its unit is not that of the metric's rows before it. Returns -EBADMSG. */
int csv_samples_refuse_unit(struct csv_table *table);
