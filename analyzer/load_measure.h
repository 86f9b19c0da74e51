/*
 * Cells of load to what a report says of it: arrival rate, concurrency, dispersion. Pure.
 */
#pragma once

#include "load_cells.h"
#include "report_load.h"

/*
 * Measures the load of one name, or of all.
 *
 * levels      load_cells_levels() of cells
 * ret_load    with a reason if there is nothing to measure
 * Returns:    0 or -ENOMEM.
 * Threads:    any, as all functions here.
 */
MUST_USE int load_measure(const struct load_cells *cells, const struct load_grid *grid,
                          const uint64_t *levels, struct report_load *ret_load);

/* The ends of operations per second, over the same windows as arrivals_per_s. Returns 0 or -ENOMEM. */
MUST_USE int load_measure_ends(const struct load_cells *cells, const struct load_grid *grid,
                               struct report_spread *ret_ends_per_s);

/*
 * The index of dispersion of counts, with the interval that (n - 1) I has for a Poisson process: chi-squared with n - 1
 * degrees of freedom.
 *
 * counts   of windows; 2 or more
 * Source:  Cox and Lewis, "The Statistical Analysis of Series of Events", 1966, 6.3; quantiles of chi-squared by Wilson
 *          and Hilferty, "The Distribution of Chi-Square", PNAS 17, 1931.
 */
void load_dispersion(const uint64_t *counts, size_t count,
                     struct report_dispersion *ret_dispersion);
