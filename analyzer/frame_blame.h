/*
 * A batch's long runs and long waits to the lists of the session: blame_rows.h.
 */
#pragma once

#include "base.h"

struct frame_tally;

/* Returns 0 or -ENOMEM. Threads: one frame_tally, one thread at a time. */
MUST_USE int frame_blame_add(struct frame_tally *frame_tally);
