/*
 * Finished operations to CSV (RFC 4180, lines end with LF), one a row. The first five columns are those that `import`
 * reads; start_ns is nanoseconds since 1970-01-01 UTC.
 *
 * Text that a spreadsheet would take for a formula (it begins with = + - @ tab or CR) gets an apostrophe before it, and
 * control characters become '?'. JSON lines (dump_json.h) change nothing.
 */
#pragma once

#include "packet.h"

#include <stdio.h>

/* The row of column names. Threads: one stream, one thread at a time, as all functions here. */
void dump_csv_header(FILE *stream);

/* source tells whose batch it is. Errors stay in the stream (ferror). */
void dump_csv_batch(FILE *stream, const struct source *source, const struct batch *batch);

/* One text field, quoted as needed, without a comma. */
void dump_csv_text(FILE *stream, const char *text);
