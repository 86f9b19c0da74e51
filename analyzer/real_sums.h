/*
 * Sum and sum of squares of real numbers, exact: fixed-point numbers that span all exponents of a double. So they
 * depend neither on the order of adding nor on how far the values lie from 0.
 *
 * Source:  R. Neal, "Fast exact summation using small and large superaccumulators", 2015; this is a small one with full limbs.
 */
#pragma once

#include "wide_integers.h"

enum {
    /* A double has 2098 bits from 2^-1074 to 2^1023; 64 more are for the count. */
    REAL_SUM_LIMBS = 34,
    REAL_SQUARE_LIMBS = 67,
};

/* {0} is an empty one. */
struct real_sums {
    uint64_t count;
    uint64_t positive[REAL_SUM_LIMBS];   /* in units of 2^-1074 */
    uint64_t negative[REAL_SUM_LIMBS];   /* magnitude of the negative ones */
    uint64_t squares[REAL_SQUARE_LIMBS]; /* in units of 2^-2148 */
};

/* Adds a finite value. Threads: one object, one thread at a time, as all functions here. */
void real_sums_add(struct real_sums *sums, double value);
void real_sums_merge(struct real_sums *sums, const struct real_sums *source);

/* What does not fit into a double, or needs more values, is NaN. */
struct real_moments {
    double sum;
    double mean;
    double stddev; /* of the sample */
};
struct real_moments real_sums_moments(const struct real_sums *sums);
