/*
 * The windows of a report: a time range to at most TIME_GRID_MAX_WINDOWS windows of one width.
 *
 * The width is 2^k ms, k the smallest that is enough; windows begin at multiples of the width since the Unix epoch, so that
 * grids of different reports merge.
 */
#pragma once

#include "base.h"

enum { TIME_GRID_MAX_WINDOWS = 1000 };

/* {0} is a grid without windows. */
struct time_grid {
    uint64_t first_ns; /* begin of window 0, realtime */
    uint64_t width_ns;
    size_t count;
};

/* The grid of first_ns .. last_ns, both included. Threads: any, as all functions here. */
struct time_grid time_grid_make(uint64_t first_ns, uint64_t last_ns);

/* The window of a time; times outside count to the nearest window. The grid has at least one. */
size_t time_grid_window(const struct time_grid *grid, uint64_t time_ns);

/* The first time behind a window; UINT64_MAX for the last one. */
uint64_t time_grid_window_end(const struct time_grid *grid, size_t window);
