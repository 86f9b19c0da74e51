/*
 * A distribution as a list: how many values there are where, ascending. For statistics that go through all of it.
 */
#pragma once

#include "distribution.h"

/* Values v with low <= v < low + width; width is 1 where the value is known. */
struct distribution_step {
    uint64_t low;
    uint64_t width;
    uint64_t count; /* above 0 */
};

struct distribution_steps {
    size_t count;
    struct distribution_step *steps; /* owned; never NULL after distribution_steps_make() */
};

/*
 * Lists a distribution.
 *
 * in_buckets also values that are kept as they are stand in the bucket that they would fall into: so that two distributions
 *            are listed alike
 * Returns:   0 or -ENOMEM.
 * Threads:   any, on different objects.
 */
MUST_USE int distribution_steps_make(struct distribution_steps *ret_steps,
                                     const struct distribution *distribution, bool in_buckets);
void distribution_steps_release(struct distribution_steps *steps);
