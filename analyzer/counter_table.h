/*
 * Counters by metric and thread: the series of one batch, and those of a session that batches are joined to in order.
 */
#pragma once

#include "counter_series.h"

enum { COUNTER_TABLE_LIMIT = 1 << 18 };

struct counter_entry {
    uint32_t metric; /* as in tally.metrics */
    uint32_t run;    /* of the batch that series ends in, see plan_frame */
    uint64_t serial; /* of the thread; 0: of the process */
    bool is_delta;
    struct counter_series series;
    long double earlier_total; /* of series before the last gap */
};

/* {0} is an empty table. Entries are in the order in which they were first entered. */
struct counter_table {
    size_t count;
    size_t capacity;
    struct counter_entry *entries; /* owned */
    size_t slot_count;
    uint32_t *slots; /* owned; hash table of index + 1 */
};

void counter_table_release(struct counter_table *table);

/* Forgets the entries, keeps the memory. */
void counter_table_clear(struct counter_table *table);

/*
 * The entry of a metric and thread, made if it is missing.
 *
 * ret_entry valid until the next call
 * Returns:  0 or -ENOMEM.
 * Threads:  one table, one thread at a time, as all functions here.
 */
MUST_USE int counter_table_enter(struct counter_table *table, uint32_t metric, uint64_t serial,
                                 bool is_delta, struct counter_entry **ret_entry);
