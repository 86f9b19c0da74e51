/*
 * The dictionary of a batch: ids of the recorder's name table become indexes of the names that this batch uses.
 */
#pragma once

#include "batch.h"
#include "recorder_layout.h"

/* Owns its tables. One thread at a time. */
struct batch_names {
    const struct recorder *recorder; /* borrowed */
    uint16_t *index_by_id; /* owned; RECORDER_MAX_NAMES: index + 1, 0: not in this batch */
    uint16_t *ids;         /* owned; by index */
    uint32_t count;
};

/* Returns 0 or -ENOMEM. */
MUST_USE int batch_names_init(struct batch_names *names, const struct recorder *recorder);
void batch_names_release(struct batch_names *names);

/* Begins a new batch. */
void batch_names_clear(struct batch_names *names);

/* The rest of batch_names_index(): a name that this batch did not have yet. */
int batch_names_add(struct batch_names *names, struct batch *batch, uint32_t id,
                    unsigned int kinds);

/*
 * The index of a name in batch->names, entered if it is new. An id that is none, or of no kind in the set kinds
 * (batch_rules.h), becomes "(other)".
 *
 * Returns:  the index, or -ENOMEM.
 */
static inline int batch_names_index(struct batch_names *names, struct batch *batch, uint32_t id,
                                    unsigned int kinds)
{
    uint16_t known = LIKELY(id < RECORDER_MAX_NAMES) ? names->index_by_id[id] : 0;

    return LIKELY(known != 0) ? known - 1 : batch_names_add(names, batch, id, kinds);
}
