/*
 * The threads of a process: what they are called, how many operations began and ended on them, what they used.
 *
 * Merging in any order leaves the same table.
 */
#pragma once

#include "batch.h"

#include <stdbool.h>

/* What a thread used, as it last said: running totals of the client's own metrics. */
enum thread_usage {
    USAGE_USER_NS,
    USAGE_SYSTEM_NS,
    USAGE_VOLUNTARY,
    USAGE_INVOLUNTARY,
    USAGE_COUNT,
};

enum {
    /* Threads with a greater serial have no entry of their own: a process that makes threads without end. */
    THREAD_SERIAL_LIMIT = 1 << 17,
};

struct thread_entry {
    uint64_t serial;
    uint32_t tid;
    bool has_usage[USAGE_COUNT];
    uint64_t name_sequence; /* of the batch that name and tid are from */
    char *name;             /* owned */
    uint64_t begun;         /* operations */
    uint64_t ended;
    uint64_t usage[USAGE_COUNT];
};

/* {0} is an empty table. */
struct thread_table {
    size_t count;
    size_t capacity;
    struct thread_entry *entries; /* owned */
    size_t slot_count;
    uint32_t *slots;          /* owned; hash table of index + 1 */
    uint64_t greatest_serial; /* also of threads beyond the limit */
};

void thread_table_release(struct thread_table *table);

/*
 * The entry of a thread; its name and tid are those of the latest batch.
 *
 * ret_entry NULL if it is beyond THREAD_SERIAL_LIMIT; valid until the next call
 * Returns:  0 or -ENOMEM.
 * Threads:  one table, one thread at a time, as all functions here.
 */
MUST_USE int thread_table_enter(struct thread_table *table, const struct batch_thread *thread,
                                uint64_t sequence, struct thread_entry **ret_entry);

/* Notes a running total. */
void thread_entry_use(struct thread_entry *entry, enum thread_usage usage, uint64_t total);

MUST_USE int thread_table_merge(struct thread_table *table, const struct thread_table *source);
size_t thread_table_memory_bytes(const struct thread_table *table);

/* How many of them began or ended operations. */
uint64_t thread_table_active(const struct thread_table *table);
