/*
 * The distribution of unsigned integers: durations in ns, depths of queues. Goes into a struct report_summary.
 *
 * Keeps the values themselves while there are at most DISTRIBUTION_MAX_EXACT, so that quantiles are exact; beyond that a
 * log-linear histogram: a value below 2^8 has a bucket of its own, a greater one with e = floor(log2 v) falls into one of
 * 256 buckets of its octave, whose middle is off by at most 2^-9 (0.195 %). Quantiles spread the members of a bucket evenly, but
 * only as far as they stay within that bound of every value that may be in it. Count, least,
 * greatest, sum (128 bits) and sum of squares (192 bits) are always exact.
 *
 * Adding and merging in any order leaves the same distribution, and so the same summary, to the last bit.
 *
 * Source:  the bucket scheme of HdrHistogram (G. Tene) with a power of two per octave; quantiles of Hyndman and Fan,
 *          "Sample Quantiles in Statistical Packages", American Statistician 50(4), 1996, type 7.
 */
#pragma once

#include "log_codes.h"
#include "report_summary.h"
#include "wide_integers.h"

#include <stdbool.h>

enum {
    DISTRIBUTION_MANTISSA_BITS = LOG_CODE_BITS,
    DISTRIBUTION_BUCKETS = LOG_CODES_PER_OCTAVE, /* per octave: one for each code of log_codes.h */
    DISTRIBUTION_OCTAVES = LOG_CODE_OCTAVES,
    DISTRIBUTION_MAX_EXACT = 4096,
};

/* {0} is an empty one. */
struct distribution {
    uint64_t count;
    uint64_t min; /* valid if count > 0, as max */
    uint64_t max;
    uint128 sum;
    uint64_t square_sum[3]; /* little-endian limbs */
    uint64_t *values;       /* owned; unsorted; NULL once there is a histogram */
    uint32_t value_capacity;
    bool has_histogram;
    /* The histogram: the octaves from that of the least value to that of the greatest, one behind the other. */
    uint64_t *counts; /* owned */
    uint64_t
        *octaves[DISTRIBUTION_OCTAVES]; /* within counts: DISTRIBUTION_BUCKETS each; else NULL */
};

void distribution_release(struct distribution *distribution);

/*
 * Adds values.
 *
 * Returns:  0 or -ENOMEM; then none or some were added: the distribution is to be dropped.
 * Threads:  one distribution, one thread at a time, as all functions here.
 * Cost:     1.2 ns per value once there is a histogram (2 ns from 2^32 on).
 */
MUST_USE int distribution_add(struct distribution *distribution, const uint64_t *values,
                              size_t count);

/* The same where log_codes_of() the values is known already. */
MUST_USE int distribution_add_coded(struct distribution *distribution, const uint64_t *values,
                                    const uint16_t *codes, size_t count);

/* Adds all that source, another one, holds; source is not changed. Returns 0 or -ENOMEM, as distribution_add(). */
MUST_USE int distribution_merge(struct distribution *distribution,
                                const struct distribution *source);

/* Bytes of memory that it holds, besides the struct. */
size_t distribution_memory_bytes(const struct distribution *distribution);

/*
 * Describes it: moments within 1e-9, quantiles with 95 % intervals (of order statistics, by the binomial distribution),
 * at most REPORT_MAX_BINS bins spaced logarithmically (linearly if max / min is small).
 *
 * A quantile p is refused as REASON_TOO_FEW where fewer than one value is expected on its far side: n (1 - p) < 1 or
 * n p < 1 (p50 needs one value); an interval that would need ranks beyond the data has that side NaN (REASON_BEYOND_DATA).
 * Also a histogram is exact as long as all values are below 2^9, where a bucket holds one value.
 */
void distribution_summarize(const struct distribution *distribution,
                            struct report_summary *ret_summary);

/* The quantile p by type 7, or NaN where it is refused. For lists that show a few only. */
double distribution_quantile(const struct distribution *distribution, double p);

/* Several quantiles at once: what they have in common takes more time than each. */
void distribution_quantiles(const struct distribution *distribution, const double *p, size_t count,
                            double *ret_quantiles);
