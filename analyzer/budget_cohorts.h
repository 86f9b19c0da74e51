/*
 * A merged budget tally to the budget of a report: operations are cut by duration into the faster half, the next four
 * tenths, the next nine hundredths and the slowest hundredth, and what their time was made of is compared.
 *
 * Borders lie between coarse buckets, as rank_cut.h says. Where there is none, all belongs to the cohort below.
 */
#pragma once

#include "budget_tally.h"
#include "distribution.h"

/*
 * Describes a budget. The parts of each cohort add up to its time, the cohorts to the whole, exactly.
 *
 * duration_ns  of all operations of the name. Those that the tally does not hold came in batches where no operation of the
 *              name said a state: all of their time is unaccounted; how it spreads over the cohorts is exact as long as
 *              the distribution keeps its values, else estimated from its histogram (is_estimated), within 1.6 %
 * Returns:     0 or -ENOMEM.
 * Threads:     any, on different objects.
 */
MUST_USE int budget_cohorts_make(struct report_budget *ret_budget, const struct budget_tally *tally,
                                 const struct distribution *duration_ns);
