#include "thread_reaper.h"

#include "calls.h"
#include "slots.h"
#include "thread_ring.h"

#include <errno.h>
#include <sys/syscall.h>

/*
 * A ring with a younger serial and the same tid: the kernel gave the number to a new thread, so the old one is dead. A ring
 * without a serial is being claimed by a thread, which lives.
 */
static bool was_succeeded(const struct recorder *recorder, const struct ring *ring, uint32_t tid)
{
    uint32_t ring_count = recorder_ring_count(recorder);
    uint32_t serial = atomic_load_explicit(&ring->serial, memory_order_acquire);

    if (serial == 0) {
        return false;
    }
    for (uint32_t i = 0; i < ring_count; i++) {
        const struct ring *other = recorder_ring(recorder, i);

        if (other != NULL && other != ring &&
            atomic_load_explicit(&other->tid, memory_order_acquire) == tid &&
            atomic_load_explicit(&other->serial, memory_order_acquire) > serial) {
            return true;
        }
    }
    return false;
}

static bool is_dead(const struct recorder *recorder, const struct ring *ring, uint32_t tid)
{
    return (syscall(SYS_tgkill, recorder->pid, tid, 0) < 0 && errno == ESRCH) ||
           was_succeeded(recorder, ring, tid);
}

/* Empties the ring's slot cache. Ends that waited for the thread's next call are made by us, in its place. */
static void take_over(struct recorder *recorder, struct ring *ring)
{
    uint32_t indexes[SLOT_CACHE];
    uint32_t count;

    if (ring->deferred != 0) {
        calls_finish_deferred(ring);
    }
    count = ring->cached_slots < SLOT_CACHE ? ring->cached_slots : SLOT_CACHE;
    for (uint32_t i = 0; i < count; i++) {
        indexes[i] = ring->slot_cache[i];
    }
    ring->cached_slots = 0;
    slots_give_back(recorder, indexes, count);
}

static bool reap(struct recorder *recorder, struct ring *ring, struct stager *stager)
{
    AFTER_DEATH(ring);
    take_over(recorder, ring);
    if (!stager_drain(stager, ring)) {
        return false;
    }
    /* Whoever claims it sets the tid first: until it has a serial of its own it must not look like this dead thread. */
    atomic_store_explicit(&ring->serial, 0, memory_order_relaxed);
    /* Pairs with the acquire in claim_used_ring(): whoever takes the ring finds it empty. */
    atomic_store_explicit(&ring->tid, 0, memory_order_release);
    return true;
}

uint32_t thread_reaper_run(struct recorder *recorder, struct stager *stager)
{
    uint32_t ring_count = recorder_ring_count(recorder);
    uint32_t freed = 0;

    for (uint32_t i = 0; i < ring_count; i++) {
        struct ring *ring = recorder_ring(recorder, i);
        uint32_t tid = ring == NULL ? 0 : atomic_load_explicit(&ring->tid, memory_order_acquire);

        if (tid != 0 && is_dead(recorder, ring, tid) && reap(recorder, ring, stager)) {
            freed++;
        }
    }
    return freed;
}
