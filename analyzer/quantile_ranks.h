/*
 * From sorted values to quantiles: which ranks a quantile and its interval are read from, and when it is refused. Knows
 * nothing of how the values are kept: it asks for the value of a rank.
 *
 * Source:  Hyndman and Fan, "Sample Quantiles in Statistical Packages", American Statistician 50(4), 1996, type 7.
 *          The interval is that of order statistics: David and Nagaraja, "Order Statistics", 3rd edition, 7.1.
 */
#pragma once

#include "base.h"
#include "report_summary.h"

/* n values by rank: 0 is the least, count - 1 the greatest. */
struct ranked_values {
    uint64_t count;
    double min; /* what value_of() returns is kept within */
    double max;
    const void *values;
    double (*value_of)(const void *values, uint64_t rank);
};

/*
 * Why the quantile p of count values is refused: fewer than one value is expected on its far side. The median needs one value.
 *
 * Returns:  REASON_NONE, REASON_NO_DATA or REASON_TOO_FEW.
 * Threads:  any, as all functions here.
 */
enum report_reason quantile_refusal(uint64_t count, double p);

/*
 * The ranks between which the true quantile p lies with 95 % confidence: l = B^-1(.025; n, p), u = B^-1(.975; n, p) + 1, with
 * B^-1 the quantile of the binomial distribution. Ranks count from 1 here; *ret_low is 0, and *ret_high count + 1, where the data does not
 * reach that far.
 *
 * Cost:     O(sqrt(n)) up to n p (1 - p) = 10^8, from where a Cornish-Fisher expansion is within one rank.
 */
void quantile_interval_ranks(uint64_t count, double p, uint64_t *ret_low, uint64_t *ret_high);

/* The quantile p by type 7, or NaN if it is refused. */
double quantile_of_ranked(const struct ranked_values *ranked, double p);

/* The same with its interval. */
void quantile_summarize(const struct ranked_values *ranked, double p,
                        struct report_quantile *ret_quantile);
