/*
 * The samples and threads of a batch, for frame_tally.c only.
 */
#pragma once

#include "frame_tally.h"

/* Adds samples and threads of the batch at hand. Returns 0 or -ENOMEM. Threads: as frame_tally_add(). */
MUST_USE int frame_samples_add(struct frame_tally *frame_tally);
