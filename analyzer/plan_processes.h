/*
 * Sessions as the files know them to the processes of a plan: each session once, with its Source, its latest totals, its
 * clock and what its collector lost.
 */
#pragma once

#include "report_plan.h"

/*
 * Fills plan->processes and inputs[].processes from the sorted inputs.
 *
 * Returns:  0 or -ENOMEM.
 * Threads:  one plan, one thread at a time.
 */
MUST_USE int plan_processes_make(struct report_plan *plan);
