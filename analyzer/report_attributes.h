/*
 * Attributes of operations as dimensions. Plain data, part of report.h.
 */
#pragma once

#include "attribute_bins.h"
#include "report_summary.h"

/* Operations that have something in common; durations are NaN where there are too few, or no memory. */
struct report_slice {
    uint64_t count;
    uint64_t errors;
    double p50_ns;
    double p95_ns;
    double p99_ns;
    double max_ns;
};

struct report_attribute_value {
    char *text;
    struct report_slice slice;
};

struct report_attribute {
    char *key;
    uint64_t count;            /* operations that carry it */
    enum report_reason reason; /* why nothing but counts is known; else REASON_NONE */
    size_t value_count;
    struct report_attribute_value *values; /* by count, falling */
    struct report_slice other;             /* of values beyond those listed */
    bool is_sample;                        /* of its values only some were counted, by chance */
    uint64_t other_values;                 /* how many these are, at least */
    struct number_range numbers;
    struct attribute_bins bins;
    struct report_slice slices[ATTRIBUTE_BINS]; /* of the bins */
};
