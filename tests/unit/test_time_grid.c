#include "time_grid.h"

#include <criterion/criterion.h>

#define EPOCH_NS (1764000000ULL * NS_PER_S)

Test(time_grid, is_the_finest_that_is_enough)
{
    static const struct {
        uint64_t first_ns;
        uint64_t last_ns;
        uint64_t width_ms;
        size_t count;
    } cases[] = {
        {0, 0, 1, 1},
        {EPOCH_NS, EPOCH_NS, 1, 1},
        {0, 999 * NS_PER_MS, 1, 1000},
        {0, 1000 * NS_PER_MS - 1, 1, 1000},
        {0, 1000 * NS_PER_MS, 2, 501},
        {5 * NS_PER_MS, 1004 * NS_PER_MS, 1, 1000},
        {5 * NS_PER_MS, 1005 * NS_PER_MS, 2, 501},
        {0, 1999 * NS_PER_MS, 2, 1000},
        {0, 2000 * NS_PER_MS, 4, 501},
        {1, UINT64_MAX, 1ULL << 35, 537},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct time_grid grid = time_grid_make(cases[i].first_ns, cases[i].last_ns);

        cr_assert_eq(grid.width_ns, cases[i].width_ms * NS_PER_MS, "case %zu: %llu ns", i,
                     (unsigned long long)grid.width_ns);
        cr_assert_eq(grid.count, cases[i].count, "case %zu: %zu", i, grid.count);
        cr_assert_eq(grid.first_ns % grid.width_ns, 0);
        cr_assert(grid.first_ns <= cases[i].first_ns);
        cr_assert_eq(time_grid_window(&grid, cases[i].first_ns), 0);
        cr_assert_eq(time_grid_window(&grid, cases[i].last_ns), grid.count - 1);
    }
}

Test(time_grid, windows_border_on_each_other)
{
    struct time_grid grid = time_grid_make(EPOCH_NS + 123, EPOCH_NS + 7 * NS_PER_S);

    for (size_t window = 0; window + 1 < grid.count; window++) {
        uint64_t end_ns = time_grid_window_end(&grid, window);

        cr_assert_eq(time_grid_window(&grid, end_ns - 1), window);
        cr_assert_eq(time_grid_window(&grid, end_ns), window + 1);
    }
    cr_assert_eq(time_grid_window_end(&grid, grid.count - 1), UINT64_MAX);
}

Test(time_grid, times_outside_count_to_the_nearest_window)
{
    struct time_grid grid = time_grid_make(EPOCH_NS, EPOCH_NS + NS_PER_S);

    cr_assert_eq(time_grid_window(&grid, 0), 0);
    cr_assert_eq(time_grid_window(&grid, UINT64_MAX), grid.count - 1);
}
