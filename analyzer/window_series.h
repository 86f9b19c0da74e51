/*
 * The operations of one name over the windows of a report: how many, how many failed, and a coarse histogram of durations
 * (32 buckets an octave, so that a bucket's middle is off by at most 1.6 %) for quantiles.
 *
 * Adding and merging in any order leaves the same series.
 */
#pragma once

#include "log_codes.h"
#include "operation_rows.h"
#include "report_operations.h"
#include "time_grid.h"

#include <stdbool.h>

enum {
    WINDOW_MANTISSA_BITS = 5,
    WINDOW_BUCKETS = 1 << WINDOW_MANTISSA_BITS,          /* per octave */
    WINDOW_OCTAVE_COUNT = 64 - WINDOW_MANTISSA_BITS + 1, /* the first holds the values below 2^5 */
};

/*
 * A window. The histogram has 16-bit counts as long as that is enough for all operations of the window: what matters most
 * when rows are added is how many cache lines they are spread over.
 */
struct window_cell {
    uint32_t window;
    uint8_t first_octave;
    uint8_t octave_count; /* 0 if there is no histogram */
    bool is_wide;         /* which of the two is in use */
    uint64_t count;
    uint64_t errors;
    union {
        uint16_t *narrow; /* owned; octave_count * WINDOW_BUCKETS */
        uint32_t *wide;   /* the same, each at most UINT32_MAX */
    };
};

/* {.has_quantiles = ...} is an empty one. */
struct window_series {
    bool has_quantiles;
    size_t count;
    size_t capacity;
    size_t latest;             /* the cell that was added to last: the next one is often near */
    struct window_cell *cells; /* owned; by window, ascending */
};

/* Operations to be added: log_codes_of() their durations, and their statuses. */
struct coded_operations {
    size_t count;
    const uint16_t *codes;
    const uint8_t *statuses;
};

void window_series_release(struct window_series *series);

/*
 * Adds operations, at most UINT32_MAX, to a window.
 *
 * Returns:  0 or -ENOMEM; then the series is to be dropped.
 * Threads:  one object, one thread at a time, as all functions here.
 */
MUST_USE int window_series_add(struct window_series *series, size_t window,
                               const struct coded_operations *operations);

size_t window_series_memory_bytes(const struct window_series *series);

/* A cell as it stands in the report; quantiles are NaN where there are too few values or no histogram. */
struct report_window window_cell_describe(const struct window_cell *cell);
