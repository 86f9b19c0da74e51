/*
 * The load of all operations, name by name, which all workers add to: one copy, as of shared_windows.h.
 *
 * Names that there is no room for, and "(other)", share one array, so that the sum over all arrays is the load of the program.
 */
#pragma once

#include "load_measure.h"
#include "report_plan.h"
#include "shared_windows.h"

enum { LOAD_LOCK_COUNT = 64 };

struct shared_load {
    struct load_grid grid;
    size_t count; /* of names that have an array of their own */
    struct load_cells
        *names; /* owned; by number; [count] is that of the rest; each guarded by a lock */
    pthread_mutex_t locks[LOAD_LOCK_COUNT];
};

/* Returns 0 or -ENOMEM; *ret_load is to be released, also after an error. Threads: one. */
MUST_USE int shared_load_init(struct shared_load *ret_load, const struct report_plan *plan);
void shared_load_release(struct shared_load *load);

/*
 * Adds operations of one name.
 *
 * load     NULL: nobody asked for it, nothing happens
 * number   of the name
 * Returns: 0 or -ENOMEM.
 * Threads: any number.
 */
MUST_USE int shared_load_add(struct shared_load *load, size_t number,
                             const struct operation_run *run, int64_t offset_ns);

/*
 * Measures one name's load, or with number SIZE_MAX that of all operations.
 *
 * ret_load says REASON_MEMORY_LIMIT of a name that has no array of its own.
 * Threads: one, when nothing is added any more.
 */
MUST_USE int shared_load_measure(const struct shared_load *load, size_t number,
                                 struct report_load *ret_load);
