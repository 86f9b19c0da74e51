/*
 * Batch to frame: makes a batch of what was drained, sampled and lost, encodes it and puts the frame into the outbox. The
 * only place where sequences are given out.
 */
#pragma once

#include "batch_build.h"
#include "batch_encode.h"
#include "loss_watch.h"
#include "open_operations.h"
#include "outbox.h"
#include "sample_buffer.h"

struct frame_maker {
    struct recorder *recorder; /* borrowed, as the outbox */
    struct outbox *outbox;
    uint64_t sequence; /* of the newest batch; 0: none yet */
    struct tick_clock clock;
    struct loss_watch watch;
    struct recorder_books books; /* as they were shown last */
    struct open_operations open; /* owned, as the following */
    struct batch_builder builder;
    struct batch_encoder *encoder;
    uint8_t *frame;
    size_t frame_size; /* bytes of room */
};

/*
 * Returns:  0 or -ENOMEM.
 * Threads:  the flusher's only, as all functions here.
 */
MUST_USE int frame_maker_init(struct frame_maker *maker, struct recorder *recorder,
                              struct outbox *outbox);
void frame_maker_release(struct frame_maker *maker);

/*
 * Makes a frame of all that stager and samples hold and of the losses not told yet, and empties both. What finds no room is
 * counted as lost. Does nothing if there is nothing to tell.
 */
void frame_maker_make(struct frame_maker *maker, struct stager *stager,
                      struct sample_buffer *samples, uint64_t sample_period_ns);

/*
 * Makes the last frame of the session: no rows, the final totals, what is still open.
 *
 * Returns:  false if the outbox has no room for it until something is acknowledged.
 */
MUST_USE bool frame_maker_say_goodbye(struct frame_maker *maker);
