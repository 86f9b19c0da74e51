#include "load_bins.h"

#include <criterion/criterion.h>
#include <math.h>

static struct load_grid grid = {.cell_ns = 1000, .shift = 3, .count = 200};

/* Cells in which begun[i % 10] operations begin at level i % levels. */
static void make(struct load_bins *ret_bins, uint64_t level_count, uint32_t begun)
{
    struct load_cells cells;
    uint64_t levels[200];

    cr_assert_eq(load_cells_init(&cells, &grid), 0);
    for (uint32_t i = 0; i < grid.count; i++) {
        levels[i] = i % level_count;
        cells.cells[i].begun = begun;
        cells.count += begun;
    }
    cr_assert_eq(load_bins_make(ret_bins, &cells, &grid, levels), 0);
    load_cells_release(&cells);
}

Test(load_bins, hold_about_as_many_operations_each)
{
    struct load_bins bins;

    make(&bins, 100, 3);
    cr_assert_eq(bins.count, LOAD_BIN_COUNT);
    for (size_t i = 0; i < bins.count; i++) {
        cr_assert_eq(bins.bins[i].operations, 60);
        cr_assert_eq(bins.bins[i].low, 10 * i);
        cr_assert_eq(bins.bins[i].high, 10 * i + 9);
        cr_assert_float_eq(bins.bins[i].mean, 10 * (double)i + 4.5, 1e-9);
    }
    for (uint32_t i = 0; i < grid.count; i++) {
        cr_assert_eq(bins.of_cells[i], i % 100 / 10);
    }
    load_bins_release(&bins);
}

Test(load_bins, equal_levels_share_one_and_none_is_empty)
{
    struct load_bins bins;

    make(&bins, 3, 1);
    cr_assert_eq(bins.count, 3);
    cr_assert_eq(bins.bins[2].low, 2);
    cr_assert_eq(bins.of_cells[0], LOAD_CELL_IS_IDLE, "one that begins where nothing is");
    cr_assert_eq(bins.of_cells[1], 1);
    load_bins_release(&bins);
    make(&bins, 1, 2);
    cr_assert_eq(bins.count, 1);
    cr_assert_eq(bins.of_cells[0], 0, "two that begin in one cell may meet");
    load_bins_release(&bins);
    make(&bins, 5, 0);
    cr_assert_eq(bins.count, 0);
    load_bins_release(&bins);
}

/* One level takes most: what is left is still cut into bins. */
Test(load_bins, a_heavy_level_leaves_the_rest_its_bins)
{
    struct load_cells cells;
    struct load_bins bins;
    uint64_t levels[200];

    cr_assert_eq(load_cells_init(&cells, &grid), 0);
    for (uint32_t i = 0; i < grid.count; i++) {
        levels[i] = i;
        cells.cells[i].begun = i == 0 ? 5000 : 10;
        cells.count += cells.cells[i].begun;
    }
    cr_assert_eq(load_bins_make(&bins, &cells, &grid, levels), 0);
    cr_assert_eq(bins.count, LOAD_BIN_COUNT);
    for (size_t i = 1; i < bins.count; i++) {
        cr_assert(bins.bins[i].operations >= 150 && bins.bins[i].operations <= 300);
    }
    load_bins_release(&bins);
    load_cells_release(&cells);
}

Test(load_bins, slope_is_that_of_one_server_or_of_none)
{
    double shared_ns[LOAD_BIN_COUNT];
    double constant_ns[LOAD_BIN_COUNT];
    struct load_bins bins;

    make(&bins, 100, 1);
    for (size_t i = 0; i < LOAD_BIN_COUNT; i++) {
        shared_ns[i] = 1000 * (1 + bins.bins[i].mean);
        constant_ns[i] = 1000;
    }
    cr_assert_float_eq(load_bins_slope(&bins, shared_ns), 1, 1e-9);
    cr_assert_float_eq(load_bins_slope(&bins, constant_ns), 0, 1e-9);
    shared_ns[4] = NAN;
    cr_assert_float_eq(load_bins_slope(&bins, shared_ns), 1, 1e-9);
    bins.count = 2;
    cr_assert(isnan(load_bins_slope(&bins, shared_ns)));
    load_bins_release(&bins);
}
