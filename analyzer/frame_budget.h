/*
 * Where the time of the operations of a batch went, for frame_tally.c only. Names of which no operation of the batch said a
 * state cost nothing.
 */
#pragma once

#include "budget_tally.h"
#include "row_index.h"

struct frame_tally;

/* The memory of a worker, made when the first states are met. */
struct frame_budget {
    struct budget_scratch *scratch; /* owned, as the next one */
    struct row_index *states;       /* STATE_COUNT of them */
    struct running_split split;
};

void frame_budget_release(struct frame_budget *budget);

/*
 * Adds the batch at hand.
 *
 * Returns:  0 or -ENOMEM.
 * Threads:  as frame_tally_add().
 * Cost:     nothing without states; 15 to 30 ns for each operation of a name that has them.
 */
MUST_USE int frame_budget_add(struct frame_tally *frame_tally);
