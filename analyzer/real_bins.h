/*
 * The bins of a summary of real numbers; log_bins.h plans those of integers.
 */
#pragma once

#include "log_bins.h"

#include <stdbool.h>

/* What decides how bins are laid. */
struct real_range {
    double min;
    double max;
    double least_positive; /* INFINITY if there is none */
    bool is_integral;      /* all values are integers */
    bool
        is_bucketed; /* values are known by their bucket alone: borders must be borders of buckets */
};

/* Returns the number of bins, 1 to REPORT_MAX_BINS. Threads: any. */
size_t bins_of_reals(const struct real_range *range, struct report_bin ret_bins[REPORT_MAX_BINS]);
