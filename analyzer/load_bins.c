#include "load_bins.h"

#include <errno.h>
#include <math.h>

enum { LEAST_BINS_OF_SLOPE = 3 };

struct level_mass {
    uint64_t level;
    uint64_t operations;
};

static int compare_levels(const void *left, const void *right)
{
    const struct level_mass *a = left;
    const struct level_mass *b = right;

    return (a->level > b->level) - (a->level < b->level);
}

/* The cells in which something began, by level; equal levels together. Returns how many levels there are. */
static size_t sort_levels(const struct load_cells *cells, const struct load_grid *grid,
                          const uint64_t *levels, struct level_mass *ret_masses)
{
    size_t count = 0;
    size_t kept = 0;

    for (uint32_t i = 0; i < grid->count; i++) {
        if (cells->cells[i].begun > 0) {
            ret_masses[count++] = (struct level_mass){levels[i], cells->cells[i].begun};
        }
    }
    qsort(ret_masses, count, sizeof(*ret_masses), compare_levels);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && ret_masses[kept - 1].level == ret_masses[i].level) {
            ret_masses[kept - 1].operations += ret_masses[i].operations;
        } else {
            ret_masses[kept++] = ret_masses[i];
        }
    }
    return kept;
}

/* A bin ends with the level that fills it: with its share of what the bins before it have left. */
static void cut(struct load_bins *bins, const struct level_mass *masses, size_t count,
                uint64_t total)
{
    uint64_t left = total;
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        size_t at = bins->count;

        if (bins->bins[at].operations == 0) {
            bins->bins[at].low = masses[i].level;
            sum = 0;
        }
        bins->bins[at].high = masses[i].level;
        bins->bins[at].operations += masses[i].operations;
        sum += (double)masses[i].level * (double)masses[i].operations;
        bins->bins[at].mean = sum / (double)bins->bins[at].operations;
        if (i + 1 == count || bins->bins[at].operations >= left / (LOAD_BIN_COUNT - at)) {
            left -= bins->bins[at].operations;
            bins->count++;
        }
    }
}

static uint8_t bin_of(const struct load_bins *bins, uint64_t level)
{
    uint8_t at = 0;

    while (at + 1U < bins->count && level > bins->bins[at].high) {
        at++;
    }
    return at;
}

int load_bins_make(struct load_bins *ret_bins, const struct load_cells *cells,
                   const struct load_grid *grid, const uint64_t *levels)
{
    AUTO_FREE struct level_mass *masses = calloc(grid->count + 1, sizeof(*masses));

    *ret_bins = (struct load_bins){.of_cells = calloc(grid->count + 1, 1)};
    if (masses == NULL || ret_bins->of_cells == NULL) {
        load_bins_release(ret_bins);
        return -ENOMEM;
    }
    cut(ret_bins, masses, sort_levels(cells, grid, levels, masses), cells->count);
    for (uint32_t i = 0; i < grid->count; i++) {
        bool is_idle = levels[i] == 0 && cells->cells[i].begun == 1;

        ret_bins->of_cells[i] =
            (uint8_t)(bin_of(ret_bins, levels[i]) | (is_idle ? LOAD_CELL_IS_IDLE : 0));
    }
    return 0;
}

void load_bins_release(struct load_bins *bins)
{
    free(bins->of_cells);
    *bins = (struct load_bins){0};
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

double load_bins_slope(const struct load_bins *bins, const double *medians_ns)
{
    double slopes[LOAD_BIN_COUNT * (LOAD_BIN_COUNT - 1) / 2];
    size_t used = 0;
    size_t count = 0;

    for (size_t i = 0; i < bins->count; i++) {
        used += medians_ns[i] > 0;
        for (size_t k = i + 1; k < bins->count; k++) {
            if (medians_ns[i] > 0 && medians_ns[k] > 0) {
                slopes[count++] = log(medians_ns[k] / medians_ns[i]) /
                                  log((1 + bins->bins[k].mean) / (1 + bins->bins[i].mean));
            }
        }
    }
    if (used < LEAST_BINS_OF_SLOPE) {
        return NAN;
    }
    qsort(slopes, count, sizeof(*slopes), compare_doubles);
    return (slopes[(count - 1) / 2] + slopes[count / 2]) / 2;
}
