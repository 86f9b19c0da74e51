/*
 * The buckets of real numbers: sign, exponent and the first 8 bits of the mantissa, numbered in the order of the values. The
 * number is that of the double's bits, so that no logarithm is needed.
 *
 * A bucket of positive values is [low, low + width), one of negative values likewise: its low border has the greater magnitude
 * and belongs to it. 0 (and -0) has a bucket of its own, with width 0. A bucket's middle is off by at most 2^-9 of a value,
 * but for magnitudes up to 2^-1022, where doubles have no full mantissa.
 */
#pragma once

#include "base.h"

enum {
    REAL_BUCKET_BITS = 8,
    REAL_BUCKETS = 1 << REAL_BUCKET_BITS, /* per octave, and per page of counts */
    REAL_BUCKET_ZERO = (1 << 19) - 1,     /* the number of 0's bucket */
};

/* The number of a finite value's bucket, 0 to 2^20 - 1; a greater value has the same or a greater one. Threads: any, as below. */
uint32_t real_bucket_of(double value);

/* The least value of a bucket. */
double real_bucket_low(uint32_t bucket);

/*
 * An estimate for one of the values in a bucket, by its place among them (0 is the least, count - 1 the greatest): spread
 * evenly, but kept where it is within 2^-9 of every value that may be in the bucket.
 */
double real_bucket_value(uint32_t bucket, uint64_t place, uint64_t count);

/* Numbers in the order of the values, for sorting; -0 becomes 0. */
uint64_t real_to_key(double value);
double real_from_key(uint64_t key);
