/*
 * A sparse column made ready for questions by row: which place of the column a row has. A bit for each row of a batch, and
 * before each word of bits the number of bits that are set in front of it.
 */
#pragma once

#include "batch.h"

enum {
    ROW_INDEX_WORD_BITS = 64,
    ROW_INDEX_WORDS = BATCH_MAX_OPERATIONS / ROW_INDEX_WORD_BITS,
};

struct row_index {
    uint64_t words[ROW_INDEX_WORDS];
    uint32_t before[ROW_INDEX_WORDS];
};

/* Indexes the rows of a column. Threads: one index, one thread at a time, as below. Cost: 12 KiB written, 1 ns per row. */
void row_index_make(struct row_index *ret_index, const struct sparse_rows *rows);

/* The place of a row, below BATCH_MAX_OPERATIONS, in the column, or UINT32_MAX if it has none. */
static inline uint32_t row_index_find(const struct row_index *index, uint32_t row)
{
    uint64_t word = index->words[row / ROW_INDEX_WORD_BITS];
    uint64_t bit = 1ULL << (row % ROW_INDEX_WORD_BITS);

    return (word & bit) == 0 ? UINT32_MAX
                             : index->before[row / ROW_INDEX_WORD_BITS] +
                                   (uint32_t)__builtin_popcountll(word & (bit - 1));
}
