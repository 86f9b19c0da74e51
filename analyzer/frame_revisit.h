/*
 * Frames of a plan a second time, for what can only be asked when the first pass has answered: threads decode them one by one
 * and show them to a visitor.
 */
#pragma once

#include "report_plan.h"

/*
 * Looks at a batch.
 *
 * context  of frame_revisit_run()
 * worker   number of the calling thread, below plan->memory.jobs: for memory that it has to itself
 * Returns: 0, or a negative errno, which ends everything.
 */
typedef int frame_visit_function(void *context, size_t worker, const struct plan_frame *frame,
                                 const struct batch *batch);

/*
 * Shows all frames to visit(), in any order.
 *
 * Returns: 0; the first error of visit(); -ENOMEM, -EAGAIN if no thread can be started; what reading says if a file has
 *          changed since the first pass.
 * Threads: one; starts plan->memory.jobs more, which call visit().
 */
MUST_USE int frame_revisit_run(const struct report_plan *plan, frame_visit_function *visit,
                               void *context);
