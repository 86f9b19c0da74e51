/*
 * The fine grid of load analyses: a time range to at most a given number of cells of one width.
 *
 * The width is 2^k us, k the smallest that is enough; cells begin at multiples of the width since the Unix epoch. Unlike the
 * windows of time_grid.h they are counted, not listed: how many operations began and ended in each gives the number in
 * flight at every border of cells, exactly.
 */
#pragma once

#include "base.h"

/* {0} is a grid without cells. */
struct load_grid {
    uint64_t first_ns; /* begin of cell 0, realtime */
    uint64_t cell_ns;
    unsigned int shift; /* cell_ns = 125 << shift */
    uint32_t count;
};

/* The grid of first_ns .. last_ns, both included. cell_limit is 1 or more. Threads: any, as all functions here. */
struct load_grid load_grid_make(uint64_t first_ns, uint64_t last_ns, uint32_t cell_limit);

/*
 * The cell of a time that lies since_ns behind grid->first_ns; times outside count to the nearest cell.
 *
 * Cost: a shift and a multiplication; a division by a width known only at run time would take ten times as long.
 */
static inline uint32_t load_grid_cell_since(const struct load_grid *grid, uint64_t since_ns)
{
    uint64_t cell = (since_ns >> grid->shift) / 125;

    return cell < grid->count ? (uint32_t)cell : grid->count - 1;
}

static inline uint32_t load_grid_cell(const struct load_grid *grid, uint64_t time_ns)
{
    return load_grid_cell_since(grid, time_ns - min_u64(time_ns, grid->first_ns));
}
