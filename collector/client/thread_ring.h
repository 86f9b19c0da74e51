/*
 * The calling thread's ring: entering a call, publishing a record, leaving.
 *
 * A call enters, which marks the ring as busy, so that a signal handler that interrupts it on the same thread is refused
 * and counted instead of corrupting it; and leaves. Nothing in between waits for anybody.
 *
 * Why this is safe: the producer's fields of a ring are touched by its thread only (and by its signal handlers, which find
 * it busy); `published` and `consumed` are the only words shared with the flusher.
 */
#pragma once

#include "base.h"
#include "recorder.h"
#include "session.h"

#include <stdbool.h>

/*
 * Who reaps a ring reads what its thread wrote last with nothing to pair with: the kernel's answer that the thread is gone
 * is the only order there is, and ThreadSanitizer must be told of it. Elsewhere these are nothing.
 */
#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#define BEFORE_DEATH(ring) __tsan_release(ring)
#define AFTER_DEATH(ring) __tsan_acquire(ring)
#else
#define BEFORE_DEATH(ring) ((void)(ring))
#define AFTER_DEATH(ring) ((void)(ring))
#endif

/* What a refused call is counted as. */
enum call_kind { CALL_OPERATION, CALL_SAMPLE, CALL_MARK, CALL_LONG_RUN, CALL_UNCOUNTED };

/* The ring of this thread; of the current session if its epoch is the session's. One pointer, no destructor. */
extern __thread struct ring *thread_ring __attribute__((tls_model("initial-exec")));

/*
 * Starts the session. Handlers that interrupt this thread meanwhile are refused and counted: they would wait for it forever.
 *
 * Returns:  as session_start(); -EALREADY in such a handler.
 * Threads:  any; leaves the thread without a ring if it started or waited.
 */
MUST_USE int thread_ring_start(void);

/* The rest of thread_ring_enter(): first call, re-entry, deferred ends, no session, no ring. */
struct ring *thread_ring_enter_slowly(enum call_kind kind);

/* The rest of thread_ring_room(): looks how far the flusher is, and wakes it when the ring is half full. */
bool thread_ring_make_room(struct ring *ring, uint64_t entries);

/* Counts a record that was not kept. Threads: the ring's thread and its signal handlers. */
void thread_ring_count_loss(struct ring *ring, enum call_kind kind, enum loss_cause cause);

/* Whether a call may begin at once: the ring is of this session, no call is on its way, no end waits. */
static inline bool thread_ring_is_free(const struct ring *ring)
{
    return ring != NULL &&
           ring->epoch == atomic_load_explicit(&session->epoch, memory_order_relaxed) &&
           (atomic_load_explicit(&ring->busy, memory_order_relaxed) |
            atomic_load_explicit(&ring->deferred, memory_order_relaxed)) == 0;
}

static inline void thread_ring_mark_busy(struct ring *ring)
{
    atomic_store_explicit(&ring->busy, 1, memory_order_relaxed);
    /* A handler that runs from here on sees busy. */
    atomic_signal_fence(memory_order_seq_cst);
}

/*
 * Enters a call.
 *
 * Returns:  the ring, to be left with thread_ring_leave(); NULL if the call is not to be recorded: it was counted then,
 *           unless recording is off.
 */
static inline struct ring *thread_ring_enter(enum call_kind kind)
{
    struct ring *ring = thread_ring;

    if (UNLIKELY(!thread_ring_is_free(ring))) {
        return thread_ring_enter_slowly(kind);
    }
    thread_ring_mark_busy(ring);
    return ring;
}

static inline void thread_ring_leave(struct ring *ring)
{
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&ring->busy, 0, memory_order_relaxed);
    BEFORE_DEATH(ring);
}

/* Whether entries fit. The limit is set so that a true answer needs no look at what the flusher writes. */
static inline bool thread_ring_room(struct ring *ring, uint64_t entries)
{
    return LIKELY(ring->head + entries <= ring->limit) || thread_ring_make_room(ring, entries);
}

/* The entry at position head + offset; room for it was found before. */
static inline struct record *thread_ring_entry(struct ring *ring, uint64_t offset)
{
    return &ring_entries(ring)[(ring->head + offset) & ring->mask];
}

/* Makes entries written at head visible as one record. Pairs with the flusher's acquire of published. */
static inline void thread_ring_publish(struct ring *ring, uint64_t entries)
{
    ring->head += entries;
    atomic_store_explicit(&ring->published, ring->head, memory_order_release);
}
