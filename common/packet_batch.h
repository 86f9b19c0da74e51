/*
 * Batch packets: a batch's lists and its columns to a frame, and back. In between, columns are the bytes that stand in the
 * file; batch_encode.c makes them of rows, batch_decode.c makes rows of them.
 */
#pragma once

#include "packet.h"

/* The columns of a Batch message, each as the bytes that stand in the file. */
struct sparse_columns {
    struct number_column row_gap;
    struct number_column value;
};

struct batch_columns {
    struct number_column begin_gap;
    struct number_column duration;
    struct slice name;
    struct slice status;
    struct slice begin_thread;
    struct slice end_thread;
    struct sparse_columns id;
    struct sparse_columns parent;
    struct sparse_columns state_ns[STATE_COUNT];
    struct number_column queued_row_gap;
    struct slice queued_queue;
    struct number_column queued_depth;
    struct number_column queued_residence;
    struct number_column attribute_row_gap;
    struct slice attribute_key;
    struct slice attribute_type;
    struct number_column attribute_value;
    struct number_column sample_time_gap;
    struct slice sample_metric;
    struct number_column sample_thread;
    struct number_column sample_integer;
    struct slice sample_real;
    struct number_column mark_time_gap;
    struct slice mark_name;
    struct slice mark_thread;
    struct number_column open_begin_gap;
    struct slice open_name;
    struct slice open_state;
    struct number_column open_id;
    uint64_t open_base_ns;
    struct number_column long_run_begin_gap;
    struct number_column long_run_length;
    struct slice long_run_name;
    struct slice long_run_thread;
    struct number_column long_run_id;
    uint64_t long_run_base_ns;
};

/*
 * Packs a Batch into one whole frame: names, threads, losses, texts, counts and head from batch, the rows from columns.
 *
 * ret_size  bytes written
 * Returns:  as packet_write_source().
 * Threads:  one writer, one thread at a time.
 */
MUST_USE int packet_write_batch(struct frame_writer *writer, const struct batch *batch,
                                const struct batch_columns *columns, uint8_t *destination,
                                size_t size, size_t *ret_size);

/*
 * Reads a Batch: head, names, threads, losses, attribute texts and counts go into batch (cleared first; its texts point into
 * the arena), rows into ret_columns, which points into plain. batch->*.count are what the head claims; nothing is reserved
 * for rows yet.
 *
 * Returns:  as packet_read_source().
 * Threads:  one arena, one thread at a time.
 */
MUST_USE int packet_read_batch(struct packet_arena *arena, struct slice plain, struct batch *batch,
                               struct batch_columns *ret_columns);
