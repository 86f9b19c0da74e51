/*
 * Numbers in bins: what numeric values of attributes are told apart by. Pure.
 *
 * One bin holds what is not above 0. Positive numbers have at most ATTRIBUTE_BINS less one, spaced logarithmically: each spans some
 * octaves, or an octave is cut into equal parts where there are few. Borders are exact: no logarithm is taken.
 */
#pragma once

#include "base.h"

#include <stdbool.h>

enum { ATTRIBUTE_BINS = 16 };

/* What was seen of a key. {0}: nothing. Merging in any order leaves the same. */
struct number_range {
    uint64_t count; /* of finite numbers */
    uint64_t above_0;
    double least; /* valid if count > 0, as greatest */
    double greatest;
    double least_above_0; /* valid if above_0 > 0 */
};

/* Adds a number; what is not finite is left out. Threads: one object, one thread at a time, as all functions here. */
void number_range_add(struct number_range *range, double number);
void number_range_merge(struct number_range *range, const struct number_range *source);

struct attribute_bins {
    size_t count;
    bool has_below; /* bin 0 holds what is not above 0 */
    double borders
        [ATTRIBUTE_BINS +
         1]; /* numbers n with borders[i] <= n < borders[i + 1]; the last bin includes its end */
};

/* Threads: any. */
struct attribute_bins attribute_bins_make(const struct number_range *range);

/* The bin of a number, or SIZE_MAX of what is not finite or lies outside. */
size_t attribute_bins_find(const struct attribute_bins *bins, double number);
