/*
 * Entries and exits of a queue to its depth over time: a sweep in integers, on the cells of load_grid.h.
 *
 * Each cell keeps how many entered and left in it and, summed up, how much of the cell was left then. So the area under the
 * depth (operations x ns) over any cells is exact, and over all of them it is the sum of all residences: Little's law,
 * L T = lambda T W, as an identity of integers. Cells merge by adding.
 */
#pragma once

#include "load_grid.h"
#include "wide_integers.h"

#include <stdbool.h>

struct queue_cell {
    uint32_t entered;
    uint32_t left;
    uint32_t passed;          /* entered and left in it */
    uint64_t entered_rest_ns; /* from each entry to the end of the cell */
    uint64_t left_rest_ns;
};

/* Samples of the depth, in a cell. */
struct queue_gauge_cell {
    uint64_t sum;
    uint32_t count;
};

/* {0} has no memory yet. */
struct queue_sweep {
    struct queue_cell *cells;       /* owned; grid->count of them */
    struct queue_gauge_cell *gauge; /* owned; likewise; NULL: no sample */
    uint64_t entries;
    uint64_t first_ns; /* least entry since grid->first_ns; valid if entries > 0 */
    uint64_t last_ns;  /* greatest exit */
    uint128 residence_ns;
    uint128 depth_sum; /* of the depths that were recorded on entry */
};

/* Returns 0 or -ENOMEM. Threads: one object, one thread at a time, as all functions here. */
MUST_USE int queue_sweep_init(struct queue_sweep *ret_sweep, const struct load_grid *grid);
void queue_sweep_release(struct queue_sweep *sweep);

/* Adds an operation that entered so long after grid->first_ns, waited, and was then the depth-th. */
void queue_sweep_add(struct queue_sweep *sweep, const struct load_grid *grid, uint64_t entry_ns,
                     uint64_t residence_ns, uint64_t depth);

/* Adds a sample of the depth that the program counted. Returns 0 or -ENOMEM. */
MUST_USE int queue_sweep_add_gauge(struct queue_sweep *sweep, const struct load_grid *grid,
                                   uint64_t time_ns, uint64_t depth);

/* Adds all that source holds. Returns 0 or -ENOMEM. */
MUST_USE int queue_sweep_merge(struct queue_sweep *sweep, const struct load_grid *grid,
                               const struct queue_sweep *source);

/* The depth where each cell begins. Returns false if the counts of a cell overflowed: then they mean nothing. */
bool queue_sweep_levels(const struct queue_sweep *sweep, const struct load_grid *grid,
                        uint64_t *ret_levels);

/* Operations x ns in cells [first, end). */
uint128 queue_sweep_area(const struct queue_sweep *sweep, const struct load_grid *grid,
                         const uint64_t *levels, uint32_t first, uint32_t end);

/*
 * Depths that the program counted at some moments, beside what the sweep says of the same moments. In which order operations
 * entered and left within a cell is not known: the truth lies between low and high, mid is in the middle.
 */
struct queue_comparison {
    uint64_t count; /* of moments */
    double counted;
    double low;
    double mid;
    double high;
};

/* Adds the moments at which operations entered, and those at which the gauge was sampled. */
void queue_sweep_compare_entries(const struct queue_sweep *sweep, const struct load_grid *grid,
                                 const uint64_t *levels, struct queue_comparison *comparison);
void queue_sweep_compare_gauge(const struct queue_sweep *sweep, const struct load_grid *grid,
                               const uint64_t *levels, struct queue_comparison *comparison);
