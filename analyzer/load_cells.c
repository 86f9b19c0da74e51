#include "load_cells.h"

#include <errno.h>

int load_cells_init(struct load_cells *ret_cells, const struct load_grid *grid)
{
    *ret_cells = (struct load_cells){.cells = calloc(grid->count + 1, sizeof(*ret_cells->cells))};
    return ret_cells->cells == NULL ? -ENOMEM : 0;
}

void load_cells_release(struct load_cells *cells)
{
    free(cells->cells);
    *cells = (struct load_cells){0};
}

static void widen(struct load_cells *cells, uint64_t first_ns, uint64_t last_ns)
{
    cells->first_ns = cells->count == 0 ? first_ns : min_u64(cells->first_ns, first_ns);
    cells->last_ns = cells->count == 0 ? last_ns : max_u64(cells->last_ns, last_ns);
}

void load_cells_add(struct load_cells *cells, const struct load_grid *grid,
                    const uint64_t *begins_ns, const uint64_t *durations_ns, size_t count,
                    uint64_t shift_ns)
{
    const struct load_grid in_registers = *grid;
    struct load_cell *list = cells->cells;
    uint64_t first_ns = UINT64_MAX;
    uint64_t last_ns = 0;
    uint128 busy_ns = 0;

    if (list == NULL || count == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t begin_ns = begins_ns[i] + shift_ns;
        uint64_t end_ns = begin_ns + durations_ns[i];

        list[load_grid_cell_since(&in_registers, begin_ns)].begun++;
        list[load_grid_cell_since(&in_registers, end_ns)].ended++;
        first_ns = begin_ns < first_ns ? begin_ns : first_ns;
        last_ns = end_ns > last_ns ? end_ns : last_ns;
        busy_ns += durations_ns[i];
    }
    widen(cells, first_ns, last_ns);
    cells->count += count;
    cells->busy_ns += busy_ns;
}

void load_cells_merge(struct load_cells *cells, const struct load_grid *grid,
                      const struct load_cells *source)
{
    if (source->count == 0 || source->cells == NULL) {
        return;
    }
    for (uint32_t i = 0; i < grid->count; i++) {
        cells->cells[i].begun += source->cells[i].begun;
        cells->cells[i].ended += source->cells[i].ended;
    }
    widen(cells, source->first_ns, source->last_ns);
    cells->count += source->count;
    cells->busy_ns += source->busy_ns;
}

bool load_cells_are_exact(const struct load_cells *cells, const struct load_grid *grid)
{
    uint64_t begun = 0;
    uint64_t ended = 0;

    for (uint32_t i = 0; i < grid->count; i++) {
        begun += cells->cells[i].begun;
        ended += cells->cells[i].ended;
    }
    return begun == cells->count && ended == cells->count;
}

void load_cells_levels(const struct load_cells *cells, const struct load_grid *grid,
                       uint64_t *ret_levels)
{
    uint64_t level = 0;

    for (uint32_t i = 0; i < grid->count; i++) {
        ret_levels[i] = level;
        level += cells->cells[i].begun;
        level -= cells->cells[i].ended;
    }
}
