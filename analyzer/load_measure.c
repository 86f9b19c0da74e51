#include "load_measure.h"

#include "distribution.h"

#include <errno.h>
#include <math.h>

enum {
    MOST_RATE_WINDOWS = 1024,
    LEAST_WINDOWS = 20, /* for a distribution or a variance over windows */
    LEAST_OPERATIONS = 20,
    DISPERSION_STEP = 4, /* each window so many times as long as the one before */
};

/* Cells [first, end) that lie within the active time as a whole. */
struct range {
    uint32_t first;
    uint32_t end;
};

static double no_value(double value, bool is_there)
{
    return is_there ? value : NAN;
}

/* --- Dispersion --- */

void load_dispersion(const uint64_t *counts, size_t count, struct report_dispersion *ret_dispersion)
{
    static const double z95 = 1.959963984540054;
    uint128 sum = 0;
    uint128 square_sum = 0;

    for (size_t i = 0; i < count; i++) {
        sum += counts[i];
        square_sum += (uint128)counts[i] * counts[i];
    }

    /* n sum(c^2) - (sum c)^2 in integers: nothing cancels. Both fit: counts are below 2^44, windows below 2^20. */
    double freedom = (double)count - 1;
    double spread = (double)(count * square_sum - sum * sum);
    double step = 2 / (9 * freedom);
    double low = 1 - step - z95 * sqrt(step);
    double high = 1 - step + z95 * sqrt(step);

    ret_dispersion->windows = count;
    ret_dispersion->index = no_value(spread / freedom / (double)sum, sum > 0);
    ret_dispersion->poisson_low = low < 0 ? 0 : low * low * low;
    ret_dispersion->poisson_high = high * high * high;
}

/* --- Windows of cells --- */

static struct range whole_cells(const struct load_cells *cells, const struct load_grid *grid)
{
    uint32_t first = load_grid_cell_since(grid, cells->first_ns);
    uint32_t last = load_grid_cell_since(grid, cells->last_ns);

    return (struct range){first + 1, last > first ? last : first + 1};
}

/* Begins in windows of width cells each, all of them within the range. Returns how many windows there are. */
static size_t count_begins(const struct load_cells *cells, struct range range, uint32_t width,
                           uint64_t *ret_counts)
{
    size_t count = 0;

    for (uint32_t at = range.first; range.end - at >= width; at += width) {
        uint64_t begun = 0;

        for (uint32_t i = at; i < at + width; i++) {
            begun += cells->cells[i].begun;
        }
        ret_counts[count++] = begun;
    }
    return count;
}

static void measure_dispersions(const struct load_cells *cells, const struct load_grid *grid,
                                struct range range, uint64_t *counts, struct report_load *load)
{
    uint32_t width = 1;

    while (load->dispersion_count < REPORT_DISPERSIONS &&
           (range.end - range.first) / width >= LEAST_WINDOWS) {
        struct report_dispersion *made = &load->dispersions[load->dispersion_count++];

        load_dispersion(counts, count_begins(cells, range, width, counts), made);
        made->window_ns = width * grid->cell_ns;
        width *= DISPERSION_STEP;
    }
}

/* --- Distributions over time --- */

static int spread_of(const uint64_t *values, size_t count, double scale,
                     struct report_spread *ret_spread)
{
    struct distribution over_time = {0};
    bool is_enough = count >= LEAST_WINDOWS;
    int r = distribution_add(&over_time, values, count);

    if (r == 0) {
        ret_spread->p5 = no_value(distribution_quantile(&over_time, .05) * scale, is_enough);
        ret_spread->p50 = no_value(distribution_quantile(&over_time, .50) * scale, is_enough);
        ret_spread->p95 = no_value(distribution_quantile(&over_time, .95) * scale, is_enough);
        ret_spread->p99 = no_value(distribution_quantile(&over_time, .99) * scale, is_enough);
        ret_spread->max = no_value((double)over_time.max * scale, is_enough);
    }
    distribution_release(&over_time);
    return r;
}

static int measure_rate(const struct load_cells *cells, const struct load_grid *grid,
                        struct range range, uint64_t *counts, struct report_load *load)
{
    uint32_t width = 1;

    while ((range.end - range.first) / width > MOST_RATE_WINDOWS) {
        width *= 2;
    }
    load->rate_window_ns = width * grid->cell_ns;
    load->arrivals_per_s.mean = (double)cells->count / ((double)load->active_ns / (double)NS_PER_S);
    return spread_of(counts, count_begins(cells, range, width, counts),
                     (double)NS_PER_S / (double)load->rate_window_ns, &load->arrivals_per_s);
}

/* More than what was there at a border and all that began before the next can not have been in flight. */
static double most_in_flight(const struct load_cells *cells, const struct load_grid *grid,
                             const uint64_t *levels)
{
    uint64_t most = 0;

    for (uint32_t i = 0; i < grid->count; i++) {
        most = max_u64(most, levels[i] + cells->cells[i].begun);
    }
    return (double)most;
}

/* A median between two numbers is neither of them. */
static double steady_ratio(const uint64_t *levels, size_t count, double median)
{
    size_t same = 0;

    for (size_t i = 0; i < count; i++) {
        same += median >= 1 && (double)levels[i] == median;
    }
    return count == 0 ? 0 : (double)same / (double)count;
}

static int measure_concurrency(const struct load_cells *cells, const struct load_grid *grid,
                               const uint64_t *levels, struct range range, struct report_load *load)
{
    /* The border behind the last whole cell lies within the active time, too. */
    size_t borders = (size_t)range.end - range.first + (range.end < grid->count);
    uint64_t idle = 0;

    for (size_t i = 0; i < borders; i++) {
        idle += levels[range.first + i] == 0;
    }
    load->concurrency.mean = (double)cells->busy_ns / (double)load->active_ns;
    load->most_concurrency = most_in_flight(cells, grid, levels);
    load->idle_ratio = no_value((double)idle / (double)borders, borders >= LEAST_WINDOWS);

    int r = spread_of(&levels[range.first], borders, 1, &load->concurrency);

    load->steady_ratio = steady_ratio(&levels[range.first], borders, load->concurrency.p50);
    return r;
}

int load_measure(const struct load_cells *cells, const struct load_grid *grid,
                 const uint64_t *levels, struct report_load *ret_load)
{
    *ret_load = (struct report_load){.cell_ns = grid->cell_ns};
    if (cells->count < LEAST_OPERATIONS || cells->last_ns == cells->first_ns) {
        ret_load->reason = cells->count == 0 ? REASON_NO_DATA : REASON_TOO_FEW;
        return 0;
    }
    if (!load_cells_are_exact(cells, grid)) {
        ret_load->reason = REASON_MEMORY_LIMIT;
        return 0;
    }

    AUTO_FREE uint64_t *counts = malloc((grid->count + 1) * sizeof(*counts));
    struct range range = whole_cells(cells, grid);

    ret_load->active_ns = cells->last_ns - cells->first_ns;
    int r = counts == NULL ? -ENOMEM : measure_rate(cells, grid, range, counts, ret_load);

    r = r < 0 ? r : measure_concurrency(cells, grid, levels, range, ret_load);
    if (r == 0) {
        measure_dispersions(cells, grid, range, counts, ret_load);
    }
    return r;
}

int load_measure_ends(const struct load_cells *cells, const struct load_grid *grid,
                      struct report_spread *ret_ends_per_s)
{
    AUTO_FREE struct load_cell *ends = calloc(grid->count + 1, sizeof(*ends));
    AUTO_FREE uint64_t *counts = malloc((grid->count + 1) * sizeof(*counts));
    struct report_load load = {.active_ns = cells->last_ns - cells->first_ns};
    struct load_cells swapped = *cells;

    if (ends == NULL || counts == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < grid->count; i++) {
        ends[i].begun = cells->cells[i].ended;
    }
    swapped.cells = ends;

    int r = measure_rate(&swapped, grid, whole_cells(cells, grid), counts, &load);

    if (r == 0) {
        *ret_ends_per_s = load.arrivals_per_s;
    }
    return r;
}
