#include "window_series.h"

#include "growing_list.h"
#include "quantile_ranks.h"

#include <errno.h>
#include <math.h>
#include <string.h>

void window_series_release(struct window_series *series)
{
    for (size_t i = 0; i < series->count; i++) {
        free(series->cells[i].narrow);
    }
    free(series->cells);
    *series = (struct window_series){0};
}

/* The bucket of a value by its code: the same, to fewer bits. */
static inline unsigned int bucket_of(unsigned int code)
{
    enum {
        LEFT_OUT_BITS = LOG_CODE_BITS - WINDOW_MANTISSA_BITS,
        /* Octaves that are within the first one of codes. */
        MORE_BUCKETS = LEFT_OUT_BITS * WINDOW_BUCKETS,
    };

    if (UNLIKELY(code < LOG_CODES_PER_OCTAVE)) { /* the value itself */
        unsigned int shift = 63 - WINDOW_MANTISSA_BITS -
                             (unsigned int)__builtin_clzll((uint64_t)code | WINDOW_BUCKETS);

        return shift * WINDOW_BUCKETS + (code >> shift);
    }
    return (code >> LEFT_OUT_BITS) + MORE_BUCKETS;
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

/* The cell of a window, or where it belongs. */
static size_t find_cell(const struct window_series *series, size_t window)
{
    size_t low = 0;
    size_t high = series->count;

    for (size_t at = series->latest; at < high && at <= series->latest + 1; at++) {
        if (series->cells[at].window == window) {
            return at;
        }
    }
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
    series->latest = at;
    *ret_cell = &series->cells[at];
    return 0;
}

static size_t bytes_per_count(const struct window_cell *cell)
{
    return cell->is_wide ? sizeof(*cell->wide) : sizeof(*cell->narrow);
}

/* Makes the histogram of a cell reach from octave first to below end. */
static int extend(struct window_cell *cell, size_t first, size_t end)
{
    size_t octave_bytes = WINDOW_BUCKETS * bytes_per_count(cell);

    if (cell->octave_count > 0) {
        first = min_u64(first, cell->first_octave);
        end = max_u64(end, cell->first_octave + (size_t)cell->octave_count);
    }

    uint8_t *counts = calloc(end - first, octave_bytes);

    if (counts == NULL) {
        return -ENOMEM;
    }
    if (cell->octave_count > 0) {
        memcpy(counts + (cell->first_octave - first) * octave_bytes, cell->narrow,
               cell->octave_count * octave_bytes);
    }
    free(cell->narrow);
    cell->narrow = (uint16_t *)(void *)counts;
    cell->first_octave = (uint8_t)first;
    cell->octave_count = (uint8_t)(end - first);
    return 0;
}

/* Makes the histogram of a cell reach over the values of all codes. */
static int extend_over(struct window_cell *cell, const uint16_t *codes, size_t count)
{
    unsigned int least = codes[0];
    unsigned int greatest = codes[0];

    for (size_t i = 1; i < count; i++) {
        least = codes[i] < least ? codes[i] : least;
        greatest = codes[i] > greatest ? codes[i] : greatest;
    }
    return extend(cell, bucket_of(least) / WINDOW_BUCKETS,
                  bucket_of(greatest) / WINDOW_BUCKETS + 1);
}

/* From 16-bit to 32-bit counts. */
static int make_wide(struct window_cell *cell)
{
    size_t bucket_count = (size_t)cell->octave_count * WINDOW_BUCKETS;
    uint32_t *wide = calloc(max_u64(bucket_count, 1), sizeof(*wide));

    if (wide == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < bucket_count; i++) {
        wide[i] = cell->narrow[i];
    }
    free(cell->narrow);
    cell->wide = wide;
    cell->is_wide = true;
    return 0;
}

/* Both stop before the first value that the histogram does not reach to, and return how many they added. */
static size_t add_narrow(struct window_cell *cell, const uint16_t *codes, size_t count)
{
    unsigned int first = cell->first_octave * (unsigned int)WINDOW_BUCKETS;
    unsigned int bucket_count = cell->octave_count * (unsigned int)WINDOW_BUCKETS;
    uint16_t *counts = cell->narrow;
    size_t i = 0;

    for (; i < count; i++) {
        unsigned int at = bucket_of(codes[i]) - first;

        if (UNLIKELY(at >= bucket_count)) {
            break;
        }
        counts[at]++;
    }
    return i;
}

static size_t add_wide(struct window_cell *cell, const uint16_t *codes, size_t count)
{
    unsigned int first = cell->first_octave * (unsigned int)WINDOW_BUCKETS;
    unsigned int bucket_count = cell->octave_count * (unsigned int)WINDOW_BUCKETS;
    uint32_t *counts = cell->wide;
    size_t i = 0;

    for (; i < count; i++) {
        unsigned int at = bucket_of(codes[i]) - first;

        if (UNLIKELY(at >= bucket_count)) {
            break;
        }
        counts[at] += counts[at] != UINT32_MAX;
    }
    return i;
}

static int add_codes(struct window_cell *cell, const uint16_t *codes, size_t count)
{
    int r = 0;

    if (!cell->is_wide && cell->count + count > UINT16_MAX) {
        r = make_wide(cell);
    }
    while (r == 0 && count > 0) {
        size_t added =
            cell->is_wide ? add_wide(cell, codes, count) : add_narrow(cell, codes, count);

        codes += added;
        count -= added;
        r = count == 0 ? 0 : extend_over(cell, codes, count);
    }
    return r;
}

/* The memory that the next ones will be added to, most likely: it is long out of the caches. */
static void prefetch_next(const struct window_series *series)
{
    enum { CELLS_AHEAD = 2, LINE_BYTES = 64 };

    if (series->latest + CELLS_AHEAD < series->count) {
        const struct window_cell *cell = &series->cells[series->latest + CELLS_AHEAD];
        size_t size = cell->octave_count * WINDOW_BUCKETS * bytes_per_count(cell);

        for (size_t at = 0; at < size; at += LINE_BYTES) {
            __builtin_prefetch((const uint8_t *)cell->narrow + at, 1);
        }
    }
}

int window_series_add(struct window_series *series, size_t window,
                      const struct coded_operations *operations)
{
    struct window_cell *cell = NULL;
    int r = make_cell(series, window, &cell);

    if (r == 0 && series->has_quantiles) {
        prefetch_next(series);
        r = add_codes(cell, operations->codes, operations->count);
    }
    if (r == 0) {
        cell->count += operations->count;
        cell->errors += count_not_ok(operations->statuses, operations->count);
    }
    return r;
}

size_t window_series_memory_bytes(const struct window_series *series)
{
    size_t bytes = series->capacity * sizeof(*series->cells);

    for (size_t i = 0; i < series->count; i++) {
        bytes +=
            series->cells[i].octave_count * WINDOW_BUCKETS * bytes_per_count(&series->cells[i]);
    }
    return bytes;
}

static uint64_t count_at(const struct window_cell *cell, size_t bucket)
{
    return cell->is_wide ? cell->wide[bucket] : cell->narrow[bucket];
}

/* A cell made ready for questions by rank. */
struct ranked_cell {
    const struct window_cell *cell;
    uint64_t before[WINDOW_OCTAVE_COUNT * WINDOW_BUCKETS + 1]; /* values below each bucket */
};

/* The value of a rank, 0 the least, in a bucket whose values are spread evenly. */
static double value_of_rank(const void *context, uint64_t rank)
{
    const struct ranked_cell *ranked = context;
    size_t low = 0;
    size_t high = (size_t)ranked->cell->octave_count * WINDOW_BUCKETS;
    double least;
    double width;

    if (rank >= ranked->before[high]) {
        return NAN;
    }
    while (high - low > 1) { /* before[low] <= rank < before[high] */
        size_t middle = (low + high) / 2;

        if (ranked->before[middle] <= rank) {
            low = middle;
        } else {
            high = middle;
        }
    }
    bucket_range(ranked->cell->first_octave * (size_t)WINDOW_BUCKETS + low, &least, &width);
    if (width <= 1) {
        return least;
    }
    return least + width * ((double)(rank - ranked->before[low]) + .5) /
                       (double)count_at(ranked->cell, low);
}

static void rank_cell(struct ranked_cell *ret_ranked, const struct window_cell *cell)
{
    size_t bucket_count = (size_t)cell->octave_count * WINDOW_BUCKETS;

    ret_ranked->cell = cell;
    ret_ranked->before[0] = 0;
    for (size_t i = 0; i < bucket_count; i++) {
        ret_ranked->before[i + 1] = ret_ranked->before[i] + count_at(cell, i);
    }
}

struct report_window window_cell_describe(const struct window_cell *cell)
{
    struct report_window window = {
        .window = cell->window,
        .count = cell->count,
        .errors = cell->errors,
        .p50_ns = NAN,
        .p95_ns = NAN,
        .p99_ns = NAN,
    };

    if (cell->octave_count > 0) {
        struct ranked_cell ranked_cell;
        const struct ranked_values ranked = {cell->count, 0, INFINITY, &ranked_cell, value_of_rank};

        rank_cell(&ranked_cell, cell);
        window.p50_ns = quantile_of_ranked(&ranked, .5);
        window.p95_ns = quantile_of_ranked(&ranked, .95);
        window.p99_ns = quantile_of_ranked(&ranked, .99);
    }
    return window;
}
