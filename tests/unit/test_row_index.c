#include "row_index.h"

#include <criterion/criterion.h>

Test(row_index, finds_the_place_of_every_row)
{
    static uint32_t rows[BATCH_MAX_OPERATIONS];
    static struct row_index index;

    for (uint32_t step = 1; step <= BATCH_MAX_OPERATIONS; step = step * 3 + 1) {
        struct sparse_rows column = {.row = rows};

        for (uint32_t row = step / 2; row < BATCH_MAX_OPERATIONS; row += step) {
            rows[column.count++] = row;
        }
        row_index_make(&index, &column);

        uint32_t next = 0;

        for (uint32_t row = 0; row < BATCH_MAX_OPERATIONS; row++) {
            bool is_there = next < column.count && rows[next] == row;

            cr_assert_eq(row_index_find(&index, row), is_there ? next : UINT32_MAX);
            next += is_there;
        }
    }
}

Test(row_index, of_an_empty_column_finds_nothing)
{
    static struct row_index index;
    struct sparse_rows column = {0};

    row_index_make(&index, &column);
    cr_assert_eq(row_index_find(&index, 0), UINT32_MAX);
    cr_assert_eq(row_index_find(&index, BATCH_MAX_OPERATIONS - 1), UINT32_MAX);
}
