/*
 * The command line of `import` to a list of what is imported as which process.
 *
 * --process NAME begins a process. --operations FILE belongs to it if nothing stands between, else begins a process of its
 * own; --samples FILE belongs to the process before it if that has no samples yet, else begins one. A process begun by a
 * file is named after it: its base name without .csv and without a leading ops_,
 * operations_, gauges_ or samples_.
 */
#pragma once

#include "import_scan.h"

#include <stdbool.h>

enum { IMPORT_MAX_SOURCES = 4096 };

struct import_plan {
    size_t count;
    struct import_source *sources; /* owned */
};

/* {0} is an empty plan. Threads: one plan, one thread at a time, as all functions here. */
void import_plan_release(struct import_plan *plan);

/* Return 0, -ENOMEM, -E2BIG (more than IMPORT_MAX_SOURCES); --process also -EINVAL (no valid name). Borrow path. */
MUST_USE int import_plan_process(struct import_plan *plan, const char *name);
MUST_USE int import_plan_operations(struct import_plan *plan, const char *path);
MUST_USE int import_plan_samples(struct import_plan *plan, const char *path);

/* The first source that has no file (--process with nothing behind it), or NULL. */
const struct import_source *import_plan_find_empty(const struct import_plan *plan);

/* The name of a process after one of its files. Threads: any. */
void import_process_name(char ret_name[static IMPORT_PROCESS_BYTES], const char *path);
