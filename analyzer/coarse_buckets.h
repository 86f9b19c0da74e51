/*
 * The coarse log-linear buckets of unsigned integers: 32 an octave, so that a bucket is at most 3.2 % wide. A value below
 * 2^5 has a bucket of its own. Each bucket is a number of whole buckets of struct distribution.
 */
#pragma once

#include "base.h"

enum {
    COARSE_MANTISSA_BITS = 5,
    COARSE_OCTAVE_BUCKETS = 1 << COARSE_MANTISSA_BITS,
    COARSE_OCTAVES = 64 - COARSE_MANTISSA_BITS + 1, /* the first holds the values below 2^5 */
    COARSE_BUCKETS = COARSE_OCTAVES * COARSE_OCTAVE_BUCKETS,
};

/* The bucket of a value, below COARSE_BUCKETS. Threads: any, as below. */
static inline size_t coarse_bucket_of(uint64_t value)
{
    unsigned int octave = 64 - COARSE_MANTISSA_BITS -
                          (unsigned int)__builtin_clzll(value | (COARSE_OCTAVE_BUCKETS - 1));
    unsigned int shift = octave - (octave != 0);

    return octave * (size_t)COARSE_OCTAVE_BUCKETS +
           (size_t)((value >> shift) % COARSE_OCTAVE_BUCKETS);
}

/* The least value of a bucket. */
static inline uint64_t coarse_bucket_low(size_t bucket)
{
    size_t octave = bucket / COARSE_OCTAVE_BUCKETS;
    uint64_t mantissa = (octave != 0 ? COARSE_OCTAVE_BUCKETS : 0U) + bucket % COARSE_OCTAVE_BUCKETS;

    return mantissa << (octave - (octave != 0));
}
