/*
 * Parents and children of a batch, for frame_tally.c only: those that stand in the same batch are brought together at once,
 * the others are handed on.
 */
#pragma once

#include "kin_rows.h"

struct frame_tally;

/* The memory of a worker. */
struct frame_kin {
    struct kin_rows rows; /* of the last batch: what is handed on */
    size_t slot_count;    /* a power of two */
    uint32_t *slots;      /* owned; hash table of index into rows.parents + 1 */
};

void frame_kin_release(struct frame_kin *kin);

/*
 * Adds the batch at hand; kin->rows are cleared before.
 *
 * Returns:  0 or -ENOMEM.
 * Threads:  as frame_tally_add().
 * Cost:     nothing without ids and parents; 30 ns for each operation that has either.
 */
MUST_USE int frame_kin_add(struct frame_tally *frame_tally);
