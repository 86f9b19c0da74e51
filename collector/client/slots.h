/*
 * Operation slots between threads: a thread that ends more operations than it begins puts slots into magazines, and one that
 * begins more takes them out. Lock-free (lists with tagged heads); async-signal-safe.
 *
 * Source:  J. Bonwick, J. Adams, "Magazines and Vmem", USENIX 2001, section 3.
 */
#pragma once

#include "base.h"
#include "recorder.h"

#include <stdbool.h>

/*
 * Fills the empty cache of ring: from a full magazine, of single slots, or of slots never used before.
 *
 * Returns:  false if all slots are in use or in other threads' caches.
 * Threads:  the ring's thread, inside a call.
 */
MUST_USE bool slots_refill(struct recorder *recorder, struct ring *ring);

/* Moves the oldest slots of a full cache to a magazine. Threads: as slots_refill(). */
void slots_spill(struct recorder *recorder, struct ring *ring);

/*
 * Gives free slots back one by one: those of a thread that died, or of an end that found no ring.
 *
 * Threads:  any; the slots belong to the caller.
 */
void slots_give_back(struct recorder *recorder, const uint32_t *indexes, uint32_t count);
