/*
 * The calls of eddy.h that are not on the hot path: start, flush, shutdown, statistics, names for other languages, and what
 * happens at exit.
 */
#include "batch.h"
#include "clocks.h"
#include "eddy.h"
#include "flusher.h"
#include "session.h"
#include "thread_ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_TIMEOUT_MS = 200 };

int eddy_start(void)
{
    return thread_ring_start();
}

int eddy_flush(uint32_t timeout_ms)
{
    if (atomic_load_explicit(&session->stage, memory_order_acquire) != SESSION_RUNNING) {
        return -ENOTCONN;
    }

    int saved_errno = errno;
    int r = flusher_flush(session->flusher, timeout_ms);

    errno = saved_errno;
    return r;
}

int eddy_shutdown(uint32_t timeout_ms)
{
    int saved_errno = errno;
    int r = session_stop(timeout_ms);

    errno = saved_errno;
    return r;
}

uint64_t eddy_now_ns(void)
{
    return clock_monotonic_ns();
}

/*
 * The last chance to hand over what is on its way. A forked child that never recorded has no session here, and a process
 * that called eddy_shutdown() has none any more.
 */
static void end_session_at_exit(void)
{
    int r = session_stop(EXIT_TIMEOUT_MS);

    (void)r; /* Nobody is left to tell. */
}

__attribute__((destructor)) static void at_exit(void)
{
    end_session_at_exit();
}

__attribute__((constructor)) static void register_quick_exit(void)
{
    (void)at_quick_exit(end_session_at_exit);
}

/* --- Statistics --- */

static void add_ring(struct eddy_stats *stats, const struct ring *ring)
{
    stats->produced += atomic_load_explicit(&ring->finished, memory_order_relaxed) +
                       atomic_load_explicit(&ring->sampled, memory_order_relaxed);
    stats->stale_ends += atomic_load_explicit(&ring->stale_ends, memory_order_relaxed);
    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        stats->lost[cause] +=
            atomic_load_explicit(&ring->lost_operations[cause], memory_order_relaxed) +
            atomic_load_explicit(&ring->lost_samples[cause], memory_order_relaxed) +
            atomic_load_explicit(&ring->lost_marks[cause], memory_order_relaxed) +
            atomic_load_explicit(&ring->lost_long_runs[cause], memory_order_relaxed);
    }
}

static uint64_t count_open(const struct recorder *recorder)
{
    const struct slot *slots = recorder_slots(recorder);
    uint32_t used = atomic_load_explicit(&recorder->fresh_slots, memory_order_relaxed);
    uint64_t open = 0;

    for (uint32_t i = MAGAZINE_SLOTS; i < MAGAZINE_SLOTS + used; i++) {
        uint64_t word = atomic_load_explicit(&slots[i].word, memory_order_relaxed);

        open += (word & (SLOT_LIVE | SLOT_CLAIMED)) == SLOT_LIVE;
    }
    return open;
}

static void add_recorder(struct eddy_stats *stats, const struct recorder *recorder)
{
    uint32_t ring_count = recorder_ring_count(recorder);

    for (uint32_t i = 0; i < ring_count; i++) {
        const struct ring *ring = recorder_ring(recorder, i);

        if (ring != NULL) {
            add_ring(stats, ring);
        }
    }
    for (int kind = 0; kind < RECORDER_KINDS; kind++) {
        stats->lost[LOSS_NO_RING] +=
            atomic_load_explicit(&recorder->lost_without_ring[kind], memory_order_relaxed);
    }
    stats->open = count_open(recorder);
    memcpy(stats->session, recorder->session, sizeof(stats->session));
}

static uint64_t sum_lost(const struct eddy_stats *stats)
{
    uint64_t lost = 0;

    for (size_t i = 0; i < ARRAY_SIZE(stats->lost); i++) {
        lost += stats->lost[i];
    }
    return lost;
}

int eddy_stats(struct eddy_stats *ret_stats)
{
    if (ret_stats == NULL || ret_stats->size_bytes != sizeof(*ret_stats)) {
        return -EINVAL;
    }
    *ret_stats = (struct eddy_stats){
        .size_bytes = sizeof(*ret_stats),
        .recording = (uint64_t)__atomic_load_n(&eddy_recording, __ATOMIC_RELAXED),
    };
    /* Pairs with the release of the thread that starts: from then on recorder and flusher stay what they are. */
    if (atomic_load_explicit(&session->stage, memory_order_acquire) < SESSION_RUNNING ||
        session->flusher == NULL) {
        return 0;
    }

    /* What the flusher knows first: what is produced later only makes "pending" larger. */
    struct flusher_counts counts = flusher_counts(session->flusher);

    add_recorder(ret_stats, session->recorder);
    ret_stats->connected = counts.connected;
    ret_stats->stored = counts.stored;
    /* The rings count what was published and what was not; what a program produced is both. */
    ret_stats->produced += counts.own_samples + sum_lost(ret_stats);
    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        ret_stats->lost[cause] += counts.lost[cause];
    }

    uint64_t settled = ret_stats->stored + sum_lost(ret_stats);

    ret_stats->pending = ret_stats->produced > settled ? ret_stats->produced - settled : 0;
    return 0;
}
