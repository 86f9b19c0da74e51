/*
 * Where the time of the operations of one name went, by duration: a cell for each coarse bucket that a duration fell into,
 * with the sums of all parts of the time. What is slow can so be told apart from what is usual after everything is merged.
 *
 * The parts of an operation add up to its duration, exactly: what its states do not say is unaccounted, and states that say
 * more than the duration (by rounding, a few ns) are trimmed. All sums are exact integers, so adding and merging in any
 * order leaves the same tally.
 */
#pragma once

#include "batch.h"
#include "coarse_buckets.h"
#include "report_budget.h"
#include "running_split.h"
#include "wide_integers.h"

struct budget_cell {
    uint128 parts_ns[BUDGET_PART_COUNT];
    uint128 estimates_ns[RUNNING_ESTIMATE_COUNT]; /* of the running time */
    uint128 sampled_ns;                           /* see struct running_estimates */
    uint64_t count;                               /* operations */
    uint16_t bucket;
};

/* {0} is an empty one. */
struct budget_tally {
    size_t count;
    size_t capacity;
    struct budget_cell *cells; /* owned; by bucket, ascending */
    unsigned int sources;      /* of estimates: bits by enum running_estimate */
    uint64_t stated_count;     /* operations that said a state */
    uint64_t trimmed_count;    /* operations whose states said more than their duration */
    uint128 trimmed_ns;        /* by so much */
};

/* Where the operations of one run are added up before they go to a tally. {0} is empty. */
struct budget_scratch {
    uint64_t used[COARSE_BUCKETS / 64]; /* a bit for each cell that is not empty */
    struct budget_cell cells[COARSE_BUCKETS];
    unsigned int sources;
    uint64_t stated_count;
    uint64_t trimmed_count;
    uint128 trimmed_ns;
};

void budget_tally_release(struct budget_tally *tally);

/*
 * Adds an operation.
 *
 * states_ns  its time in each state; changed where it is trimmed
 * is_stated  whether any state is known; else all of the duration is unaccounted
 * Returns:   the cell that it was added to: for estimates.
 * Threads:   one object, one thread at a time, as all functions here.
 */
struct budget_cell *budget_scratch_add(struct budget_scratch *scratch, uint64_t duration_ns,
                                       uint64_t states_ns[static STATE_COUNT], bool is_stated);

/* Adds estimates for an operation to the cell that it went into. */
void budget_cell_estimate(struct budget_cell *cell, const struct running_estimates *estimates);

/* cell += from, but for the bucket. */
void budget_cell_add(struct budget_cell *cell, const struct budget_cell *from);

/* Adds what scratch holds, which is empty then. Returns 0 or -ENOMEM, as below; the tally is to be dropped then. */
MUST_USE int budget_tally_take(struct budget_tally *tally, struct budget_scratch *scratch);

/* Adds all that source, another one, holds; source is not changed. */
MUST_USE int budget_tally_merge(struct budget_tally *tally, const struct budget_tally *source);

/* Bytes of memory that it holds, besides the struct. */
size_t budget_tally_memory_bytes(const struct budget_tally *tally);
