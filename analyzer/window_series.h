/*
 * The operations of one name over the windows of a report: how many, how many failed, and a coarse histogram of durations
 * (32 buckets an octave, so that a bucket's middle is off by at most 1.6 %) for quantiles.
 *
 * Adding and merging in any order leaves the same series.
 */
#pragma once

#include "report_operations.h"
#include "time_grid.h"

#include <stdbool.h>

enum {
    WINDOW_MANTISSA_BITS = 5,
    WINDOW_BUCKETS = 1 << WINDOW_MANTISSA_BITS,          /* per octave */
    WINDOW_OCTAVE_COUNT = 64 - WINDOW_MANTISSA_BITS + 1, /* the first holds the values below 2^5 */
};

struct window_cell {
    uint32_t window;
    uint8_t first_octave;
    uint8_t octave_count; /* 0 if there is no histogram */
    uint64_t count;
    uint64_t errors;
    uint32_t *counts; /* owned; octave_count * WINDOW_BUCKETS, each at most UINT32_MAX */
};

/* {.has_quantiles = ...} is an empty one. */
struct window_series {
    bool has_quantiles;
    size_t count;
    size_t capacity;
    struct window_cell *cells; /* owned; by window, ascending */
};

/* Where values are counted before they are added: so that the lock of a series is held shortly. */
struct window_counts {
    size_t count;
    size_t errors;
    size_t first_octave; /* of those that are not 0 */
    size_t end_octave;
    uint32_t buckets[WINDOW_OCTAVE_COUNT * WINDOW_BUCKETS];
};

void window_series_release(struct window_series *series);

/*
 * Counts operations by duration. At most UINT32_MAX values until window_counts_clear().
 *
 * Threads:  one object, one thread at a time, as all functions here.
 */
void window_counts_add(struct window_counts *counts, const uint64_t *durations_ns,
                       const uint8_t *statuses, size_t count);

/* Forgets what was counted; only what is not 0 is touched. {0} needs it not. */
void window_counts_clear(struct window_counts *counts);

/* Adds counts to a window. Returns 0 or -ENOMEM. */
MUST_USE int window_series_add(struct window_series *series, size_t window,
                               const struct window_counts *counts);

size_t window_series_memory_bytes(const struct window_series *series);

/* A cell as it stands in the report; quantiles are NaN where there are too few values or no histogram. */
struct report_window window_cell_describe(const struct window_cell *cell);
