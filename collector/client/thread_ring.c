#include "thread_ring.h"

#include "calls.h"
#include "eddy.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>

enum {
    /* A ring takes at most this part of the memory that is left for rings: the more threads, the smaller. */
    RING_SHARE = 8,
    /* A thread without a ring asks again once in so many calls: another may have died. */
    CALLS_BETWEEN_CLAIMS = 1024,
};

__thread struct ring *thread_ring __attribute__((tls_model("initial-exec")));

/*
 * The ring of threads that have none: while they claim one (so that a handler that interrupts this is refused), and when
 * there is none left. Its epoch is that of no session.
 */
static struct ring no_ring = {.epoch = UINT32_MAX};
static _Atomic uint32_t calls_without_ring;

static _Atomic uint64_t *loss_counter(struct ring *ring, enum call_kind kind, enum loss_cause cause)
{
    switch (kind) {
    case CALL_OPERATION:
        return &ring->lost_operations[cause];
    case CALL_SAMPLE:
        return &ring->lost_samples[cause];
    case CALL_MARK:
        return &ring->lost_marks[cause];
    case CALL_LONG_RUN:
        return &ring->lost_long_runs[cause];
    case CALL_UNCOUNTED:
    default:
        return NULL;
    }
}

void thread_ring_count_loss(struct ring *ring, enum call_kind kind, enum loss_cause cause)
{
    _Atomic uint64_t *counter = loss_counter(ring, kind, cause);

    if (counter != NULL) {
        (void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    }
}

/* Counts a record of a thread that has no ring to count it in. */
static void count_without_ring(enum call_kind kind)
{
    struct recorder *recorder = session->recorder;

    if (kind == CALL_UNCOUNTED) {
        return;
    }
    if (recorder == NULL ||
        atomic_load_explicit(&session->stage, memory_order_acquire) != SESSION_RUNNING) {
        (void)atomic_fetch_add_explicit(&session->refused_while_starting, 1, memory_order_relaxed);
        return;
    }
    (void)atomic_fetch_add_explicit(&recorder->lost_without_ring[kind], 1, memory_order_relaxed);
}

/* Looks for the ring of a thread that died. */
static struct ring *claim_used_ring(struct recorder *recorder, uint32_t tid)
{
    uint32_t count = recorder_ring_count(recorder);

    for (uint32_t i = 0; i < count; i++) {
        struct ring *ring = recorder_ring(recorder, i);
        uint32_t nobody = 0;

        /* Pairs with the release of the reaper, which left the ring drained and its cache empty. */
        if (ring != NULL &&
            atomic_compare_exchange_strong_explicit(&ring->tid, &nobody, tid, memory_order_acq_rel,
                                                    memory_order_relaxed)) {
            return ring;
        }
    }
    return NULL;
}

/* Entries of the next ring, a power of two, and the memory it takes; 0 if there is no room for another. */
static uint64_t next_ring_bytes(const struct recorder *recorder, uint64_t used)
{
    uint64_t left = recorder->rings_bytes - used;
    uint64_t bytes = recorder->ring_max_bytes;

    while (bytes > RING_MIN_BYTES && bytes > left / RING_SHARE) {
        bytes /= 2;
    }
    return bytes + RING_ENTRIES_OFFSET <= left ? bytes : 0;
}

static struct ring *make_ring(struct recorder *recorder, uint32_t tid)
{
    uint64_t used = atomic_load_explicit(&recorder->rings_used, memory_order_relaxed);
    uint64_t bytes;

    do {
        bytes = next_ring_bytes(recorder, used);
        if (bytes == 0) {
            return NULL;
        }
    } while (!atomic_compare_exchange_weak_explicit(&recorder->rings_used, &used,
                                                    used + bytes + RING_ENTRIES_OFFSET,
                                                    memory_order_relaxed, memory_order_relaxed));

    uint32_t index = atomic_fetch_add_explicit(&recorder->ring_count, 1, memory_order_acq_rel);

    if (index >= RECORDER_MAX_RINGS) {
        return NULL;
    }

    struct ring *ring = recorder_at(recorder, recorder->rings_offset + used);

    ring->index = index;
    ring->mask = bytes / ENTRY_BYTES - 1;
    atomic_store_explicit(&ring->tid, tid, memory_order_relaxed);
    /* Pairs with the acquire in recorder_ring(). */
    atomic_store_explicit(&recorder->ring_offsets[index], recorder->rings_offset + used,
                          memory_order_release);
    return ring;
}

/* Makes ring this thread's. It keeps its positions and counters: they belong to the ring. */
static void take_ring(struct recorder *recorder, struct ring *ring, uint32_t tid)
{
    uint32_t serial =
        atomic_fetch_add_explicit(&recorder->thread_serial, 1, memory_order_relaxed) + 1;
    struct thread_entry *threads = recorder_at(recorder, recorder->threads_offset);

    atomic_store_explicit(&threads[serial % RECORDER_MAX_THREADS].serial_and_tid,
                          (uint64_t)serial << 32 | tid, memory_order_relaxed);
    atomic_store_explicit(&ring->busy, 0, memory_order_relaxed);
    ring->deferred = 0;
    ring->cached_slots = 0;
    ring->limit = ring->head;
    ring->epoch = recorder->epoch;
    /* Pairs with the acquire of the reaper, which compares the serials of rings with the same tid. */
    atomic_store_explicit(&ring->serial, serial, memory_order_release);
}

/* Finds a ring for this thread. Until it has one, its signal handlers are refused. */
static struct ring *claim_ring(void)
{
    struct recorder *recorder = session->recorder;

    if (thread_ring == &no_ring &&
        atomic_fetch_add_explicit(&calls_without_ring, 1, memory_order_relaxed) %
                CALLS_BETWEEN_CLAIMS !=
            0) {
        return NULL;
    }
    thread_ring = &no_ring;
    atomic_signal_fence(memory_order_seq_cst);

    int saved_errno = errno;
    uint32_t tid = (uint32_t)syscall(SYS_gettid);
    struct ring *ring = claim_used_ring(recorder, tid);

    if (ring == NULL) {
        ring = make_ring(recorder, tid);
    }
    if (ring != NULL) {
        take_ring(recorder, ring, tid);
        atomic_signal_fence(memory_order_seq_cst);
        thread_ring = ring;
    }
    errno = saved_errno;
    return ring;
}

/* A ring of the running session that is not busy, or NULL if the call was refused (and counted). */
static struct ring *usable_ring(enum call_kind kind)
{
    struct ring *ring = thread_ring;

    if (ring == NULL || ring == &no_ring ||
        ring->epoch != atomic_load_explicit(&session->epoch, memory_order_relaxed)) {
        ring = claim_ring();
        if (ring == NULL) {
            count_without_ring(kind);
            return NULL;
        }
    }
    if (atomic_load_explicit(&ring->busy, memory_order_relaxed) != 0) {
        thread_ring_count_loss(ring, kind, LOSS_REENTRY);
        return NULL;
    }
    return ring;
}

int thread_ring_start(void)
{
    uint32_t stage = atomic_load_explicit(&session->stage, memory_order_acquire);

    if (stage == SESSION_RUNNING) {
        return 0;
    }
    if (stage == SESSION_STARTING && thread_ring == &no_ring) {
        return -EALREADY;
    }
    thread_ring = &no_ring;
    atomic_signal_fence(memory_order_seq_cst);

    int r = session_start();

    atomic_signal_fence(memory_order_seq_cst);
    thread_ring = NULL;
    return r;
}

struct ring *thread_ring_enter_slowly(enum call_kind kind)
{
    if (!__atomic_load_n(&eddy_recording, __ATOMIC_RELAXED)) {
        return NULL;
    }
    if (atomic_load_explicit(&session->epoch, memory_order_acquire) == 0) {
        if (kind == CALL_UNCOUNTED) {
            return NULL; /* Nothing was begun in this process, so there is nothing to end. */
        }

        int r = thread_ring_start();

        if (r == -EALREADY) {
            count_without_ring(kind);
        }
        if (r < 0) {
            return NULL;
        }
    }

    struct ring *ring = usable_ring(kind);

    if (ring == NULL) {
        return NULL;
    }
    atomic_store_explicit(&ring->busy, 1, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (ring->deferred != 0) {
        calls_finish_deferred(ring);
    }
    return ring;
}

static void wake_flusher(struct recorder *recorder)
{
    /* Pairs with the flusher, which reads the word before it drains and sleeps only while it is unchanged. */
    (void)atomic_fetch_add_explicit(&recorder->wake_word, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&recorder->flusher_sleeps, memory_order_seq_cst) != 0) {
        int saved_errno = errno;

        (void)syscall(SYS_futex, &recorder->wake_word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
        errno = saved_errno;
    }
}

bool thread_ring_make_room(struct ring *ring, uint64_t entries)
{
    /* Pairs with the flusher's release of consumed: entries before it may be overwritten. */
    uint64_t consumed = atomic_load_explicit(&ring->consumed, memory_order_acquire);
    uint64_t capacity = ring->mask + 1;
    uint64_t used = ring->head - consumed;

    if (used + entries > capacity) {
        ring->limit = ring->head;
        return false;
    }
    if (used + entries <= capacity / 2) {
        ring->limit = consumed + capacity / 2;
        return true;
    }
    /* Half full: wake the flusher once, then look again only when the ring is full as seen now. */
    if (ring->limit != consumed + capacity) {
        ring->limit = consumed + capacity;
        wake_flusher(session->recorder);
    }
    return true;
}
