#include "row_groups.h"

#include <criterion/criterion.h>

static void check(const struct row_groups *groups, const uint16_t *keys, const uint32_t *rows,
                  size_t count, size_t key_count)
{
    cr_assert_eq(groups->starts[0], 0);
    cr_assert_eq(groups->starts[key_count], count);
    for (size_t key = 0; key < key_count; key++) {
        for (uint32_t i = groups->starts[key]; i < groups->starts[key + 1]; i++) {
            uint32_t entry = groups->rows[i];

            cr_assert_eq(rows == NULL ? keys[entry] : keys[rows[entry]], key);
            cr_assert(i == groups->starts[key] || groups->rows[i - 1] < entry);
        }
    }
}

Test(row_groups, every_row_stands_with_its_name_and_in_order)
{
    static const uint16_t keys[] = {3, 0, 3, 3, 1, 0, 4, 3};
    static const uint32_t rows[] = {0, 2, 4, 6, 7};
    static const size_t sizes[] = {8, 0, 1, 7, 8};
    struct row_groups groups = {0};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        cr_assert_eq(row_groups_make(&groups, keys, sizes[i], 5), 0);
        check(&groups, keys, NULL, sizes[i], 5);
    }
    cr_assert_eq(row_groups_make_sparse(&groups, keys, rows, ARRAY_SIZE(rows), 5), 0);
    check(&groups, keys, rows, ARRAY_SIZE(rows), 5);
    cr_assert_eq(row_groups_make_sparse(&groups, keys, rows, 0, 5), 0);
    check(&groups, keys, rows, 0, 5);
    row_groups_release(&groups);
}

Test(row_groups, a_batch_without_names_is_empty)
{
    struct row_groups groups = {0};

    cr_assert_eq(row_groups_make(&groups, NULL, 0, 0), 0);
    cr_assert_eq(groups.starts[0], 0);
    row_groups_release(&groups);
}
