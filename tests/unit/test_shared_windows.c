#include "shared_windows.h"

#include "clock_line.h"

#include <criterion/criterion.h>

enum { COUNT = 500 };

/* The window that each row is cut into is that of its begin. */
static void check_cuts(const struct time_grid *grid, const uint64_t *begins_ns, size_t count,
                       int64_t offset_ns)
{
    struct window_cuts cuts = {0};
    size_t cut = 0;

    cr_assert_eq(window_cuts_make(&cuts, grid, begins_ns, count, offset_ns), 0);
    for (size_t row = 0; row < count; row++) {
        while (cuts.end_rows[cut] <= row) {
            cut++;
        }
        cr_assert_eq(cuts.first + cut,
                     time_grid_window(grid, clock_realtime_ns(begins_ns[row], offset_ns)));
    }
    cr_assert_eq(count == 0 ? 0 : cuts.end_rows[cuts.count - 1], count);
    window_cuts_release(&cuts);
}

Test(shared_windows, rows_are_cut_where_windows_begin)
{
    static uint64_t begins_ns[COUNT];
    static const int64_t offsets_ns[] = {0, 5, -5, 1000000, -1000000, INT64_MAX, INT64_MIN};
    const struct time_grid grids[] = {
        {.first_ns = 2 * NS_PER_MS, .width_ns = NS_PER_MS, .count = 9},
        {.first_ns = 0, .width_ns = 1ULL << 60, .count = 16},
        {.first_ns = 0, .width_ns = 7, .count = 1000},
        {.first_ns = 0, .width_ns = NS_PER_MS, .count = 1}};

    for (uint64_t step = 1; step != 0; step <<= 7) {
        for (size_t i = 0; i < COUNT; i++) {
            begins_ns[i] = i > UINT64_MAX / step ? UINT64_MAX : step * i;
        }
        for (size_t grid = 0; grid < ARRAY_SIZE(grids); grid++) {
            for (size_t k = 0; k < ARRAY_SIZE(offsets_ns); k++) {
                check_cuts(&grids[grid], begins_ns, COUNT, offsets_ns[k]);
                check_cuts(&grids[grid], begins_ns + COUNT - 1, 1, offsets_ns[k]);
                check_cuts(&grids[grid], begins_ns, 0, offsets_ns[k]);
            }
        }
    }
}
