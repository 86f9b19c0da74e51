/*
 * The calls that begin, follow and end operations: the hot path. What it may never do: block, allocate, lock, fault in
 * fresh pages in the steady state, or make a system call (but the one wake in thread_ring_make_room()).
 */
#include "calls.h"

#include "batch.h"
#include "eddy.h"
#include "name_id.h"
#include "names.h"
#include "slots.h"
#include "thread_ring.h"
#include "ticks.h"

#include <string.h>

int eddy_recording = 1;

/* What begin_operation() needs to know beyond the name. */
struct begin {
    uint64_t parent;
    uint64_t at_ns; /* 0: now */
    struct eddy_queue *queue;
};

/* --- Queues --- */

static void enter_queue(struct slot *slot, uint32_t queue)
{
    slot->queue = queue;
    slot->is_in_queue = 0;
    slot->queue_depth = 0;
    if (queue != 0) {
        struct queue_entry *entry = recorder_queue(session->recorder, queue - 1);
        int64_t depth = atomic_fetch_add_explicit(&entry->depth, 1, memory_order_relaxed) + 1;

        slot->is_in_queue = 1;
        slot->queue_depth = depth > 0 ? (uint32_t)depth : 0;
    }
}

static void leave_queue(struct slot *slot)
{
    if (slot->is_in_queue) {
        slot->is_in_queue = 0;
        (void)atomic_fetch_sub_explicit(&recorder_queue(session->recorder, slot->queue - 1)->depth,
                                        1, memory_order_relaxed);
    }
}

static uint32_t queue_index(struct eddy_queue *queue)
{
    uint32_t tag = name_tag(NAME_QUEUE, VALUE_INTEGER);
    uint32_t index = name_id_cached(&queue->name, tag);

    if (UNLIKELY(index == 0)) {
        index = names_intern_queue(session->recorder, queue->name.text, queue->capacity);
        name_id_cache(&queue->name, tag, index);
    }
    return index;
}

/* An operation that could not be recorded would have entered this queue. */
static void count_lost_in_queue(const struct begin *begin)
{
    uint32_t index = begin->queue == NULL ? 0 : queue_index(begin->queue);

    if (index != 0) {
        (void)atomic_fetch_add_explicit(&recorder_queue(session->recorder, index - 1)->lost, 1,
                                        memory_order_relaxed);
    }
}

/* --- Begin --- */

static void mark_as_parent(uint64_t parent)
{
    struct slot *slot = calls_open_slot(parent);

    if (slot != NULL &&
        !(atomic_load_explicit(&slot->flags, memory_order_relaxed) & RECORD_NEEDS_ID)) {
        (void)atomic_fetch_or_explicit(&slot->flags, RECORD_NEEDS_ID, memory_order_relaxed);
    }
}

/* Takes a slot of the ring's cache, which has one, and stamps it. */
static inline __attribute__((always_inline)) uint64_t begin_in_slot(struct ring *ring,
                                                                    uint32_t name,
                                                                    const struct begin *begin,
                                                                    uint64_t now)
{
    uint32_t index = ring->slot_cache[--ring->cached_slots];
    struct slot *slot = &session->slots[index];
    uint64_t generation =
        (atomic_load_explicit(&slot->word, memory_order_relaxed) + 1) & SLOT_GENERATION_MASK;

    atomic_store_explicit(&slot->name, name, memory_order_relaxed);
    slot->parent = begin->parent;
    slot->begin_thread = atomic_load_explicit(&ring->serial, memory_order_relaxed);
    /* No attributes, STATE_OTHER, no times, in no queue. */
    atomic_store_explicit(&slot->facts, 0, memory_order_relaxed);
    slot->queue = 0;
    if (begin->at_ns != 0) {
        atomic_store_explicit(&slot->flags, RECORD_BEGIN_IS_NS, memory_order_relaxed);
    }
    if (begin->queue != NULL) {
        atomic_store_explicit(&slot->state, STATE_QUEUED, memory_order_relaxed);
        enter_queue(slot, queue_index(begin->queue));
    }
    slot->since = now;
    atomic_store_explicit(&slot->begin, begin->at_ns != 0 ? begin->at_ns : now,
                          memory_order_relaxed);
    /* Pairs with the acquire in calls_open_slot(), in claim() and in the flusher's scan for open operations. */
    atomic_store_explicit(&slot->word, generation | SLOT_LIVE, memory_order_release);
    return generation << SLOT_INDEX_BITS | index;
}

/* The rest of begin_operation(), inside the call: a name or a queue is new, slots are used up, ticks are none. */
static __attribute__((noinline)) uint64_t begin_entered(struct ring *ring, struct eddy_name *name,
                                                        uint64_t parent, uint64_t at_ns,
                                                        struct eddy_queue *queue)
{
    const struct begin begin = {parent, at_ns, queue};
    uint64_t operation = 0;

    if (ring->cached_slots == 0 && !slots_refill(session->recorder, ring)) {
        thread_ring_count_loss(ring, CALL_OPERATION, LOSS_NO_SLOT);
        count_lost_in_queue(&begin);
    } else {
        uint32_t id = name_id(name, NAME_OPERATION, VALUE_INTEGER);

        operation = begin_in_slot(ring, id, &begin, ticks_now());
    }
    thread_ring_leave(ring);
    return operation;
}

/* The rest of begin_operation(), outside the call. */
static __attribute__((noinline)) uint64_t begin_slowly(struct eddy_name *name, uint64_t parent,
                                                       uint64_t at_ns, struct eddy_queue *queue)
{
    struct ring *ring = thread_ring_enter_slowly(CALL_OPERATION);

    return ring == NULL ? 0 : begin_entered(ring, name, parent, at_ns, queue);
}

static inline __attribute__((always_inline)) uint64_t begin_operation(struct eddy_name *name,
                                                                      const struct begin *begin)
{
    /* Through eddy.h this was tested already; other languages come here directly. */
    if (UNLIKELY(name == NULL || !__atomic_load_n(&eddy_recording, __ATOMIC_RELAXED))) {
        return 0;
    }

    struct ring *ring = thread_ring;

    if (UNLIKELY(!thread_ring_is_free(ring))) {
        return begin_slowly(name, begin->parent, begin->at_ns, begin->queue);
    }
    thread_ring_mark_busy(ring);

    uint32_t id = name_id_cached(name, name_tag(NAME_OPERATION, VALUE_INTEGER));

    if (UNLIKELY(id == 0 || ring->cached_slots == 0 || !ticks_are_counter)) {
        return begin_entered(ring, name, begin->parent, begin->at_ns, begin->queue);
    }

    uint64_t operation = begin_in_slot(ring, id, begin, ticks_now());

    thread_ring_leave(ring);
    return operation;
}

uint64_t eddy_exported_begin(struct eddy_name *name)
{
    return begin_operation(name, &(struct begin){0});
}

uint64_t eddy_exported_begin_at(struct eddy_name *name, uint64_t begin_ns)
{
    return begin_operation(name, &(struct begin){.at_ns = begin_ns});
}

uint64_t eddy_exported_begin_child(struct eddy_name *name, uint64_t parent)
{
    mark_as_parent(parent);
    return begin_operation(name, &(struct begin){.parent = parent});
}

uint64_t eddy_exported_begin_queued(struct eddy_name *name, struct eddy_queue *queue)
{
    return begin_operation(name, &(struct begin){.queue = queue});
}

/* --- Long runs --- */

/* In a record of its own, since the operation may go on. Its id must then be in the file, so that both can be put together. */
static void publish_long_run(struct ring *ring, struct slot *slot, uint64_t operation,
                             uint64_t begin, uint64_t end)
{
    if (!thread_ring_room(ring, 1)) {
        thread_ring_count_loss(ring, CALL_LONG_RUN, LOSS_RING_FULL);
        return;
    }
    *thread_ring_entry(ring, 0) = (struct record){
        .id = operation,
        .begin = begin,
        .end = end,
        .name = atomic_load_explicit(&slot->name, memory_order_relaxed),
        .end_thread = atomic_load_explicit(&ring->serial, memory_order_relaxed),
        .kind = ENTRY_LONG_RUN,
    };
    thread_ring_publish(ring, 1);
    atomic_store_explicit(&ring->sampled,
                          atomic_load_explicit(&ring->sampled, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    (void)atomic_fetch_or_explicit(&slot->flags, RECORD_NEEDS_ID, memory_order_relaxed);
}

/* From a call that needs no ring but for this: a stretch that ended at slot->since. Asks for little, so that others pay nothing. */
static __attribute__((noinline, cold)) void note_long_run(struct slot *slot, uint64_t ticks)
{
    uint64_t generation =
        atomic_load_explicit(&slot->word, memory_order_relaxed) & SLOT_GENERATION_MASK;
    uint64_t operation = generation << SLOT_INDEX_BITS | (uint64_t)(slot - session->slots);
    uint64_t end = slot->since;
    struct ring *ring = thread_ring_enter(CALL_LONG_RUN);

    if (ring != NULL) {
        publish_long_run(ring, slot, operation, end - ticks, end);
        thread_ring_leave(ring);
    }
}

/* --- State --- */

/* A state that was left, and for how long the operation was in it without a break. */
struct left_state {
    uint8_t state;
    uint64_t ticks;
};

/* One comparison: of most stretches nothing more is asked. */
static inline bool is_long_run(struct left_state left)
{
    return UNLIKELY(left.ticks >= session->long_run_ticks) && left.state == STATE_RUNNING;
}

/* Adds the time since the last change to the state that it was spent in. */
static inline struct left_state account_state(struct slot *slot, uint64_t now)
{
    uint8_t state = atomic_load_explicit(&slot->state, memory_order_relaxed);
    uint8_t bit = (uint8_t)(1U << state);
    uint64_t spent = now > slot->since ? now - slot->since : 0;

    /* The mask says which times are valid, so that begin need not clear them. */
    slot->state_ticks[state] = (slot->state_mask & bit ? slot->state_ticks[state] : 0) + spent;
    slot->state_mask |= bit;
    slot->since = now;
    return (struct left_state){state, spent};
}

void eddy_exported_state(uint64_t operation, uint32_t state)
{
    struct slot *slot = calls_open_slot(operation);

    if (UNLIKELY(slot == NULL || state >= STATE_COUNT)) {
        return;
    }

    struct left_state left = account_state(slot, ticks_now());

    if (UNLIKELY(slot->is_in_queue)) {
        leave_queue(slot);
    }
    atomic_store_explicit(&slot->state, (uint8_t)state, memory_order_relaxed);
    if (is_long_run(left)) {
        note_long_run(slot, left.ticks);
    }
}

void eddy_exported_enqueue(uint64_t operation, struct eddy_queue *queue)
{
    struct slot *slot = calls_open_slot(operation);

    if (UNLIKELY(slot == NULL || queue == NULL)) {
        return;
    }

    struct left_state left = account_state(slot, ticks_now());

    leave_queue(slot);
    enter_queue(slot, queue_index(queue));
    atomic_store_explicit(&slot->state, STATE_QUEUED, memory_order_relaxed);
    if (is_long_run(left)) {
        note_long_run(slot, left.ticks);
    }
}

/* --- End --- */

/* Word by word: a wider load would wait until the stores of the last change of state are in the cache. */
static void write_state_entry(const struct slot *slot, struct record *entry)
{
    struct state_entry *states = (struct state_entry *)entry;

    for (int i = 0; i < STATE_COUNT; i++) {
        states->ticks[i] = __atomic_load_n(&slot->state_ticks[i], __ATOMIC_RELAXED);
    }
    states->queue = 0;
    states->depth = 0;
    if (slot->queue != 0) {
        states->queue = atomic_load_explicit(
            &recorder_queue(session->recorder, slot->queue - 1)->name, memory_order_relaxed);
        states->depth = slot->queue_depth;
    }
    states->mask = slot->state_mask;
    memset(states->reserved, 0, sizeof(states->reserved));
}

/* Writes states, queue and attributes behind the record. Returns the number of entries. */
static __attribute__((noinline)) uint8_t write_continuations(struct ring *ring, struct slot *slot,
                                                             uint32_t index)
{
    uint8_t count = 0;

    if (slot->state_mask != 0) {
        write_state_entry(slot, thread_ring_entry(ring, 1));
        count = 1;
    }

    const uint8_t *attributes = session->attributes + (size_t)index * ATTRIBUTE_BYTES;

    for (uint32_t done = 0; done < slot->attribute_bytes; done += ENTRY_BYTES) {
        count++;
        memcpy(thread_ring_entry(ring, count), attributes + done, ENTRY_BYTES);
    }
    return count;
}

/* Whether the slot was this operation's, and is ours to finish: exactly one end of a handle wins. */
static inline bool claim(struct slot *slot, uint64_t operation)
{
    uint64_t live = (operation >> SLOT_INDEX_BITS) | SLOT_LIVE;

    return atomic_compare_exchange_strong_explicit(&slot->word, &live, live | SLOT_CLAIMED,
                                                   memory_order_acq_rel, memory_order_relaxed);
}

/* Whether anything is known of the operation's states: of most, nothing ever is. */
static inline bool has_state_times(const struct slot *slot)
{
    return (slot->state_mask | slot->queue |
            atomic_load_explicit(&slot->state, memory_order_relaxed)) != STATE_OTHER;
}

/* The record was published (or counted as lost): from here on the slot is free. */
static inline void free_slot(struct slot *slot, uint64_t operation)
{
    atomic_store_explicit(&slot->word, operation >> SLOT_INDEX_BITS, memory_order_release);
}

static inline void count_finished(struct ring *ring)
{
    atomic_store_explicit(&ring->finished,
                          atomic_load_explicit(&ring->finished, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static inline void write_record(struct record *record, const struct ring *ring,
                                const struct slot *slot, uint64_t operation, uint32_t status,
                                uint64_t end)
{
    record->id = operation;
    record->begin = atomic_load_explicit(&slot->begin, memory_order_relaxed);
    record->end = end;
    record->parent = slot->parent;
    record->name = atomic_load_explicit(&slot->name, memory_order_relaxed);
    record->begin_thread = slot->begin_thread;
    record->end_thread = atomic_load_explicit(&ring->serial, memory_order_relaxed);
    record->kind = ENTRY_OPERATION;
    record->status = status < STATUS_COUNT ? (uint8_t)status : STATUS_ERROR;
    record->flags = atomic_load_explicit(&slot->flags, memory_order_relaxed);
    record->attribute_bytes = slot->attribute_bytes;
}

/* Publishes a record with its continuations. Returns false if the ring is full. */
static bool publish_with_details(struct ring *ring, struct slot *slot, uint64_t operation,
                                 uint32_t status, uint64_t end)
{
    uint32_t index = (uint32_t)operation & session->slot_mask;
    bool has_states = has_state_times(slot);

    if (has_states) {
        struct left_state left = account_state(slot, end);

        leave_queue(slot);
        if (is_long_run(left)) {
            publish_long_run(ring, slot, operation, end - left.ticks, end);
        }
    }
    if (!thread_ring_room(ring, 1 + MAX_CONTINUATIONS)) {
        return false;
    }

    struct record *record = thread_ring_entry(ring, 0);

    write_record(record, ring, slot, operation, status, end);
    record->continuations = write_continuations(ring, slot, index);
    record->flags |= has_states ? RECORD_HAS_STATES : 0;
    thread_ring_publish(ring, 1U + record->continuations);
    return true;
}

/* Ends the operation whose slot was claimed: the record is published, then the slot is freed. A kill in between leaves
 * both, and salvage prefers the record. */
static __attribute__((noinline)) void finish_slowly(struct ring *ring, struct slot *slot,
                                                    uint64_t operation, uint32_t status,
                                                    uint64_t end)
{
    if (publish_with_details(ring, slot, operation, status, end)) {
        count_finished(ring);
    } else {
        thread_ring_count_loss(ring, CALL_OPERATION, LOSS_RING_FULL);
    }
    free_slot(slot, operation);
    if (ring->cached_slots == SLOT_CACHE) {
        slots_spill(session->recorder, ring);
    }
    ring->slot_cache[ring->cached_slots++] = (uint32_t)operation & session->slot_mask;
}

/* Whether the operation has a duration and nothing else, and everything that its end needs is at hand. */
static inline bool is_simple(const struct ring *ring, const struct slot *slot)
{
    return !has_state_times(slot) && slot->attribute_bytes == 0 && ring->head < ring->limit &&
           ring->cached_slots < SLOT_CACHE;
}

static inline __attribute__((always_inline)) void finish(struct ring *ring, uint64_t operation,
                                                         uint32_t status, uint64_t end)
{
    uint32_t index = (uint32_t)operation & session->slot_mask;
    struct slot *slot = &session->slots[index];

    if (UNLIKELY(!claim(slot, operation))) {
        (void)atomic_fetch_add_explicit(&ring->stale_ends, 1, memory_order_relaxed);
        return;
    }
    if (UNLIKELY(!is_simple(ring, slot))) {
        finish_slowly(ring, slot, operation, status, end);
        return;
    }

    struct record *record = thread_ring_entry(ring, 0);

    write_record(record, ring, slot, operation, status, end);
    record->continuations = 0;
    thread_ring_publish(ring, 1);
    count_finished(ring);
    free_slot(slot, operation);
    ring->slot_cache[ring->cached_slots++] = index;
}

void calls_finish_deferred(struct ring *ring)
{
    uint32_t done = 0;
    uint32_t count = atomic_load_explicit(&ring->deferred, memory_order_relaxed);

    /* A handler may add another one until the count is taken back to 0 with nothing left. */
    do {
        for (; done < count && done < DEFERRED_ENDS; done++) {
            const struct deferred_end *deferred = &ring->deferred_ends[done];

            finish(ring, deferred->operation, (uint32_t)deferred->status, deferred->end);
        }
    } while (!atomic_compare_exchange_strong_explicit(&ring->deferred, &count, 0,
                                                      memory_order_relaxed, memory_order_relaxed));
}

/* An end that cannot be recorded: the operation is lost, but its slot and its place in the queue are not. */
static void finish_lost(uint64_t operation, enum loss_cause cause)
{
    uint32_t index = (uint32_t)operation & session->slot_mask;
    struct slot *slot = &session->slots[index];

    if (!claim(slot, operation)) {
        return;
    }
    leave_queue(slot);
    if (cause == LOSS_REENTRY) {
        thread_ring_count_loss(thread_ring, CALL_OPERATION, cause);
    } else {
        (void)atomic_fetch_add_explicit(&session->recorder->lost_without_ring[CALL_OPERATION], 1,
                                        memory_order_relaxed);
    }
    free_slot(slot, operation);
    slots_give_back(session->recorder, &index, 1);
}

/* Ends on a thread that cannot publish now: inside a call that a signal handler interrupted, or without a ring. */
static __attribute__((noinline)) void end_refused(uint64_t operation, uint32_t status, uint64_t end)
{
    struct ring *ring = thread_ring;
    uint32_t epoch = atomic_load_explicit(&session->epoch, memory_order_acquire);

    if (epoch == 0) {
        return;
    }
    if (ring == NULL || ring->epoch != epoch) {
        finish_lost(operation, LOSS_NO_RING);
        return;
    }

    uint32_t place = atomic_fetch_add_explicit(&ring->deferred, 1, memory_order_relaxed);

    if (place >= DEFERRED_ENDS) {
        finish_lost(operation, LOSS_REENTRY);
        return;
    }
    ring->deferred_ends[place] = (struct deferred_end){operation, end, status};
}

void eddy_exported_end(uint64_t operation, uint32_t status)
{
    if (operation == 0) {
        return;
    }

    uint64_t now = ticks_now();
    struct ring *ring = thread_ring_enter(CALL_UNCOUNTED);

    if (UNLIKELY(ring == NULL)) {
        end_refused(operation, status, now);
        return;
    }
    finish(ring, operation, status, now);
    thread_ring_leave(ring);
}
