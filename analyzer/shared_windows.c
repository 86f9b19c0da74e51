#include "shared_windows.h"

#include "clock_line.h"

#include <errno.h>

enum {
    STRIDE = 16,   /* rows between looks while the end of a window is far */
    NEAR_CUTS = 4, /* tried one by one */
};

int shared_windows_init(struct shared_windows *ret_windows, const struct report_plan *plan)
{
    *ret_windows = (struct shared_windows){
        .grid = plan->grid,
        .count = plan->memory.counted_windows,
        .series = calloc(plan->memory.counted_windows + 1, sizeof(*ret_windows->series))};
    for (size_t i = 0; i < WINDOW_LOCK_COUNT; i++) {
        (void)pthread_mutex_init(&ret_windows->locks[i], NULL);
    }
    for (size_t i = 0; ret_windows->series != NULL && i < plan->memory.full_windows; i++) {
        ret_windows->series[i].has_quantiles = true;
    }
    return ret_windows->series == NULL ? -ENOMEM : 0;
}

void shared_windows_release(struct shared_windows *windows)
{
    for (size_t i = 0; windows->series != NULL && i < windows->count; i++) {
        window_series_release(&windows->series[i]);
    }
    free(windows->series);
    windows->series = NULL;
}

/* Where a window ends on the monotonic clock, so that begins need not be converted one by one. */
static uint64_t monotonic_end(const struct time_grid *grid, size_t window, int64_t offset_ns)
{
    uint64_t end_ns = time_grid_window_end(grid, window);

    if (end_ns == UINT64_MAX) {
        return UINT64_MAX;
    }
    if (offset_ns < 0) {
        return end_ns + min_u64(0 - (uint64_t)offset_ns, UINT64_MAX - end_ns);
    }
    return end_ns - min_u64((uint64_t)offset_ns, end_ns);
}

void window_cuts_release(struct window_cuts *cuts)
{
    free(cuts->end_rows);
    *cuts = (struct window_cuts){0};
}

static int reserve_cuts(struct window_cuts *cuts, size_t count)
{
    if (count <= cuts->capacity) {
        return 0;
    }
    free(cuts->end_rows);
    cuts->end_rows = malloc(count * sizeof(*cuts->end_rows));
    cuts->capacity = cuts->end_rows == NULL ? 0 : count;
    return cuts->end_rows == NULL ? -ENOMEM : 0;
}

/* The first row from first on that did not begin before end_ns. */
static size_t find_row(const uint64_t *begins_ns, size_t first, size_t count, uint64_t end_ns)
{
    size_t low = first;
    size_t high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (begins_ns[middle] < end_ns) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int window_cuts_make(struct window_cuts *cuts, const struct time_grid *grid,
                     const uint64_t *begins_ns, size_t count, int64_t offset_ns)
{
    size_t row = 0;

    cuts->count = 0;
    if (count == 0 || grid->count == 0) {
        return 0;
    }
    cuts->first = time_grid_window(grid, clock_realtime_ns(begins_ns[0], offset_ns));

    size_t last = time_grid_window(grid, clock_realtime_ns(begins_ns[count - 1], offset_ns));
    int r = reserve_cuts(cuts, last - cuts->first + 1);

    if (r < 0) {
        return r;
    }
    for (size_t window = cuts->first; window < last; window++) {
        row = find_row(begins_ns, row, count, monotonic_end(grid, window, offset_ns));
        cuts->end_rows[cuts->count++] = (uint32_t)row;
    }
    cuts->end_rows[cuts->count++] = (uint32_t)count;
    return 0;
}

/* The cut that a row lies before; at: the one of the row before. Most rows lie near it. */
static size_t find_cut(const struct window_cuts *cuts, size_t at, uint32_t row)
{
    size_t high = cuts->count - 1;

    for (size_t near = 0; near < NEAR_CUTS && cuts->end_rows[at] <= row; near++) {
        at++;
    }
    while (cuts->end_rows[at] <= row) { /* at < high */
        size_t middle = (at + high) / 2;

        if (cuts->end_rows[middle] <= row) {
            at = middle + 1;
        } else {
            high = middle;
        }
    }
    return at;
}

/* How many of the rows lie before end_row, which lies behind the first one. */
static size_t count_before(const uint16_t *rows, size_t count, uint32_t end_row)
{
    size_t end = 1;

    while (end + STRIDE < count && rows[end + STRIDE] < end_row) {
        end += STRIDE;
    }
    while (end < count && rows[end] < end_row) {
        end++;
    }
    return end;
}

static int add_locked(struct shared_windows *windows, size_t number,
                      const struct operation_run *run, const struct window_cuts *cuts)
{
    size_t first = 0;
    size_t cut = 0;
    int r = 0;

    while (r == 0 && first < run->count) {
        cut = find_cut(cuts, cut, run->rows[first]);

        size_t count = count_before(&run->rows[first], run->count - first, cuts->end_rows[cut]);
        const struct coded_operations operations = {count, &run->codes[first],
                                                    &run->statuses[first]};

        r = window_series_add(&windows->series[number], cuts->first + cut, &operations);
        first += count;
    }
    return r;
}

int shared_windows_add(struct shared_windows *windows, size_t number,
                       const struct operation_run *run, const struct window_cuts *cuts)
{
    pthread_mutex_t *lock = &windows->locks[number % WINDOW_LOCK_COUNT];
    int r = 0;

    if (number < windows->count && run->count > 0) {
        (void)pthread_mutex_lock(lock);
        r = add_locked(windows, number, run, cuts);
        (void)pthread_mutex_unlock(lock);
    }
    return r;
}

size_t shared_windows_memory_bytes(const struct shared_windows *windows)
{
    size_t bytes = windows->count * sizeof(*windows->series);

    for (size_t i = 0; i < windows->count; i++) {
        bytes += window_series_memory_bytes(&windows->series[i]);
    }
    return bytes;
}
