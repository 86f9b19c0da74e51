#include "window_series.h"

#include "growing_list.h"
#include "quantile_ranks.h"

#include <errno.h>
#include <math.h>
#include <string.h>

void window_series_release(struct window_series *series)
{
    for (size_t i = 0; i < series->count; i++) {
        free(series->cells[i].counts);
    }
    free(series->cells);
    *series = (struct window_series){0};
}

/* 0 for values below 2^5, then 1 for those below 2^6, and so on. */
static unsigned int octave_of(uint64_t value)
{
    return 64 - WINDOW_MANTISSA_BITS - (unsigned int)__builtin_clzll(value | (WINDOW_BUCKETS - 1));
}

static size_t bucket_of(uint64_t value)
{
    unsigned int octave = octave_of(value);
    unsigned int shift = octave == 0 ? 0 : octave - 1;

    return octave * WINDOW_BUCKETS + ((value >> shift) & (WINDOW_BUCKETS - 1));
}

/* The least value of a bucket, and how many values fall into it. */
static void bucket_range(size_t bucket, double *ret_low, double *ret_width)
{
    size_t octave = bucket / WINDOW_BUCKETS;
    uint64_t mantissa = (octave == 0 ? 0 : WINDOW_BUCKETS) + bucket % WINDOW_BUCKETS;
    unsigned int shift = octave == 0 ? 0 : (unsigned int)octave - 1;

    *ret_low = ldexp((double)mantissa, (int)shift);
    *ret_width = ldexp(1, (int)shift);
}

void window_counts_add(struct window_counts *counts, const uint64_t *durations_ns,
                       const uint8_t *statuses, size_t count)
{
    uint64_t any = 0;
    uint64_t least = UINT64_MAX;

    if (count == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        counts->buckets[bucket_of(durations_ns[i])]++;
        any |= durations_ns[i];
        least = durations_ns[i] < least ? durations_ns[i] : least;
        counts->errors += statuses[i] != STATUS_OK;
    }

    size_t first = octave_of(least);
    size_t end = octave_of(any) + 1;

    counts->first_octave = counts->end_octave == 0 ? first : min_u64(counts->first_octave, first);
    counts->end_octave = max_u64(counts->end_octave, end);
    counts->count += count;
}

void window_counts_clear(struct window_counts *counts)
{
    memset(&counts->buckets[counts->first_octave * WINDOW_BUCKETS], 0,
           (counts->end_octave - counts->first_octave) * WINDOW_BUCKETS * sizeof(uint32_t));
    counts->count = 0;
    counts->errors = 0;
    counts->first_octave = 0;
    counts->end_octave = 0;
}

/* The cell of a window, or where it belongs. */
static size_t find_cell(const struct window_series *series, size_t window)
{
    size_t low = 0;
    size_t high = series->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (series->cells[middle].window < window) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int make_cell(struct window_series *series, size_t window, struct window_cell **ret_cell)
{
    size_t at = find_cell(series, window);

    if (at == series->count || series->cells[at].window != window) {
        int r = growing_list_reserve((void *)&series->cells, &series->capacity, series->count,
                                     sizeof(*series->cells));

        if (r < 0) {
            return r;
        }
        memmove(&series->cells[at + 1], &series->cells[at],
                (series->count - at) * sizeof(*series->cells));
        series->cells[at] = (struct window_cell){.window = (uint32_t)window};
        series->count++;
    }
    *ret_cell = &series->cells[at];
    return 0;
}

/* Makes the histogram of a cell reach from octave first to below end. */
static int widen(struct window_cell *cell, size_t first, size_t end)
{
    size_t old_end = cell->first_octave + (size_t)cell->octave_count;

    if (cell->octave_count > 0) {
        first = min_u64(first, cell->first_octave);
        end = max_u64(end, old_end);
        if (first == cell->first_octave && end == old_end) {
            return 0;
        }
    }

    uint32_t *counts = calloc((end - first) * WINDOW_BUCKETS, sizeof(*counts));

    if (counts == NULL) {
        return -ENOMEM;
    }
    if (cell->octave_count > 0) {
        memcpy(&counts[(cell->first_octave - first) * WINDOW_BUCKETS], cell->counts,
               cell->octave_count * WINDOW_BUCKETS * sizeof(*counts));
    }
    free(cell->counts);
    cell->counts = counts;
    cell->first_octave = (uint8_t)first;
    cell->octave_count = (uint8_t)(end - first);
    return 0;
}

static void add_counts(struct window_cell *cell, const struct window_counts *counts)
{
    const uint32_t *more = &counts->buckets[counts->first_octave * WINDOW_BUCKETS];
    uint32_t *sum = &cell->counts[(counts->first_octave - cell->first_octave) * WINDOW_BUCKETS];
    size_t bucket_count = (counts->end_octave - counts->first_octave) * WINDOW_BUCKETS;

    for (size_t i = 0; i < bucket_count; i++) {
        sum[i] = UINT32_MAX - sum[i] < more[i] ? UINT32_MAX : sum[i] + more[i];
    }
}

int window_series_add(struct window_series *series, size_t window,
                      const struct window_counts *counts)
{
    struct window_cell *cell = NULL;
    int r = make_cell(series, window, &cell);

    if (r == 0 && series->has_quantiles && counts->count > 0) {
        r = widen(cell, counts->first_octave, counts->end_octave);
        if (r == 0) {
            add_counts(cell, counts);
        }
    }
    if (r == 0) {
        cell->count += counts->count;
        cell->errors += counts->errors;
    }
    return r;
}

size_t window_series_memory_bytes(const struct window_series *series)
{
    size_t bytes = series->capacity * sizeof(*series->cells);

    for (size_t i = 0; i < series->count; i++) {
        bytes += series->cells[i].octave_count * WINDOW_BUCKETS * sizeof(uint32_t);
    }
    return bytes;
}

/* The value of a rank, 0 the least, in a bucket whose values are spread evenly. */
static double value_of_rank(const void *context, uint64_t rank)
{
    const struct window_cell *cell = context;
    size_t bucket_count = (size_t)cell->octave_count * WINDOW_BUCKETS;
    uint64_t before = 0;

    for (size_t i = 0; i < bucket_count; i++) {
        if (rank < before + cell->counts[i]) {
            double low;
            double width;

            bucket_range(cell->first_octave * (size_t)WINDOW_BUCKETS + i, &low, &width);
            if (width <= 1) {
                return low;
            }
            return low + width * ((double)(rank - before) + .5) / (double)cell->counts[i];
        }
        before += cell->counts[i];
    }
    return NAN;
}

static double quantile_of(const struct window_cell *cell, double p)
{
    const struct ranked_values ranked = {cell->count, 0, INFINITY, cell, value_of_rank};

    return cell->octave_count == 0 ? NAN : quantile_of_ranked(&ranked, p);
}

struct report_window window_cell_describe(const struct window_cell *cell)
{
    return (struct report_window){
        .window = cell->window,
        .count = cell->count,
        .errors = cell->errors,
        .p50_ns = quantile_of(cell, .5),
        .p95_ns = quantile_of(cell, .95),
        .p99_ns = quantile_of(cell, .99),
    };
}
