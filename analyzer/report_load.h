/*
 * The load that operations made, and what it did to them. Plain data, part of report.h.
 */
#pragma once

#include "report_summary.h"

enum {
    REPORT_DISPERSIONS = 8,
    REPORT_LOAD_BINS = 10,
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

enum arrival_pattern {
    ARRIVALS_UNKNOWN, /* too few, or the evidence contradicts itself */
    ARRIVALS_OPEN,
    ARRIVALS_CLOSED,
    ARRIVALS_PACED,
};

/* "unknown", "open", "closed", "paced". Threads: any. */
const char *arrival_pattern_name(enum arrival_pattern pattern);

/* How operations come, and what says so; NaN where nothing says it. */
struct report_arrivals {
    enum arrival_pattern pattern;
    uint64_t pairs;            /* of begins that follow each other on a thread, in a batch */
    double follow_ratio;       /* of them: the second began after the first had ended, there too */
    double gap_p50_ns;         /* from that end to that begin */
    double followed_within_ns; /* nine in ten of all pairs do it within this time */
    double think_limit_ns;     /* and in a closed loop within this */
    double interval_p50_ns;    /* from begin to begin */
    double duration_p50_ns;
    double correlation; /* of the logarithms of a duration and of the interval that it begins */
};

/* Operations that began when this many were in flight. */
struct report_load_bin {
    uint64_t low;
    uint64_t high;
    uint64_t count;
    uint64_t errors;
    double p50_ns; /* NaN where there are too few, as below */
    double p95_ns;
    double p99_ns;
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
    double steady_ratio; /* of the borders: as many as at the median; 0 if that is below 1 */
    size_t dispersion_count;
    struct report_dispersion dispersions[REPORT_DISPERSIONS];
};

/* The load of the operations of one name. */
struct report_named_load {
    char *name; /* owned */
    struct report_load load;
    size_t bin_count;
    struct report_load_bin bins[REPORT_LOAD_BINS]; /* by number in flight */
    double slope;                /* of ln(median duration) over ln(1 + in flight) */
    struct report_load_bin idle; /* that met no other one of their name */
    struct report_arrivals arrivals;
};

struct report_loads {
    struct report_load all; /* of all names together */
    size_t count;
    struct report_named_load *names; /* owned; by time in flight, falling */
    uint64_t omitted_names;          /* that there was no memory for */
};

/* Frees what loads owns, and loads. Threads: any, on different objects. */
void report_loads_free(struct report_loads *loads);
