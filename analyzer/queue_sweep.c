#include "queue_sweep.h"

#include <errno.h>

int queue_sweep_init(struct queue_sweep *ret_sweep, const struct load_grid *grid)
{
    *ret_sweep = (struct queue_sweep){.cells = calloc(grid->count + 1, sizeof(*ret_sweep->cells))};
    return ret_sweep->cells == NULL ? -ENOMEM : 0;
}

void queue_sweep_release(struct queue_sweep *sweep)
{
    free(sweep->cells);
    free(sweep->gauge);
    *sweep = (struct queue_sweep){0};
}

static void widen(struct queue_sweep *sweep, uint64_t first_ns, uint64_t last_ns)
{
    sweep->first_ns = sweep->entries == 0 ? first_ns : min_u64(sweep->first_ns, first_ns);
    sweep->last_ns = sweep->entries == 0 ? last_ns : max_u64(sweep->last_ns, last_ns);
}

/* Times behind the grid lie at its end: then the area lacks what is beyond it. */
static uint64_t rest_ns(const struct load_grid *grid, uint32_t cell, uint64_t time_ns)
{
    uint64_t end_ns = (cell + 1ULL) * grid->cell_ns;

    return end_ns - min_u64(time_ns, end_ns);
}

void queue_sweep_add(struct queue_sweep *sweep, const struct load_grid *grid, uint64_t entry_ns,
                     uint64_t residence_ns, uint64_t depth)
{
    uint64_t exit_ns = entry_ns + residence_ns;
    uint32_t entry_cell = load_grid_cell_since(grid, entry_ns);
    uint32_t exit_cell = load_grid_cell_since(grid, exit_ns);

    sweep->cells[entry_cell].entered++;
    sweep->cells[entry_cell].entered_rest_ns += rest_ns(grid, entry_cell, entry_ns);
    sweep->cells[entry_cell].passed += entry_cell == exit_cell;
    sweep->cells[exit_cell].left++;
    sweep->cells[exit_cell].left_rest_ns += rest_ns(grid, exit_cell, exit_ns);
    widen(sweep, entry_ns, exit_ns);
    sweep->entries++;
    sweep->residence_ns += residence_ns;
    sweep->depth_sum += depth;
}

static int need_gauge(struct queue_sweep *sweep, const struct load_grid *grid)
{
    if (sweep->gauge == NULL) {
        sweep->gauge = calloc(grid->count + 1, sizeof(*sweep->gauge));
    }
    return sweep->gauge == NULL ? -ENOMEM : 0;
}

int queue_sweep_add_gauge(struct queue_sweep *sweep, const struct load_grid *grid, uint64_t time_ns,
                          uint64_t depth)
{
    int r = need_gauge(sweep, grid);

    if (r == 0) {
        struct queue_gauge_cell *cell = &sweep->gauge[load_grid_cell_since(grid, time_ns)];

        cell->sum += depth;
        cell->count++;
    }
    return r;
}

static int merge_gauge(struct queue_sweep *sweep, const struct load_grid *grid,
                       const struct queue_sweep *source)
{
    int r = source->gauge == NULL ? 0 : need_gauge(sweep, grid);

    for (uint32_t i = 0; r == 0 && source->gauge != NULL && i < grid->count; i++) {
        sweep->gauge[i].sum += source->gauge[i].sum;
        sweep->gauge[i].count += source->gauge[i].count;
    }
    return r;
}

int queue_sweep_merge(struct queue_sweep *sweep, const struct load_grid *grid,
                      const struct queue_sweep *source)
{
    for (uint32_t i = 0; source->entries > 0 && i < grid->count; i++) {
        sweep->cells[i].entered += source->cells[i].entered;
        sweep->cells[i].left += source->cells[i].left;
        sweep->cells[i].passed += source->cells[i].passed;
        sweep->cells[i].entered_rest_ns += source->cells[i].entered_rest_ns;
        sweep->cells[i].left_rest_ns += source->cells[i].left_rest_ns;
    }
    if (source->entries > 0) {
        widen(sweep, source->first_ns, source->last_ns);
        sweep->entries += source->entries;
        sweep->residence_ns += source->residence_ns;
        sweep->depth_sum += source->depth_sum;
    }
    return merge_gauge(sweep, grid, source);
}

bool queue_sweep_levels(const struct queue_sweep *sweep, const struct load_grid *grid,
                        uint64_t *ret_levels)
{
    uint64_t entered = 0;
    uint64_t left = 0;

    for (uint32_t i = 0; i < grid->count; i++) {
        ret_levels[i] = entered - left;
        entered += sweep->cells[i].entered;
        left += sweep->cells[i].left;
    }
    return entered == sweep->entries && left == sweep->entries;
}

uint128 queue_sweep_area(const struct queue_sweep *sweep, const struct load_grid *grid,
                         const uint64_t *levels, uint32_t first, uint32_t end)
{
    uint128 area = 0;

    for (uint32_t i = first; i < end; i++) {
        area += (uint128)levels[i] * grid->cell_ns + sweep->cells[i].entered_rest_ns -
                sweep->cells[i].left_rest_ns;
    }
    return area;
}

void queue_sweep_compare_entries(const struct queue_sweep *sweep, const struct load_grid *grid,
                                 const uint64_t *levels, struct queue_comparison *comparison)
{
    comparison->count += sweep->entries;
    comparison->counted += (double)sweep->depth_sum;
    for (uint32_t i = 0; i < grid->count; i++) {
        const struct queue_cell *cell = &sweep->cells[i];
        double entered = cell->entered;

        /* The k-th finds what was there, k - 1 before it and itself, less those that had left; it has not left itself. */
        double high = entered * ((double)levels[i] + (entered + 1) / 2);
        double unsure = entered * cell->left - cell->passed;

        comparison->high += high;
        comparison->mid += high - unsure / 2;
        comparison->low += high - unsure;
    }
}

void queue_sweep_compare_gauge(const struct queue_sweep *sweep, const struct load_grid *grid,
                               const uint64_t *levels, struct queue_comparison *comparison)
{
    for (uint32_t i = 0; sweep->gauge != NULL && i < grid->count; i++) {
        const struct queue_cell *cell = &sweep->cells[i];
        double count = sweep->gauge[i].count;

        if (sweep->gauge[i].count == 0) {
            continue;
        }

        double mid =
            (double)queue_sweep_area(sweep, grid, levels, i, i + 1) / (double)grid->cell_ns;
        double low = (double)levels[i] - (cell->left - cell->passed);

        comparison->count += sweep->gauge[i].count;
        comparison->counted += (double)sweep->gauge[i].sum;
        comparison->low += count * (low > 0 ? low : 0);
        comparison->mid += count * mid;
        comparison->high += count * ((double)levels[i] + cell->entered);
    }
}
