#include "real_bins.h"

#include "real_buckets.h"

#include <math.h>

enum { MAX_BORDERS = REPORT_MAX_BINS - 1 };

static size_t add_border(const struct real_range *range, struct report_bin *bins, size_t count,
                         double border)
{
    return bins_add_border(bins, count,
                           range->is_bucketed ? real_bucket_low(real_bucket_of(border)) : border);
}

/* Borders that are multiples of a whole number. */
static size_t integral_bins(const struct real_range *range, struct report_bin *bins, size_t count)
{
    double width = fmax(1, ceil((range->max - range->min) / MAX_BORDERS));
    double first = floor(range->min / width) + 1;

    for (int i = 0; i < MAX_BORDERS && (first + i) * width <= range->max; i++) {
        count = add_border(range, bins, count, (first + i) * width);
    }
    return count;
}

static size_t equal_bins(const struct real_range *range, struct report_bin *bins, size_t count)
{
    for (int i = 1; i < REPORT_MAX_BINS; i++) {
        double part = (double)i / REPORT_MAX_BINS;

        /* Not min + part * (max - min), which may be infinite; rounding may lead beyond max. */
        double border = fmin((1 - part) * range->min + part * range->max, range->max);

        count = add_border(range, bins, count, border);
    }
    return count;
}

static size_t octave_bins(const struct real_range *range, struct report_bin *bins, size_t count)
{
    if (range->min == 0) {
        count = add_border(range, bins, count, range->least_positive);
    }

    uint32_t first = real_bucket_of(range->least_positive);
    uint32_t last = real_bucket_of(range->max);
    uint32_t most = REPORT_MAX_BINS - (uint32_t)count;
    uint32_t width = (last - first + most - 1) / most;

    for (uint32_t i = 1; i <= most && first + i * width <= last; i++) {
        count = add_border(range, bins, count, real_bucket_low(first + i * width));
    }
    return count;
}

size_t bins_of_reals(const struct real_range *range, struct report_bin ret_bins[REPORT_MAX_BINS])
{
    size_t count = bins_add_border(ret_bins, 0, range->min);
    bool is_few = range->is_integral && range->max - range->min <= MAX_BORDERS;
    bool is_wide = range->min >= 0 && range->max / 2 >= range->least_positive;

    if (is_wide && !is_few) {
        count = octave_bins(range, ret_bins, count);
    } else if (range->is_integral) {
        count = integral_bins(range, ret_bins, count);
    } else {
        count = equal_bins(range, ret_bins, count);
    }
    ret_bins[count - 1].high = range->max;
    return count;
}
