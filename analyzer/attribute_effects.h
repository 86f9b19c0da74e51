/*
 * How long operations took that carry a value of an attribute: a second pass over all frames, when it is known which values
 * are frequent and what range numbers have.
 */
#pragma once

#include "attribute_text.h"
#include "report.h"
#include "report_plan.h"

/*
 * Fills the slices of all attributes of a report, as many as there is memory for: those of the operations that come first.
 *
 * report    made, but for the slices' errors and durations
 * Returns:  0 or what frame_revisit_run() returns.
 * Threads:  one; starts plan->memory.jobs more.
 */
MUST_USE int attribute_effects_find(struct report *report, const struct report_plan *plan,
                                    const struct redacted_keys *redacted);
