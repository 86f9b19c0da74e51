/*
 * Integers to the buckets of a log-linear histogram: the busiest histograms of the analyzer are all made of these codes, so
 * that each value is looked at once.
 *
 * A value below 2^8 is its own code. A greater one has octave = floor(log2 value) - 7, and
 * code = octave * 256 + the 8 bits behind its leading one. So codes are in the order of values, and adjacent ones have no gap.
 */
#pragma once

#include "base.h"

enum {
    LOG_CODE_BITS = 8,
    LOG_CODES_PER_OCTAVE = 1 << LOG_CODE_BITS,
    LOG_CODE_OCTAVES = 64 - LOG_CODE_BITS + 1, /* the first holds the values below 2^8 */
};

/* Threads: any, as below. */
static inline uint16_t log_code_of(uint64_t value)
{
    unsigned int shift =
        63 - LOG_CODE_BITS - (unsigned int)__builtin_clzll(value | LOG_CODES_PER_OCTAVE);

    return (uint16_t)((shift << LOG_CODE_BITS) + (unsigned int)(value >> shift));
}

/*
 * The codes of many values.
 *
 * Cost:    0.2 ns per value below 2^52 with AVX2, else 1 ns.
 */
void log_codes_of(uint16_t *restrict ret_codes, const uint64_t *restrict values, size_t count);
