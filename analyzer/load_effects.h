/*
 * What load did to the operations of each name: the second pass over all frames, when the cells say how many were in flight.
 *
 * One copy that all workers add to, as shared_windows.h.
 */
#pragma once

#include "arrival_pattern.h"
#include "load_bins.h"
#include "shared_load.h"

/* Of one name; guarded by a lock. */
struct name_effects {
    struct load_bins bins;
    struct window_series durations; /* of each bin, and behind them of those that met no other */
    struct arrival_evidence arrivals;
};

struct load_effects {
    const struct report_plan *plan; /* borrowed */
    const struct shared_load *load; /* borrowed */
    struct name_effects *names;     /* owned; load->count of them */
    struct effect_worker *workers;  /* owned; plan->memory.jobs of them */
    pthread_mutex_t locks[LOAD_LOCK_COUNT];
};

/*
 * Makes bins from the load of all frames, and goes through these once more.
 *
 * ret_effects to be released, also after an error
 * Returns:    0 or what frame_revisit_run() returns.
 * Threads:    one; starts plan->memory.jobs more.
 */
MUST_USE int load_effects_find(struct load_effects *ret_effects, const struct report_plan *plan,
                               const struct shared_load *load);
void load_effects_release(struct load_effects *effects);
