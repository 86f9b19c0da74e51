/*
 * Which worker counts which frame: each stays with one session as long as that has frames, so that few sessions are counted
 * twice and merged; when all have begun, those who have nothing left help where most is left.
 */
#pragma once

#include "report_plan.h"

#include <stdatomic.h>

struct frame_queue {
    const struct report_plan *plan; /* borrowed */
    atomic_size_t next_process;     /* that nobody has begun with */
    atomic_size_t next_repeat;
    atomic_size_t *taken; /* owned; of each process: frames handed out, or more */
};

/* Returns 0 or -ENOMEM; *ret_queue is to be released, also after an error. Threads: one. */
MUST_USE int frame_queue_init(struct frame_queue *ret_queue, const struct report_plan *plan);
void frame_queue_release(struct frame_queue *queue);

/*
 * Takes a frame.
 *
 * process   that the worker is at; SIZE_MAX: at none
 * Returns:  an index into plan->frames; SIZE_MAX if all are taken.
 * Threads:  any, as below.
 */
size_t frame_queue_take(struct frame_queue *queue, size_t process);

/* Takes one of plan->repeats, likewise. */
size_t frame_queue_take_repeat(struct frame_queue *queue);
