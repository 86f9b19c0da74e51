/*
 * The survival curve of durations of which some are known only to be at least so long (right-censored), by Kaplan and Meier:
 * S(t) = product over t_i <= t of (1 - d_i / n_i), with d_i operations that ended at t_i and n_i that lasted so long at least.
 * Those that are censored at t_i are among the n_i. Pure.
 *
 * Source:  Kaplan and Meier, "Nonparametric Estimation from Incomplete Observations", JASA 53, 1958; variance of Greenwood,
 *          intervals of log(-log S): Kalbfleisch and Prentice, "The Statistical Analysis of Failure Time Data", 1.4.
 */
#pragma once

#include "distribution_steps.h"
#include "report_summary.h"

struct survival_point {
    double time; /* the middle of a bucket where the value is not known */
    uint64_t at_risk;
    uint64_t ended;
    double survival;
    double low;  /* 95 %; 0 where survival is 0 */
    double high; /* NaN where survival is 0 */
};

struct survival_curve {
    uint64_t total; /* ended and censored */
    size_t count;
    struct survival_point *points; /* owned; by time, ascending */
};

/*
 * Makes the curve.
 *
 * ended     those whose duration is known, ascending
 * censored  the others; in buckets if ended is
 * Returns:  0 or -ENOMEM.
 * Threads:  any, on different objects.
 */
MUST_USE int kaplan_meier_make(struct survival_curve *ret_curve,
                               const struct distribution_steps *ended,
                               const struct distribution_steps *censored);
void survival_curve_release(struct survival_curve *curve);

/*
 * The quantile p: the least t with S(t) <= 1 - p. NaN with REASON_BEYOND_DATA if the curve does not come down to that: it is
 * greater than all that was seen. Refused as any quantile where less than one operation is expected on its far side.
 */
struct report_quantile survival_quantile(const struct survival_curve *curve, double p);
