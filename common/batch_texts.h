/*
 * The attribute texts of a batch: equal texts become one, named by its index.
 */
#pragma once

#include "batch.h"

/* Owns its table. One thread at a time. */
struct batch_texts {
    uint32_t *buckets; /* owned; index + 1, 0: empty */
    uint32_t bucket_mask;
    uint32_t bucket_capacity;
};

void batch_texts_release(struct batch_texts *texts);

/*
 * Begins a new batch with at most that many texts of that many bytes together, their NULs included.
 *
 * Returns:  0, -ENOMEM, or -E2BIG above BATCH_MAX_ATTRIBUTES.
 */
MUST_USE int batch_texts_begin(struct batch_texts *texts, struct batch *batch, size_t count,
                               size_t bytes);

/* The index of text in batch->attributes.texts, entered if it is new; -ENOMEM if more than was announced. */
MUST_USE int batch_texts_index(struct batch_texts *texts, struct batch *batch, const char *text,
                               size_t length);
