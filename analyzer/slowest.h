/*
 * The slowest operations of one name, with their place in the files: a heap of fixed size.
 *
 * The order is total (duration falling, then begin, then session, sequence and row rising), so that merging in any order
 * keeps the same ones.
 */
#pragma once

#include "base.h"
#include "batch.h"

struct slow_operation {
    uint64_t duration_ns;
    uint64_t begin_realtime_ns;
    uint8_t session[SESSION_ID_BYTES];
    uint64_t sequence; /* of the batch */
    uint64_t frame_offset_bytes;
    uint32_t input; /* index of the file, in the final order of inputs */
    uint32_t row;
    uint32_t process; /* index, in the final order of processes */
    uint32_t begin_tid;
    uint32_t end_tid;
    uint64_t begin_serial;
    uint64_t end_serial;
    enum operation_status status;
};

/* {.limit = n} is an empty one. */
struct slowest {
    size_t limit;
    size_t count;
    size_t capacity;
    struct slow_operation *heap; /* owned; the one to go first at [0] */
};

void slowest_release(struct slowest *slowest);

/* Whether an operation this slow could be kept: a cheap test before slowest_add(). Threads: one object, one thread at a time. */
static inline bool slowest_wants(const struct slowest *slowest, uint64_t duration_ns)
{
    return slowest->count < slowest->limit ||
           (slowest->limit > 0 && duration_ns >= slowest->heap[0].duration_ns);
}

/* No operation that took less could be kept. */
static inline uint64_t slowest_least_wanted(const struct slowest *slowest)
{
    return slowest->limit == 0               ? UINT64_MAX
           : slowest->count < slowest->limit ? 0
                                             : slowest->heap[0].duration_ns;
}

/* Keeps it if it is among the slowest. Returns 0 or -ENOMEM. */
MUST_USE int slowest_add(struct slowest *slowest, const struct slow_operation *operation);
MUST_USE int slowest_merge(struct slowest *slowest, const struct slowest *source);

/* Sorts: the slowest first. Nothing can be added afterwards. */
void slowest_sort(struct slowest *slowest);
