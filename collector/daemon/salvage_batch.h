/*
 * Entries of a recorder, copied, to the rows of a batch that is marked as salvaged. What the client's batch_build.c does for
 * entries it wrote itself is done here for entries that may be anything: rows that the format does not hold are left out
 * and counted.
 */
#pragma once

#include "batch.h"
#include "batch_names.h"
#include "batch_texts.h"
#include "left_operations.h"
#include "recorder_reader.h"
#include "row_order.h"

enum {
    /* Entries of a batch: no more rows, continuations and attributes can come of them than it holds. */
    SALVAGE_BATCH_ENTRIES = 65536,
};

/* Owns the batch and what it needs to make it; reused from batch to batch. One thread at a time. */
struct salvage_batch {
    struct batch batch;
    uint64_t refused_operations; /* of the last build: with times that the format does not hold */

    const struct recorder_reader *reader; /* borrowed */
    struct batch_names names;
    struct batch_texts texts;
    struct row_order order;
    uint32_t *places;         /* owned; SALVAGE_BATCH_ENTRIES: where the rows of a kind stand */
    uint32_t *thread_buckets; /* owned; index + 1, 0: empty */
};

/* Returns 0 or -ENOMEM. */
MUST_USE int salvage_batch_init(struct salvage_batch *salvage,
                                const struct recorder_reader *reader);
void salvage_batch_release(struct salvage_batch *salvage);

/* How many entries from this one on belong to its record, itself included; 0 if no record begins with it. */
uint32_t salvage_record_entries(const struct record *entry);

/* Counts the records in whole records. */
struct record_counts salvage_count(const struct record *entries, uint32_t count);

/*
 * Makes salvage->batch of entries, which are whole records, and of operations left open at as_of_ns. What it says besides
 * its rows is left to the caller.
 *
 * count      at most SALVAGE_BATCH_ENTRIES
 * open_count at most BATCH_MAX_OPEN
 * Returns:   0, or a negative errno: the batch is of no use then.
 */
MUST_USE int salvage_batch_build(struct salvage_batch *salvage, const struct record *entries,
                                 uint32_t count, const struct left_operation *open,
                                 uint32_t open_count, uint64_t as_of_ns);
