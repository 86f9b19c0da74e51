/*
 * Who held up whom: for each pair of a name that held a thread in long runs and a name of operations that waited meanwhile,
 * the time that the latter waited during the former.
 *
 * An operation was held up by a long run if it waited in its queue while the run held the thread that ended the operation
 * later: nobody else took it in that time. The delay is the time that wait and run have in common. What counts are
 * operations that were begun in their queue (of others it is not known when they entered it) and waited for 0.1 ms.
 *
 * All sums are exact, so that merging in any order leaves the same tally.
 */
#pragma once

#include "blame_rows.h"
#include "wide_integers.h"

enum { BLAME_EXEMPLARS = 3 };

/* A long run and the delay that it brought the operations of one name. */
struct blame_exemplar {
    struct blame_row run;
    uint64_t delay_ns; /* summed over them; saturates */
    uint64_t delayed;  /* operations */
};

/* Delay of operations of about the same duration. */
struct blame_cell {
    uint128 delay_ns;
    uint32_t bucket; /* coarse_buckets.h, of the duration */
};

struct blame_pair {
    uint32_t holder; /* numbers of names */
    uint32_t delayed;
    uint128 delay_ns;
    uint64_t delays;
    size_t cell_count;
    size_t cell_capacity;
    struct blame_cell *cells; /* owned; by bucket, ascending */
    size_t exemplar_count;
    struct blame_exemplar exemplars[BLAME_EXEMPLARS]; /* by delay, falling */
};

/* {0} is an empty one. */
struct blame_tally {
    uint64_t runs; /* long runs */
    uint64_t runs_left_out;
    uint128 run_ns;
    uint64_t waits; /* that are long enough to be looked at */
    uint64_t waits_left_out;
    uint64_t unplaced; /* waits that began nobody knows when */
    size_t pair_count;
    size_t pair_capacity;
    struct blame_pair *pairs; /* owned; by holder and delayed, ascending */
};

void blame_tally_release(struct blame_tally *tally);

/*
 * Adds what the rows of a session say of it.
 *
 * runs, waits  finished
 * Returns:     0 or -ENOMEM.
 * Threads:     one tally, one thread at a time, as all functions here.
 */
MUST_USE int blame_tally_join(struct blame_tally *tally, const struct blame_list *runs,
                              const struct blame_list *waits);

/* Adds all that source, another one, holds. */
MUST_USE int blame_tally_merge(struct blame_tally *tally, const struct blame_tally *source);

/* Bytes of memory that it holds, besides the struct. */
size_t blame_tally_memory_bytes(const struct blame_tally *tally);
