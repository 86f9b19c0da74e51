#include "time_grid.h"

struct time_grid time_grid_make(uint64_t first_ns, uint64_t last_ns)
{
    uint64_t width_ns = NS_PER_MS;

    /* Ends before the width overflows: 2^44 ms are more than 2^64 ns. */
    while (last_ns / width_ns - first_ns / width_ns >= TIME_GRID_MAX_WINDOWS) {
        width_ns *= 2;
    }
    return (struct time_grid){
        .first_ns = first_ns / width_ns * width_ns,
        .width_ns = width_ns,
        .count = (size_t)(last_ns / width_ns - first_ns / width_ns) + 1,
    };
}

size_t time_grid_window(const struct time_grid *grid, uint64_t time_ns)
{
    uint64_t window = time_ns < grid->first_ns ? 0 : (time_ns - grid->first_ns) / grid->width_ns;

    return (size_t)min_u64(window, grid->count - 1);
}

uint64_t time_grid_window_end(const struct time_grid *grid, size_t window)
{
    return window + 1 >= grid->count ? UINT64_MAX : grid->first_ns + (window + 1) * grid->width_ns;
}
