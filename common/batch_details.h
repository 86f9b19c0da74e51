/*
 * What few operations have: ids of parents, times per state, queues, attributes. From a record and its continuations to
 * the sparse columns of a batch.
 */
#pragma once

#include "batch_names.h"
#include "batch_texts.h"
#include "recorder_layout.h"

/* Where details go. All borrowed. */
struct detail_sink {
    struct batch *batch;
    struct batch_names *names;
    struct batch_texts *texts;
    double ns_per_tick;
};

/*
 * Adds the details of record, whose continuations follow it, as those of a row, whose duration is in the batch already. Rows
 * come in ascending order.
 *
 * Returns:  0, -ENOMEM, or -E2BIG if there are more attributes than a batch holds.
 * Threads:  the flusher's only.
 */
MUST_USE int batch_details_add(const struct detail_sink *sink, uint32_t row,
                               const struct record *record);
