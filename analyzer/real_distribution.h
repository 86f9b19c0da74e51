/*
 * The distribution of real numbers, of either sign: the values of metrics. Goes into a struct report_summary.
 *
 * As distribution.h, but the buckets are made of sign, exponent and the first 8 bits of the mantissa of the double, so that a
 * bucket's middle is off by at most 2^-9 of the value; 0 has a bucket of its own. Sum and sum of squares are kept exactly
 * (as wide fixed-point numbers), so that the order of adding and merging does not show in the last bit.
 */
#pragma once

#include "base.h"
#include "report_summary.h"

#include <stdbool.h>

struct real_distribution;

MUST_USE int real_distribution_new(struct real_distribution **ret_distribution);
void real_distribution_free(struct real_distribution *distribution);

/*
 * Adds one value; NaN and infinities are not added but counted, see real_distribution_rejected().
 *
 * Returns:  0 or -ENOMEM; then the distribution is to be dropped.
 * Threads:  one distribution, one thread at a time, as all functions here.
 */
MUST_USE int real_distribution_add(struct real_distribution *distribution, double value);

/* Adds all that source, another one, holds. Returns 0 or -ENOMEM, as real_distribution_add(). */
MUST_USE int real_distribution_merge(struct real_distribution *distribution,
                                     const struct real_distribution *source);
uint64_t real_distribution_rejected(const struct real_distribution *distribution);

/* Bytes of memory that it holds, itself included: 2 KiB per octave and sign beyond DISTRIBUTION_MAX_EXACT values. */
size_t real_distribution_memory_bytes(const struct real_distribution *distribution);

/*
 * As distribution_summarize(). Bins are spaced logarithmically only if no value is negative and they span more than an octave;
 * 0 has a bin of its own then. Few different integers have a bin each.
 */
void real_distribution_summarize(const struct real_distribution *distribution,
                                 struct report_summary *ret_summary);
