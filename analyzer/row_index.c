#include "row_index.h"

#include <string.h>

void row_index_make(struct row_index *ret_index, const struct sparse_rows *rows)
{
    uint32_t before = 0;

    memset(ret_index->words, 0, sizeof(ret_index->words));
    for (uint32_t i = 0; i < rows->count; i++) {
        ret_index->words[rows->row[i] / ROW_INDEX_WORD_BITS] |=
            1ULL << (rows->row[i] % ROW_INDEX_WORD_BITS);
    }
    for (size_t i = 0; i < ROW_INDEX_WORDS; i++) {
        ret_index->before[i] = before;
        before += (uint32_t)__builtin_popcountll(ret_index->words[i]);
    }
}
