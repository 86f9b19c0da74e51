/*
 * Samples that the flusher took, until their batch is made.
 */
#pragma once

#include "batch_build.h"

enum { SAMPLE_BUFFER_MAX = BATCH_MAX_SAMPLES - STAGING_MAX_SAMPLES };

/* Owns its memory; {0} is an empty one. One thread at a time. */
struct sample_buffer {
    uint32_t count;
    uint32_t capacity;
    struct own_sample *samples; /* owned */
    struct record_counts
        lost; /* for want of memory, or beyond SAMPLE_BUFFER_MAX; to be taken by the reader */
};

void sample_buffer_release(struct sample_buffer *buffer);

/* Adds a sample of the metric with that name id; thread is a serial, or 0 for the whole process. */
void sample_buffer_add(struct sample_buffer *buffer, uint64_t time_ns, uint32_t name,
                       uint32_t thread, uint64_t value);
