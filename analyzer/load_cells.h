/*
 * Begins and ends of operations to the load that they made: a difference array on the cells of load_grid.h.
 *
 * The number in flight at the border before a cell is what began in all cells before it less what ended there; summed up from
 * the left it is exact, whatever the order in which operations were added, and two arrays merge by adding their cells.
 * Counts of a cell have 32 bits; whether one overflowed shows in the end, because the sums are also kept apart.
 */
#pragma once

#include "load_grid.h"
#include "wide_integers.h"

#include <stdbool.h>

struct load_cell {
    uint32_t begun;
    uint32_t ended;
};

/* {0} has no memory yet and counts nothing. */
struct load_cells {
    struct load_cell *cells; /* owned; grid->count of them */
    uint64_t count;
    uint64_t first_ns; /* least begin since grid->first_ns; valid if count > 0 */
    uint64_t last_ns;  /* greatest end */
    uint128 busy_ns;   /* sum of the durations */
};

/* Returns 0 or -ENOMEM. Threads: one object, one thread at a time, as all functions here. */
MUST_USE int load_cells_init(struct load_cells *ret_cells, const struct load_grid *grid);
void load_cells_release(struct load_cells *cells);

/*
 * Counts operations.
 *
 * begins_ns  to each shift_ns is added, modulo 2^64: then it is the time since grid->first_ns
 * Cost:      about a nanosecond for each.
 */
void load_cells_add(struct load_cells *cells, const struct load_grid *grid,
                    const uint64_t *begins_ns, const uint64_t *durations_ns, size_t count,
                    uint64_t shift_ns);

/* Adds all that source holds. */
void load_cells_merge(struct load_cells *cells, const struct load_grid *grid,
                      const struct load_cells *source);

/* Whether the cells say as many as were added: else one of them overflowed. */
bool load_cells_are_exact(const struct load_cells *cells, const struct load_grid *grid);

/*
 * The number in flight at the begin of each cell.
 *
 * ret_levels grid->count of them; operations that end where a cell begins count as in flight there
 */
void load_cells_levels(const struct load_cells *cells, const struct load_grid *grid,
                       uint64_t *ret_levels);
