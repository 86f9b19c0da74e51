/*
 * The frames of all files to the frames of a plan: in the order of processes and sequences, each batch once.
 */
#pragma once

#include "report_plan.h"

/*
 * Fills plan->frames, plan->repeats and what processes and inputs say of them. Of several frames with the same session and
 * sequence the first in the order of inputs is read.
 *
 * Returns:  0 or -ENOMEM.
 * Threads:  one plan, one thread at a time.
 */
MUST_USE int plan_frames_make(struct report_plan *plan);
