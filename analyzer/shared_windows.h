/*
 * The windows of all operations, which all workers add to: one copy, because windows are what takes the most memory.
 */
#pragma once

#include "report_plan.h"
#include "window_series.h"

#include <pthread.h>

enum { WINDOW_LOCK_COUNT = 64 };

struct shared_windows {
    struct time_grid grid;
    size_t count;                 /* of names that have windows */
    struct window_series *series; /* owned; by number of the name; each guarded by a lock */
    pthread_mutex_t locks[WINDOW_LOCK_COUNT];
};

/* Returns 0 or -ENOMEM; *ret_windows is to be released, also after an error. Threads: one. */
MUST_USE int shared_windows_init(struct shared_windows *ret_windows,
                                 const struct report_plan *plan);
void shared_windows_release(struct shared_windows *windows);

/*
 * Adds operations of one name, sorted by begin, to the windows that they began in.
 *
 * scratch    empty before and after
 * number     of the name; nothing happens to names that have no windows
 * begins_ns  monotonic; offset_ns makes them realtime
 * Returns:   0 or -ENOMEM.
 * Threads:   any number, each with its scratch.
 */
struct operation_run {
    size_t count;
    const uint64_t *begins_ns;
    const uint64_t *durations_ns;
    const uint8_t *statuses;
};
MUST_USE int shared_windows_add(struct shared_windows *windows, struct window_counts *scratch,
                                size_t number, const struct operation_run *run, int64_t offset_ns);

size_t shared_windows_memory_bytes(const struct shared_windows *windows);
