#include "staging.h"

#include "batch.h"

#include <string.h>

enum {
    NEARLY_FULL_OF_8 = 7,
    /* How far ahead of the copying the next lines are asked for: they come from another CPU's cache. */
    PREFETCH_ENTRIES = 8,
    /* Entries copied between two looks at consumed by the thread: it gets its ring back piece by piece. */
    CHUNK_ENTRIES = 2048,
};

void stager_init(struct stager *stager, struct recorder *recorder)
{
    *stager = (struct stager){
        .shared = recorder_at(recorder, recorder->staging_offset),
        .entries = recorder_at(recorder, recorder->staging_offset + sizeof(struct staging)),
        .capacity = min_u64(recorder->staging_entries, UINT32_MAX),
    };
}

/* Whether the batch has room for this record and what belongs to it. */
static bool has_room_for(const struct stager *stager, const struct record *record, uint64_t entries)
{
    const struct staged *held = &stager->held;

    if (held->entries + entries > stager->capacity ||
        held->details + (entries - 1) > STAGING_MAX_DETAILS) {
        return false;
    }
    switch (record->kind) {
    case ENTRY_OPERATION:
        return held->operations < BATCH_MAX_OPERATIONS;
    case ENTRY_SAMPLE:
        return held->samples < STAGING_MAX_SAMPLES;
    case ENTRY_MARK:
        return held->marks < BATCH_MAX_MARKS;
    case ENTRY_LONG_RUN:
        return held->long_runs < BATCH_MAX_LONG_RUNS;
    default:
        return true;
    }
}

static void count(struct staged *held, const struct record *record, uint64_t entries)
{
    held->entries += (uint32_t)entries;
    held->details += (uint32_t)entries - 1;
    held->operations += record->kind == ENTRY_OPERATION;
    held->samples += record->kind == ENTRY_SAMPLE;
    held->marks += record->kind == ENTRY_MARK;
    held->long_runs += record->kind == ENTRY_LONG_RUN;
}

/* Operations of one entry, of which nearly all rings are full, as far as there are no others. Returns the position behind. */
static uint64_t copy_plain_operations(struct stager *stager, struct ring *ring, uint64_t from,
                                      uint64_t to)
{
    const struct record *source = ring_entries(ring);
    struct staged *held = &stager->held;
    struct record *copy = &stager->entries[held->entries];
    uint64_t mask = ring->mask;
    uint64_t room =
        min_u64(stager->capacity - held->entries, BATCH_MAX_OPERATIONS - held->operations);
    uint64_t end = min_u64(to, from + room);
    uint64_t at = from;

    for (; at < end; at++) {
        const struct record *record = &source[at & mask];

        __builtin_prefetch(&source[(at + PREFETCH_ENTRIES) & mask]);
        if (record->kind != ENTRY_OPERATION || record->continuations != 0) {
            break;
        }
        *copy++ = *record;
    }
    held->entries += (uint32_t)(at - from);
    held->operations += (uint32_t)(at - from);
    return at;
}

/* A record of any kind with all that belongs to it. Returns the position behind, or from if there is no room for it. */
static uint64_t copy_record(struct stager *stager, struct ring *ring, uint64_t from, uint64_t to)
{
    const struct record *source = ring_entries(ring);
    const struct record *record = &source[from & ring->mask];
    uint64_t entries = min_u64(1U + record->continuations, to - from);
    struct record *copy = &stager->entries[stager->held.entries];

    if (!has_room_for(stager, record, entries)) {
        return from;
    }
    *copy = *record;
    copy->continuations = (uint8_t)(entries - 1);
    for (uint64_t i = 1; i < entries; i++) {
        copy[i] = source[(from + i) & ring->mask];
    }
    count(&stager->held, record, entries);
    return from + entries;
}

/* Copies the whole records that begin before until, as far as there is room. Returns the position behind the last one. */
static uint64_t copy_records(struct stager *stager, struct ring *ring, uint64_t from,
                             uint64_t until, uint64_t to)
{
    uint64_t at = from;
    uint64_t before;

    do {
        before = at;
        at = copy_plain_operations(stager, ring, at, until);
        at = at < until ? copy_record(stager, ring, at, to) : at;
    } while (at < until && at > before);
    return at;
}

static void write_chunk_header(struct record *entry, const struct ring *ring, uint64_t from,
                               uint64_t to)
{
    struct chunk_entry chunk = {.from = from, .to = to, .ring = ring->index, .kind = ENTRY_CHUNK};

    memcpy(entry, &chunk, sizeof(chunk));
}

/* Moves the next chunk. Returns false if there is no room for even its first record. */
static bool move_chunk(struct stager *stager, struct ring *ring, uint64_t from, uint64_t to)
{
    uint32_t begin = stager->held.entries;

    if (begin + 1 >= stager->capacity) {
        return false;
    }
    stager->held.entries++;

    uint64_t done = copy_records(stager, ring, from, min_u64(to, from + CHUNK_ENTRIES), to);

    if (done == from) {
        stager->held.entries = begin;
        return false;
    }
    write_chunk_header(&stager->entries[begin], ring, from, done);
    /* First the copies are complete, then the originals may be overwritten: thread_ring_make_room() acquires consumed. */
    atomic_store_explicit(&stager->shared->used, stager->held.entries, memory_order_release);
    atomic_store_explicit(&ring->consumed, done, memory_order_release);
    return true;
}

bool stager_drain(struct stager *stager, struct ring *ring)
{
    /* Pairs with the release in thread_ring_publish(). */
    uint64_t to = atomic_load_explicit(&ring->published, memory_order_acquire);
    uint64_t from;
    bool has_room = true;

    do {
        /* consumed has one writer: this thread. */
        from = atomic_load_explicit(&ring->consumed, memory_order_relaxed);
        has_room = from == to || move_chunk(stager, ring, from, to);
    } while (has_room && from != to);
    return has_room;
}

bool stager_is_nearly_full(const struct stager *stager)
{
    const struct staged *held = &stager->held;

    return held->entries > stager->capacity / 8 * NEARLY_FULL_OF_8 ||
           held->operations == BATCH_MAX_OPERATIONS || held->marks == BATCH_MAX_MARKS ||
           held->long_runs == BATCH_MAX_LONG_RUNS ||
           held->samples > STAGING_MAX_SAMPLES / 8 * NEARLY_FULL_OF_8 ||
           held->details > STAGING_MAX_DETAILS / 8 * NEARLY_FULL_OF_8;
}

void stager_clear(struct stager *stager, uint64_t next_batch)
{
    stager->held = (struct staged){0};
    atomic_store_explicit(&stager->shared->used, 0, memory_order_release);
    atomic_store_explicit(&stager->shared->batch, next_batch, memory_order_release);
}
