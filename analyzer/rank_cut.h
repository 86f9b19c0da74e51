/*
 * Where to cut a histogram, so that a share of all is below: between two buckets, at the border that is nearest to the rank
 * and leaves something on both sides. Pure.
 */
#pragma once

#include "base.h"

/*
 * counts    of the buckets, none of them 0
 * from      the cut is there or further up
 * Returns:  the bucket that the cut is in front of; count if there is none: fewer than one is expected above the rank, or
 *           there are no two buckets.
 * Threads:  any.
 */
size_t rank_cut(const uint64_t *counts, size_t count, double rank, size_t from);
