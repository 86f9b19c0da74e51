/*
 * The columns of a Batch message: fields 4 to 7 and 10 of proto/trace.proto, between struct batch_columns and bytes. They are
 * walked by hand, so that no column is copied: what is read points into the plaintext. What the columns mean is left to
 * batch_encode.c and batch_decode.c.
 */
#pragma once

#include "packet_arena.h"
#include "packet_batch.h"
#include "proto_cursor.h"
#include "proto_sink.h"

enum {
    BATCH_OPERATIONS_FIELD = 4,
    BATCH_SAMPLES_FIELD = 5,
    BATCH_MARKS_FIELD = 6,
    BATCH_OPEN_FIELD = 7,
    BATCH_LONG_RUNS_FIELD = 10,
    /* Columns that a batch can have, each of which may end a block. */
    BATCH_MAX_COLUMNS = 64,
};

/* Writes all columns but those of long runs, and the attribute texts of batch. Threads: one sink, one thread at a time. */
void packet_put_columns(struct proto_sink *sink, const struct batch *batch,
                        const struct batch_columns *columns);

/* Writes the columns of long runs: they stand behind the losses. */
void packet_put_long_runs(struct proto_sink *sink, const struct batch *batch,
                          const struct batch_columns *columns);

/*
 * Reads one of the fields named above; others leave everything as it is. Texts go into the arena and batch, and
 * batch->open.as_of_ns is set; all else goes into columns.
 *
 * Returns:  0; -EBADMSG if a field is not what trace.proto says, or stands there twice; -E2BIG
 *           above a limit of batch.h; -ENOMEM.
 * Threads:  one arena, one thread at a time.
 */
MUST_USE int packet_read_columns(const struct proto_field *field, struct packet_arena *arena,
                                 struct batch *batch, struct batch_columns *columns);
