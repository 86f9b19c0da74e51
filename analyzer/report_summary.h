/*
 * A distribution as it stands in a report: the end of the statistics, the beginning of the renderers. Plain data.
 *
 * Durations are in ns, values of metrics in the unit of the metric. NaN means "no value"; the reason stands beside it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REPORT_QUANTILE_COUNT = 11,
    REPORT_MAX_BINS = 64,
};

/* The ranks of every summary, ascending: .01 .05 .10 .25 .50 .75 .90 .95 .99 .999 .9999 */
extern const double report_quantile_ranks[REPORT_QUANTILE_COUNT];

enum {
    RANK_P1,
    RANK_P5,
    RANK_P10,
    RANK_P25,
    RANK_P50,
    RANK_P75,
    RANK_P90,
    RANK_P95,
    RANK_P99,
    RANK_P999,
    RANK_P9999
};

/* Why there is no value. */
enum report_reason {
    REASON_NONE,
    REASON_NO_DATA,      /* n = 0 */
    REASON_TOO_FEW,      /* n is too small for this statistic */
    REASON_BEYOND_DATA,  /* the interval ends beyond the least or the greatest value */
    REASON_NOT_RECORDED, /* the program or the file does not say */
    REASON_MEMORY_LIMIT, /* --memory left no room for it */
    REASON_COUNT,
};

/* As it stands in JSON: "too_few". Threads: any. */
const char *report_reason_name(enum report_reason reason);

struct report_quantile {
    double value;
    double low; /* 95 % interval; NaN if there is none */
    double high;
    enum report_reason reason; /* why value is NaN, or else why low or high is */
};

/* Values v with low <= v < high; the last bin includes high. */
struct report_bin {
    double low;
    double high;
    uint64_t count;
};

struct report_summary {
    uint64_t count;
    double sum;
    double min;
    double max;
    double mean;
    double stddev;               /* of the sample (n - 1); NaN below two values */
    bool is_exact;               /* quantiles are of the raw values, not of a histogram */
    double relative_error_bound; /* of quantiles; 0 if exact */
    struct report_quantile quantiles[REPORT_QUANTILE_COUNT];
    size_t bin_count;
    struct report_bin bins[REPORT_MAX_BINS];
};
