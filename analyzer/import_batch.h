/*
 * Sorted rows of an imported process to batches: texts become indexes of the batch's own lists. A batch takes as many rows
 * as fit; what does not fit goes into the next.
 */
#pragma once

#include "import_parts.h"
#include "import_scan.h"

/* A row as it waits for its batch. Texts are numbers of the dictionaries in import_facts. */
struct import_row {
    uint64_t time_ns; /* begin of an operation, time of a sample */
    uint64_t value;   /* duration, or the bits of a sample's value */
    uint32_t name;
    uint16_t thread;
    uint8_t status;
};

/* From numbers of a dictionary to indexes of a batch. */
struct index_map {
    size_t count;
    uint32_t *index; /* owned; by number: index + 1, or 0 if the batch has none yet */
};

struct import_batch {
    const struct import_facts *facts; /* borrowed, as parts */
    struct import_parts *parts;
    struct batch batch;
    struct index_map operations;
    struct index_map metrics;
    struct index_map threads;
    size_t text_bytes; /* of the batch's names */
    uint64_t last_id;  /* of open operations */
};

/*
 * facts     borrowed as long as the object is used, as parts
 * Returns:  0 or -ENOMEM; to be released in any case.
 * Threads:  one object, one thread at a time, as all functions here.
 */
MUST_USE int import_batch_init(struct import_batch *ret_import, const struct import_facts *facts,
                               struct import_parts *parts);
void import_batch_release(struct import_batch *import);

/* Write rows sorted by time, at most BATCH_MAX_OPERATIONS (BATCH_MAX_SAMPLES). Return 0 or a negative errno. */
MUST_USE int import_batch_operations(struct import_batch *import, const struct import_row *rows,
                                     size_t count);
MUST_USE int import_batch_samples(struct import_batch *import, const struct import_row *rows,
                                  size_t count);

/* Likewise, operations that were all seen last at as_of_ns. */
MUST_USE int import_batch_open(struct import_batch *import, const struct import_row *rows,
                               size_t count, uint64_t as_of_ns);
