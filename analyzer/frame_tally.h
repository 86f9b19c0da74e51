/*
 * One batch to the tallies: rows are grouped by name (operation_rows.h), so that whole runs are added to a name's
 * accumulators, and no row is looked up by itself. add_operation_run() is where a run goes to all that counts it.
 */
#pragma once

#include "attribute_text.h"
#include "counter_table.h"
#include "frame_budget.h"
#include "frame_kin.h"
#include "operation_rows.h"
#include "row_groups.h"
#include "shared_load.h"
#include "shared_queues.h"
#include "shared_windows.h"
#include "tally.h"

/* What all workers share. */
struct frame_context {
    const struct report_plan *plan;
    struct shared_windows *windows;
    struct shared_queues *queues;
    struct shared_load *load; /* NULL: not asked for */
    bool with_attributes;
    struct redacted_keys redacted;
};

struct thread_counts {
    uint64_t begun;
    uint64_t ended;
    bool has_usage[USAGE_COUNT];
    uint64_t usage[USAGE_COUNT];
};

/* The memory of a worker. {.context = ...} is an empty one. */
struct frame_tally {
    const struct frame_context *context;
    struct operation_rows operations;
    struct window_cuts cuts;
    struct row_groups groups; /* of other rows */
    size_t row_capacity;
    uint64_t *values; /* owned, as the arrays below: columns in the order of groups */
    uint64_t *more_values;
    size_t name_capacity;
    uint32_t *numbers;        /* of the batch's names */
    uint64_t *slow_floors_ns; /* by number: who took less is none of the slowest */
    size_t thread_capacity;
    struct thread_counts *threads; /* of the batch's threads */
    struct frame_budget budget;
    struct frame_kin kin;

    /* The batch at hand. */
    const struct batch *batch;
    const struct plan_frame *frame;
    int64_t offset_ns;
    struct tally *tally;
    struct counter_table *counters;
};

void frame_tally_release(struct frame_tally *frame_tally);

/*
 * Adds a batch.
 *
 * tally     what it is added to
 * counters  cleared, then filled with the series of the batch, to be joined in order
 * Returns:  0 or -ENOMEM; then tally is to be dropped.
 * Threads:  one frame_tally and tally, one thread at a time.
 */
MUST_USE int frame_tally_add(struct frame_tally *frame_tally, const struct plan_frame *frame,
                             const struct batch *batch, struct tally *tally,
                             struct counter_table *counters);
