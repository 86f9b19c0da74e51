/*
 * What the calls of eddy.h share: the slot behind a handle, and ends that had to wait.
 */
#pragma once

#include "recorder.h"
#include "session.h"

/*
 * Finishes the ends that signal handlers asked for while their thread was inside a call.
 *
 * Threads:  the ring's thread, inside a call.
 */
void calls_finish_deferred(struct ring *ring);

/* The slot of an open operation of this session, or NULL: stale, of a parent process, or none. Async-signal-safe. */
static inline struct slot *calls_open_slot(uint64_t operation)
{
    struct slot *slots = session->slots;

    if (UNLIKELY(operation == 0 || slots == NULL)) {
        return NULL;
    }

    struct slot *slot = &slots[operation & session->slot_mask];
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);

    return LIKELY(word == ((operation >> SLOT_INDEX_BITS) | SLOT_LIVE)) ? slot : NULL;
}
