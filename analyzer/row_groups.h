/*
 * Rows of a batch, put together by what they name: a counting sort over dictionary indexes, so that the rows of a name can
 * be added to its accumulators as one plain array.
 */
#pragma once

#include "base.h"

/* {0} is empty; its memory is used again from batch to batch. */
struct row_groups {
    size_t key_count;
    uint32_t *starts; /* owned; rows[starts[key] .. starts[key + 1] - 1] name key */
    size_t start_capacity;
    uint32_t *rows; /* owned; ascending within a key */
    size_t row_capacity;
};

void row_groups_release(struct row_groups *groups);

/*
 * Groups rows 0 .. count - 1.
 *
 * keys      of each row, below key_count
 * Returns:  0 or -ENOMEM.
 * Threads:  one object, one thread at a time, as all functions here.
 * Cost:     two passes over keys.
 */
MUST_USE int row_groups_make(struct row_groups *groups, const uint16_t *keys, size_t count,
                             size_t key_count);

/* The same for some rows only: keys[rows[i]] is the key of entry i; groups->rows are indexes i. */
MUST_USE int row_groups_make_sparse(struct row_groups *groups, const uint16_t *keys,
                                    const uint32_t *rows, size_t count, size_t key_count);
