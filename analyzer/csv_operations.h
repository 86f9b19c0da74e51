/*
 * CSV to operations: one row, one operation.
 *
 *     name         at most 255 bytes of UTF-8
 *     start_ns     decimal, below 2^62; taken as nanoseconds since 1970-01-01 UTC
 *     duration_ns  decimal, below 2^62
 *     status       ok, error, cancelled, timeout or unfinished, or 0 .. 4 in this order; optional, ok if absent
 *     thread       any text, at most 255 bytes; optional
 *
 * An operation that is unfinished was still running duration_ns after its start.
 */
#pragma once

#include "csv_table.h"

#include "batch.h"

/* Times from a CSV are below this, so that sums of two fit everywhere. */
#define CSV_TIME_LIMIT_NS (1ULL << 62)

struct csv_operation {
    const char *name; /* borrowed from the table until its next row, as thread */
    const char *thread;
    uint64_t begin_ns;
    uint64_t duration_ns;
    enum operation_status status;
    bool is_unfinished; /* status means nothing then */
};

/* As csv_table_init(), with the columns above. Threads: one table, one thread at a time, as all functions here. */
MUST_USE int csv_operations_init(struct csv_table *table, int fd);

/* The next operation. Returns 1, 0 at the end, -EBADMSG (table->problem says why), or what read() said. */
MUST_USE int csv_operations_next(struct csv_table *table, struct csv_operation *ret_operation);
