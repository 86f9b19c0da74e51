/*
 * The samples of a gauge to how long it had which value: each value holds until the next sample of the same process.
 *
 * Frames are counted in any order, so what holds between two samples of one frame is added at once, and what holds from the
 * last sample of a frame to the first one of a later frame when all are there: each frame has a place for its ends.
 */
#pragma once

#include "base.h"

#include <stdbool.h>

enum { GAUGE_LEVELS = 256 }; /* values from the last one on share it */

/* The ends of a frame; times have any origin, but the same one. */
struct gauge_ends {
    bool is_known;
    uint64_t first_ns;
    uint64_t last_ns;
    uint64_t last_value;
};

/* {0} has no memory yet. Guarded by whoever shares it, but for the ends of a frame: they belong to who counts the frame. */
struct gauge_steps {
    size_t frame_count;
    struct gauge_ends *ends; /* owned */
    uint64_t samples;
    uint64_t level_ns[GAUGE_LEVELS]; /* how long it had each value */
};

/* Returns 0 or -ENOMEM. Threads: one object, one thread at a time, as all functions here. */
MUST_USE int gauge_steps_init(struct gauge_steps *ret_steps, size_t frame_count);
void gauge_steps_release(struct gauge_steps *steps);

/* Adds the next sample of a frame; those of one frame come in order of time. */
void gauge_steps_add(struct gauge_steps *steps, size_t frame, uint64_t time_ns, uint64_t value);

/*
 * Adds what holds between frames, and from the last sample to end_ns. To be called once, when all frames were added.
 *
 * is_joined  whether nothing is missing between a frame and the one before it; NULL: nothing ever is
 */
void gauge_steps_finish(struct gauge_steps *steps,
                        bool (*is_joined)(const void *context, size_t frame), const void *context,
                        uint64_t end_ns);
