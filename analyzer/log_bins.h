/*
 * The bins of a summary: at most REPORT_MAX_BINS, without gaps from the least to the greatest value. Borders lie where buckets
 * of the histogram begin, so that every value is counted in the bin that it belongs to.
 */
#pragma once

#include "base.h"
#include "report_summary.h"

/*
 * Plans the bins of integers: of equal width if max < 2 min or if there is one for each integer, else spaced
 * logarithmically, each octave cut linearly (the borders need no logarithm and so are the same on every machine). 0 has
 * a bin of its own then.
 *
 * unit        borders of bins of equal width are multiples of it: 1, or the widest bucket's width
 * ret_bins    counts are 0
 * Returns:    the number of bins, 1 to REPORT_MAX_BINS.
 * Threads:    any, as below.
 */
size_t bins_of_integers(uint64_t min, uint64_t max, uint64_t unit,
                        struct report_bin ret_bins[REPORT_MAX_BINS]);

/*
 * Counts values that come in ascending order.
 *
 * at          the bin of the value before, 0 at first
 * Returns:    the value's bin, to be given with the next one.
 */
size_t bins_count(struct report_bin *bins, size_t bin_count, size_t at, double value,
                  uint64_t count);

/* Makes bins of ascending borders; those that are not above the one before are left out. Returns how many there are now. */
size_t bins_add_border(struct report_bin *bins, size_t bin_count, double border);
