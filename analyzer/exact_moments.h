/*
 * Sum, mean and standard deviation from exact sums. The sums are wide integers in units of 2^unit_exponent (of its square
 * for the squares), so that nothing cancels however far the values lie from 0.
 */
#pragma once

#include "wide_integers.h"

enum {
    MOMENTS_MAX_LIMBS = 40, /* of the sum; the squares may have twice as many */
};

struct exact_sums {
    uint64_t count;
    const uint64_t *sum;        /* borrowed; the magnitude, limb_count limbs */
    const uint64_t *square_sum; /* borrowed; square_limb_count limbs, at most 2 * limb_count + 1 */
    size_t limb_count;          /* at most MOMENTS_MAX_LIMBS */
    size_t square_limb_count;
    int unit_exponent;
};

/* Returns the magnitude of the sum; infinite if it is beyond a double. Threads: any, as below. */
double exact_sum(const struct exact_sums *sums);

/* The magnitude of the mean; NaN if count is 0. */
double exact_mean(const struct exact_sums *sums);

/* The standard deviation of the sample, sqrt((S2 - S1^2 / n) / (n - 1)); NaN if count is below 2. */
double exact_stddev(const struct exact_sums *sums);
