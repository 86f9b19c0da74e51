/*
 * The rules that the rows of a batch keep, for those who encode and those who decode, and what a head says about its rows.
 */
#pragma once

#include "batch.h"

/* Durations, residences and times per state are below this: they fit into a signed number with a bit to spare. */
enum { DURATION_LIMIT_BITS = 62 };
#define DURATION_LIMIT_NS (UINT64_C(1) << DURATION_LIMIT_BITS)

/* Sets of enum name_kind: what the name columns may name. */
enum {
    OPERATION_KINDS = 1 << NAME_OPERATION,
    METRIC_KINDS = 1 << NAME_GAUGE | 1 << NAME_COUNTER_DELTA | 1 << NAME_COUNTER_TOTAL,
    MARK_KINDS = 1 << NAME_MARK,
    QUEUE_KINDS = 1 << NAME_QUEUE,
    ATTRIBUTE_KINDS = 1 << NAME_ATTRIBUTE,
};

/* Over operations, samples and marks; all 0 if there are none. */
struct time_range {
    uint64_t min_begin_ns;
    uint64_t min_end_ns;
    uint64_t max_end_ns;
};

/*
 * Finds the range of time of the rows, which must be sorted.
 *
 * Returns:  false if the end of an operation does not fit into 64 bits.
 * Threads:  one batch, one thread at a time, as all functions here.
 */
bool batch_find_time_range(const struct batch *batch, struct time_range *ret_range);

/* Whether all names of a column, each an index below batch->name_count, are of one of the kinds. */
bool batch_names_are_of_kinds(const struct batch *batch, const uint16_t *names, size_t count,
                              unsigned int kinds);

/* Whether all are below DURATION_LIMIT_NS. */
bool durations_are_valid(const uint64_t *durations_ns, size_t count);

/* Whether all ends fit into 64 bits. */
bool long_runs_fit_into_time(const struct batch_long_runs *runs);

/*
 * Sets min_begin_ns, min_end_ns, max_end_ns and names[].rows. The order of rows is not tested here: batch_encode() sees it.
 *
 * Returns:  0, or -EINVAL if an index, kind, text, count or time of batch breaks a rule of batch.h.
 */
MUST_USE int batch_summarize(struct batch *batch);
