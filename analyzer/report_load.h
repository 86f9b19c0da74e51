/*
 * The load that operations made, and what it did to them. Plain data, part of report.h.
 */
#pragma once

#include "report_summary.h"

enum {
    REPORT_DISPERSIONS = 8,
};

/* A distribution over time, by a few numbers; NaN where there is too little of it. */
struct report_spread {
    double mean;
    double p5;
    double p50;
    double p95;
    double p99;
    double max;
};

/* Arrivals in windows of one length: variance / mean, which is 1 for a Poisson process whatever its rate. */
struct report_dispersion {
    uint64_t window_ns;
    uint64_t windows;
    double index;
    double poisson_low; /* where a Poisson process would lie, 95 times out of 100 */
    double poisson_high;
};

struct report_load {
    enum report_reason reason; /* why all that follows is absent; else REASON_NONE */
    uint64_t cell_ns;          /* of the grid */
    uint64_t active_ns;        /* from the first begin to the last end */
    uint64_t rate_window_ns;
    struct report_spread arrivals_per_s; /* the mean is exact, the rest over windows */
    struct report_spread concurrency;    /* the mean is exact, the rest at borders of cells */
    double most_concurrency;             /* there were never more than this */
    double idle_ratio;                   /* of the borders: nothing was in flight */
    size_t dispersion_count;
    struct report_dispersion dispersions[REPORT_DISPERSIONS];
};
