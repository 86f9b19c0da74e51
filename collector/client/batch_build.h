/*
 * Staging to batch: entries become rows, ticks become ns, ids become indexes, and operations, samples and marks stand in
 * the order of time. What the batch says besides its rows (open operations, losses, totals, clocks) is left to others.
 */
#pragma once

#include "batch.h"
#include "batch_names.h"
#include "batch_texts.h"
#include "batch_threads.h"
#include "row_order.h"
#include "staging.h"
#include "ticks.h"

/* A sample that the flusher itself took. */
struct own_sample {
    uint64_t time_ns;
    uint64_t value;  /* int64_t or double, as its name says: its bits */
    uint32_t name;   /* id */
    uint32_t thread; /* serial; 0: the whole process */
};

/* An operation on its way from staging to the columns. */
struct operation_row {
    uint64_t duration_ns;
    uint16_t name;
    uint16_t begin_thread;
    uint16_t end_thread;
    uint8_t status;
    bool has_details;
};

/* Owns the batch and what it needs to make it; reused from batch to batch. One thread at a time. */
struct batch_builder {
    struct batch batch;
    uint64_t refused_operations; /* of the last build: with times that the format does not hold */

    struct batch_names names;
    struct batch_threads threads;
    struct batch_texts texts;
    struct row_order order;
    struct operation_row *rows; /* owned; as staged */
    uint32_t *entry_of_row;     /* owned; where each stands in staging */
    uint32_t row_capacity;
    uint32_t
        *instants; /* owned; where samples stand in staging, and behind them marks, and long runs */
    uint32_t instant_capacity;
};

/* Returns 0 or -ENOMEM. */
MUST_USE int batch_builder_init(struct batch_builder *builder, const struct recorder *recorder);
void batch_builder_release(struct batch_builder *builder);

/*
 * Makes builder->batch of what stager holds and of count samples of the flusher's own (at most BATCH_MAX_SAMPLES -
 * STAGING_MAX_SAMPLES). Names and threads may still be added; then batch_threads_finish() is due.
 *
 * Returns:  0, or a negative errno: the batch is of no use then.
 * Cost:     about 12 ns per plain operation.
 */
MUST_USE int batch_builder_build(struct batch_builder *builder, const struct stager *stager,
                                 const struct tick_clock *clock, const struct own_sample *samples,
                                 uint32_t count);
