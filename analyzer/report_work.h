/*
 * The second pass: threads take the frames of a plan one after the other, decode them and count their rows.
 */
#pragma once

#include "frame_tally.h"
#include "report_totals.h"

/* A frame that turned out to be damaged: the plan rests on a head that is not to be trusted. */
struct bad_frame {
    uint32_t input;
    uint64_t offset_bytes;
};

struct report_work {
    const struct report_plan *plan; /* borrowed, as the next two */
    const struct frame_context *context;
    struct report_totals *totals;
    void (*tell_progress)(void *listener, uint64_t done, uint64_t total); /* may be NULL */
    void *listener;

    size_t bad_count;
    size_t bad_capacity;
    struct bad_frame *bad_frames; /* owned; in any order */
};

/*
 * Counts all frames; of repeats only the checksums are tested.
 *
 * Returns:  0; -ENOMEM, -EAGAIN if a thread cannot be started, -E2BIG if the memory is used up. With work->bad_count > 0 the
 *           totals are worthless: scan again without those frames. bad_frames is to be freed.
 * Threads:  one; starts plan->memory.jobs more. tell_progress() is called by the calling thread.
 */
MUST_USE int report_work_run(struct report_work *work);
