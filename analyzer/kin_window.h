/*
 * Parents and children of a session that stand in different batches. Batches come in their order; a child waits for its
 * parent, and a parent for more children, among the newest of each: how many is decided by the memory of the report. What is
 * pushed out is counted.
 */
#pragma once

#include "kin_ring.h"
#include "tally.h"

/* {.size = n} is an empty one; memory is taken when there is something to keep. */
struct kin_window {
    size_t size; /* parents, and children, that are kept; a power of two; 0: none */
    struct kin_ring parents;
    struct kin_ring children;
};

void kin_window_release(struct kin_window *window);

/*
 * Joins the rows of the next batch to those before.
 *
 * tally     of the session: what is found is added to the families of the parents' names
 * Returns:  0 or -ENOMEM.
 * Threads:  one window, one thread at a time, as below.
 */
MUST_USE int kin_window_join(struct kin_window *window, const struct kin_rows *rows,
                             struct tally *tally);

/* After the last batch: all parents have all the children that they will have. */
MUST_USE int kin_window_finish(struct kin_window *window, struct tally *tally);
