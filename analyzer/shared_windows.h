/*
 * The windows of all operations, which all workers add to: one copy, because windows are what takes the most memory.
 */
#pragma once

#include "operation_rows.h"
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

/* Where the windows of the report cut a batch. {0} is empty; its memory is used again. */
struct window_cuts {
    size_t first; /* window of the first row */
    size_t count;
    size_t capacity;
    uint32_t
        *end_rows; /* owned; of the windows from first on: the first row that began behind it */
};

void window_cuts_release(struct window_cuts *cuts);

/*
 * Cuts rows sorted by begin.
 *
 * begins_ns  monotonic; offset_ns makes them realtime
 * Returns:   0 or -ENOMEM.
 * Threads:   one object, one thread at a time.
 */
MUST_USE int window_cuts_make(struct window_cuts *cuts, const struct time_grid *grid,
                              const uint64_t *begins_ns, size_t count, int64_t offset_ns);

/*
 * Adds operations of one name to the windows that they began in.
 *
 * cuts      of the batch that they are of
 * number    of the name; nothing happens to names that have no windows
 * Returns:  0 or -ENOMEM.
 * Threads:  any number.
 */
MUST_USE int shared_windows_add(struct shared_windows *windows, size_t number,
                                const struct operation_run *run, const struct window_cuts *cuts);

size_t shared_windows_memory_bytes(const struct shared_windows *windows);
