/*
 * What operations of a batch carry besides their times (states, queues, attributes), and operations that are still open; for
 * frame_tally.c only.
 */
#pragma once

#include "frame_tally.h"

/* Adds the details of the batch at hand. Returns 0 or -ENOMEM. Threads: as frame_tally_add(). */
MUST_USE int frame_details_add(struct frame_tally *frame_tally);
