/*
 * A plan and what was counted to the report as plain data.
 */
#pragma once

#include "load_effects.h"
#include "report.h"
#include "report_totals.h"
#include "shared_queues.h"

/*
 * Fills the report.
 *
 * ret_report options are set by the caller; to be released, also after an error
 * totals     finished; its lists are moved into the report, its tallies and the windows are freed on the way
 * queues     finished
 * effects    {0} if nobody asked for the load
 * Returns:   0 or -ENOMEM.
 * Threads:   any, on different objects.
 */
MUST_USE int report_make(struct report *ret_report, const struct report_plan *plan,
                         struct report_totals *totals, struct shared_windows *windows,
                         const struct load_effects *effects, const struct shared_queues *queues);
