/*
 * Operations that were begun and did not end: found by a look at all slots, told in a batch once they run for over a second.
 */
#pragma once

#include "batch_names.h"
#include "recorder.h"
#include "row_order.h"
#include "ticks.h"

/* What a slot said of its operation at one moment. */
struct open_operation {
    uint64_t id;
    uint64_t begin_ns;
    uint32_t name;
    uint8_t state;
};

/* Owns its memory; {0} is one that is due. One thread at a time. */
struct open_operations {
    uint64_t due_ns;    /* of the next look: one that takes long is taken seldom */
    uint64_t looked_ns; /* when the last look began */
    uint32_t count;     /* found at the last look */
    uint32_t capacity;
    struct open_operation *found; /* owned */
    struct row_order order;
};

void open_operations_release(struct open_operations *open);

/*
 * Looks at all slots, if a look is due; finds operations that run for over a second.
 *
 * is_last   a look is due now, and finds all: what is open stays unfinished
 * Returns:  1 if it looked, 0 if not, -ENOMEM.
 * Threads:  the flusher's only, as all functions here.
 * Cost:     about 4 ns per slot that was ever used; at most 0.2 % of the time.
 */
MUST_USE int open_operations_look(struct open_operations *open, const struct recorder *recorder,
                                  const struct tick_clock *clock, bool is_last);

/*
 * Puts what the last look found into batch, sorted by begin, as of that look: an operation may have ended since.
 *
 * Returns:  0 or -ENOMEM.
 */
MUST_USE int open_operations_tell(struct open_operations *open, struct batch *batch,
                                  struct batch_names *names);
