/*
 * Bins of load for conditioning: which cells of load_cells.h go together, so that about as many operations began in each bin.
 *
 * What counts is the number in flight where a cell begins; all cells with the same number fall into the same bin. Pure.
 */
#pragma once

#include "load_cells.h"

enum {
    LOAD_BIN_COUNT = 10,
    LOAD_IDLE_BIN = LOAD_BIN_COUNT, /* stands behind the others */
    LOAD_BIN_MASK = 0x0f,
    LOAD_CELL_IS_IDLE = 0x80, /* nothing was in flight, and one operation began: it met no other */
};

struct load_bins {
    size_t count;
    struct {
        uint64_t low; /* in flight, both included */
        uint64_t high;
        uint64_t operations;
        double mean; /* in flight, over these operations */
    } bins[LOAD_BIN_COUNT];
    uint8_t *of_cells; /* owned; a bin, and LOAD_CELL_IS_IDLE */
};

/*
 * Makes bins.
 *
 * levels    load_cells_levels() of cells
 * ret_bins  to be released
 * Returns:  0 or -ENOMEM.
 * Threads:  any.
 */
MUST_USE int load_bins_make(struct load_bins *ret_bins, const struct load_cells *cells,
                            const struct load_grid *grid, const uint64_t *levels);
void load_bins_release(struct load_bins *bins);

/*
 * How durations grow with load: the median of the slopes between all pairs of bins of ln(duration) over ln(1 + in flight)
 * (Theil and Sen). About 0: each is served by itself; about 1: all share one server.
 *
 * medians_ns  of each bin; NaN: left out
 * Returns:    NaN with fewer than three bins.
 */
double load_bins_slope(const struct load_bins *bins, const double *medians_ns);
