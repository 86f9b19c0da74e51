/*
 * Where the time of the operations of one name went, from the usual ones to the slowest. Plain data, part of report.h.
 */
#pragma once

#include "batch.h"
#include "report_summary.h"

/* The parts that a duration is made of: the states, and the rest. */
enum {
    BUDGET_UNACCOUNTED = STATE_COUNT, /* no state was said */
    BUDGET_PART_COUNT,
};

/* What else happened while an operation said that it was running: see running_split.h. */
enum running_estimate {
    RUNNING_NOT_ON_CPU,
    RUNNING_THROTTLED,
    RUNNING_IN_GC,
    RUNNING_ESTIMATE_COUNT,
};

/* The operations of a name by duration. Borders lie where coarse buckets begin, the nearest to the rank that is asked for. */
enum cohort_rank {
    COHORT_P0_50,
    COHORT_P50_90,
    COHORT_P90_99,
    COHORT_ABOVE_P99,
    COHORT_COUNT,
};

/* An exact sum of ns: digits, because it may be beyond 64 bits. */
enum { BUDGET_DIGITS_BYTES = 40 };

struct report_budget_part {
    char sum_ns[BUDGET_DIGITS_BYTES];
    double mean_ns; /* NaN without operations */
    double share;   /* of the time of the cohort; NaN if that is 0 */
};

struct report_cohort {
    uint64_t count;
    double from_ns; /* least duration */
    double to_ns;   /* durations are below; INFINITY: all that are at least from_ns */
    char sum_ns[BUDGET_DIGITS_BYTES];
    double mean_ns;
    struct report_budget_part parts[BUDGET_PART_COUNT];
    double running_ns[RUNNING_ESTIMATE_COUNT]; /* mean; part of that of running; NaN: no source */
    double sampled_share; /* of the running time, of which not_on_cpu is known; NaN without any */
};

/* The tail (above p99) against the usual (p0-50). */
struct report_tail_growth {
    enum report_reason reason; /* why there is none */
    double ns;                 /* mean of the tail - mean of the usual */
    double part_ns[BUDGET_PART_COUNT];
    double running_ns[RUNNING_ESTIMATE_COUNT];
    int greatest_part; /* that grew most */
};

struct report_budget {
    uint64_t stated_count;  /* operations that said at least one state */
    uint64_t trimmed_count; /* operations whose states said more than they lasted */
    double trimmed_ns;
    bool is_estimated; /* sums of operations without states were spread over cohorts by estimate */
    struct report_cohort cohorts[COHORT_COUNT];
    struct report_cohort all;
    struct report_tail_growth tail;
};
