#include "shared_windows.h"

#include "clock_line.h"

#include <errno.h>

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

/* How many of the operations from first on, at least one, began in the same window, which is *ret_window. */
static size_t count_in_window(const struct time_grid *grid, const struct operation_run *run,
                              size_t first, int64_t offset_ns, size_t *ret_window)
{
    size_t window = time_grid_window(grid, clock_realtime_ns(run->begins_ns[first], offset_ns));
    uint64_t end_ns = monotonic_end(grid, window, offset_ns);
    size_t end = first + 1;

    *ret_window = window;
    if (end_ns == UINT64_MAX || run->begins_ns[run->count - 1] < end_ns) {
        return run->count - first;
    }
    while (run->begins_ns[end] < end_ns) {
        end++;
    }
    return end - first;
}

int shared_windows_add(struct shared_windows *windows, struct window_counts *scratch, size_t number,
                       const struct operation_run *run, int64_t offset_ns)
{
    size_t first = 0;
    int r = 0;

    while (r == 0 && number < windows->count && first < run->count) {
        pthread_mutex_t *lock = &windows->locks[number % WINDOW_LOCK_COUNT];
        size_t window;
        size_t count = count_in_window(&windows->grid, run, first, offset_ns, &window);

        window_counts_add(scratch, &run->durations_ns[first], &run->statuses[first], count);
        (void)pthread_mutex_lock(lock);
        r = window_series_add(&windows->series[number], window, scratch);
        (void)pthread_mutex_unlock(lock);
        window_counts_clear(scratch);
        first += count;
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
