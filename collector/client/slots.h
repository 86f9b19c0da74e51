/*
 * Operation slots between threads: full and empty thread caches exchange chains of SLOT_CHAIN slots with one shared list.
 * Lock-free (a tagged list head); async-signal-safe.
 */
#pragma once

#include "base.h"
#include "recorder.h"

#include <stdbool.h>

/*
 * Fills the empty cache of ring with a chain, from the shared list or of slots never used before.
 *
 * Returns:  false if all slots are in use or in other threads' caches.
 * Threads:  the ring's thread, inside a call.
 */
MUST_USE bool slots_refill(struct recorder *recorder, struct ring *ring);

/* Moves the oldest chain of a full cache to the shared list. Threads: as slots_refill(). */
void slots_spill(struct recorder *recorder, struct ring *ring);

/*
 * Gives free slots back to the shared list: those of a thread that died.
 *
 * Threads:  any; the slots belong to the caller.
 */
void slots_give_back(struct recorder *recorder, const uint32_t *indexes, uint32_t count);
