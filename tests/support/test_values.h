/*
 * Values for tests of statistics: seeded shapes that are hard on them, and what a summary of any values must fulfil.
 */
#pragma once

#include "report_summary.h"

enum value_shape {
    SHAPE_UNIFORM,
    SHAPE_LOG_UNIFORM, /* 0 to 2^62 */
    SHAPE_DURATIONS,   /* a few octaves around a million, with a tail */
    SHAPE_TICKS,       /* multiples of a clock's resolution, at the beginning of octaves */
    SHAPE_TWO_MODES,   /* two values only */
    SHAPE_FAR_FROM_0,  /* 10^18 and a little */
    SHAPE_SMALL,       /* 0 to 600: buckets of one value, and the first wider ones */
    SHAPE_CONSTANT,
    SHAPE_COUNT,
};

/* Fills values; the same for the same shape, count and seed. */
void test_values(enum value_shape shape, uint64_t seed, uint64_t *ret_values, size_t count);

/* A random number of a sequence. */
uint64_t test_random(uint64_t *state);

/* Shuffles. */
void test_shuffle(uint64_t *state, uint64_t *values, size_t count);

/* Checks with Criterion that the bins are ascending without gaps from least to greatest and count the sorted values that they hold. */
void test_check_bins(const struct report_summary *summary, const double *sorted, size_t count);

/* Checks with Criterion that two summaries are the same to the last bit of every number. */
void test_check_same(const struct report_summary *found, const struct report_summary *expected);
