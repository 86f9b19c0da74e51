/*
 * What is counted of the operations of one name, in a worker, a session or the whole report: results, durations, time per
 * state, the slowest ones, those that did not end.
 *
 * Merging in any order leaves the same tally.
 */
#pragma once

#include "attribute_tally.h"
#include "budget_tally.h"
#include "censored_tally.h"
#include "distribution.h"
#include "family_tally.h"
#include "slowest.h"

struct operation_tally {
    uint64_t by_status[STATUS_COUNT];
    struct distribution duration_ns;
    struct distribution *state_ns[STATE_COUNT]; /* owned; NULL if nobody was in it */
    struct budget_tally budget; /* of operations in batches where the name has states */
    struct slowest slowest;
    struct censored_tally *censored; /* owned; NULL if there are none */
    struct family_tally *family;     /* owned; of parents; NULL if there are none */
    struct attribute_tally attributes;
};

/* Threads: one tally, one thread at a time, as all functions here. */
MUST_USE int operation_tally_new(struct operation_tally **ret_tally, size_t slowest_limit);
void operation_tally_free(struct operation_tally *tally);

/* Adds times in a state. Returns 0 or -ENOMEM, as all that follow. */
MUST_USE int operation_tally_add_state(struct operation_tally *tally, enum operation_state state,
                                       const uint64_t *times_ns, size_t count);

/* Those of which it is only known that they take so long at least, made if there are none yet. */
MUST_USE int operation_tally_censored(struct operation_tally *tally,
                                      struct censored_tally **ret_censored);

/* What operations of the name did in their children, made if there is nothing yet. */
MUST_USE int operation_tally_family(struct operation_tally *tally,
                                    struct family_tally **ret_family);

/* Adds all that source holds. */
MUST_USE int operation_tally_merge(struct operation_tally *tally,
                                   const struct operation_tally *source);

size_t operation_tally_memory_bytes(const struct operation_tally *tally);
