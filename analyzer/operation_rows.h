/*
 * The operations of a batch, put together by name: a counting sort, so that whatever is counted of a name gets the rows that
 * have it as plain arrays.
 *
 * What is sorted are row numbers, in 16 bits: few enough for the caches near the processor, and for the pages that it can
 * address at once. Columns are gathered name by name, when they are wanted.
 */
#pragma once

#include "batch.h"
#include "bytes.h"

#include <stdbool.h>

/* All operations of one name in a batch, sorted by begin. Borrowed from struct operation_rows. */
struct operation_run {
    size_t count;
    const uint16_t *rows; /* of the batch, ascending */
    const uint64_t *durations_ns;
    const uint16_t *codes; /* log_codes_of() the durations */
    const uint8_t *statuses;
    const uint64_t *begins_ns; /* monotonic; NULL until operation_rows_gather_begins() */
};

/* {0} is empty; its memory is used again from batch to batch. */
struct operation_rows {
    const struct batch *batch; /* borrowed: the one at hand */
    bool are_all_ok;           /* all statuses */
    size_t name_capacity;
    uint32_t *starts; /* owned; rows[starts[name]] to rows[starts[name + 1] - 1] have it */
    uint32_t *next;   /* owned; where the next row of a name goes */
    size_t row_capacity;
    uint16_t *rows;      /* owned */
    uint64_t *begins_ns; /* owned, as all that follow: of one name */
    uint64_t *durations_ns;
    uint16_t *codes;
    uint8_t *statuses;
};

/* How many statuses are not OK. Threads: any. Cost: a look at each eight of them. */
static inline size_t count_not_ok(const uint8_t *statuses, size_t count)
{
    size_t found = 0;
    size_t i = 0;

    for (; i + sizeof(uint64_t) <= count; i += sizeof(uint64_t)) {
        uint64_t word = read_le64(statuses + i);

        /* Statuses have two bits. */
        word = (word | word >> 1) & UINT64_C(0x0101010101010101);
        found += (size_t)(word * UINT64_C(0x0101010101010101) >> 56);
    }
    for (; i < count; i++) {
        found += statuses[i] != STATUS_OK;
    }
    return found;
}

void operation_rows_release(struct operation_rows *rows);

/*
 * Sorts the rows of a batch.
 *
 * Returns:  0 or -ENOMEM.
 * Threads:  one object, one thread at a time, as all functions here.
 * Cost:     0.6 ns per row if the batch's head says rightly how many each name has, else 1.6 ns.
 */
MUST_USE int operation_rows_sort(struct operation_rows *rows, const struct batch *batch);

/* How many operations of the batch have a name. */
static inline size_t operation_rows_count(const struct operation_rows *rows, uint32_t name)
{
    return rows->starts[name + 1] - rows->starts[name];
}

/*
 * Gathers the operations of a name, without their begins. Valid until the next call.
 *
 * Cost:     1.3 ns per row.
 */
struct operation_run operation_rows_gather(struct operation_rows *rows, uint32_t name);

/* Gathers the begins too, for those who need them. */
void operation_rows_gather_begins(struct operation_rows *rows, struct operation_run *run);
