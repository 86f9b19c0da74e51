/*
 * Rings to staging: what threads published is copied into the recorder's staging area, where it waits for its batch. In
 * between a record is in both, and a reader of a dead process's recorder counts it once (recorder.h).
 */
#pragma once

#include "base.h"
#include "recorder.h"

#include <stdbool.h>

enum {
    /* Of a batch, so that the samples of the flusher itself fit into it as well. */
    STAGING_MAX_SAMPLES = 49152,
    /* Continuations of a batch: no more attributes come of them than a batch holds. */
    STAGING_MAX_DETAILS = 65536,
};

/* What staging holds. */
struct staged {
    uint32_t entries; /* all, chunk headers too */
    uint32_t operations;
    uint32_t samples;
    uint32_t marks;
    uint32_t long_runs;
    uint32_t details; /* continuations */
};

struct stager {
    struct staging *shared; /* borrowed from the recorder */
    struct record *entries; /* likewise */
    uint64_t capacity;      /* entries */
    struct staged held;
};

/* Begins with an empty staging area. Threads: the flusher's only, as all functions here. */
void stager_init(struct stager *stager, struct recorder *recorder);

/*
 * Moves what ring published into staging.
 *
 * Returns:  true if all of it; false if a batch must be made first.
 */
MUST_USE bool stager_drain(struct stager *stager, struct ring *ring);

/* Whether another batch's worth would hardly fit any more. */
bool stager_is_nearly_full(const struct stager *stager);

/* Forgets everything: it is in a frame now, or counted as lost. next_batch is the number of the batch that comes. */
void stager_clear(struct stager *stager, uint64_t next_batch);
