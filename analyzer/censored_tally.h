/*
 * Operations of one name of which all that is known is that they take at least so long: those that had not ended when they
 * were last seen, and those that were given up when their time was out.
 *
 * Merging in any order leaves the same tally.
 */
#pragma once

#include "batch.h"
#include "distribution.h"

enum { OLDEST_LISTED = 10 };

struct open_operation {
    uint64_t age_ns;
    uint64_t begin_realtime_ns;
    uint64_t id;
    uint32_t process; /* index, in the final order of processes */
    enum operation_state state;
};

/* {0} is an empty one. */
struct censored_tally {
    struct distribution timeout_ns; /* durations of those that ended with STATUS_TIMEOUT */
    struct distribution age_ns;     /* of those that had not ended */
    uint64_t by_state[STATE_COUNT]; /* of those that had not ended */
    size_t oldest_count;
    struct open_operation oldest[OLDEST_LISTED]; /* by age, falling; then by process, begin, id */
};

void censored_tally_release(struct censored_tally *tally);

/* Adds an operation that had not ended. Returns 0 or -ENOMEM, as below. Threads: one tally, one thread at a time. */
MUST_USE int censored_tally_add_open(struct censored_tally *tally,
                                     const struct open_operation *operation);

/* Adds durations of those that were given up. */
MUST_USE int censored_tally_add_timeouts(struct censored_tally *tally, const uint64_t *durations_ns,
                                         size_t count);

/* Adds all that source, another one, holds. */
MUST_USE int censored_tally_merge(struct censored_tally *tally,
                                  const struct censored_tally *source);

/* Bytes of memory that it holds, besides the struct. */
size_t censored_tally_memory_bytes(const struct censored_tally *tally);
