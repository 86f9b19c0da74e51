/*
 * The threads of a batch: serials become indexes of the batch's thread list, with the tid and name of each.
 */
#pragma once

#include "batch.h"
#include "recorder.h"

enum {
    THREAD_LABEL_BYTES = 16, /* the kernel's TASK_COMM_LEN */
    THREAD_LABELS_KEPT = 1024,
};

/* What is known of a thread beyond the batch. */
struct thread_label {
    uint32_t serial; /* 0: nothing */
    uint32_t tid;
    uint64_t read_ns; /* first */
    uint64_t due_ns;  /* when its name is to be read again: threads rename themselves */
    char text[THREAD_LABEL_BYTES];
};

/* Owns its tables. One thread at a time. */
struct batch_threads {
    const struct recorder *recorder; /* borrowed */
    uint64_t now_ns;                 /* of this batch */
    uint64_t *buckets;               /* owned; serial << 32 | index + 1; 0: empty */
    uint32_t bucket_mask;
    char (*texts)[THREAD_LABEL_BYTES]; /* owned; by index */
    uint32_t text_capacity;
    struct thread_label *labels; /* owned; THREAD_LABELS_KEPT, by serial */
};

/* Returns 0 or -ENOMEM. */
MUST_USE int batch_threads_init(struct batch_threads *threads, const struct recorder *recorder);
void batch_threads_release(struct batch_threads *threads);

/* Begins a new batch. */
void batch_threads_clear(struct batch_threads *threads, uint64_t now_ns);

/* The rest of batch_threads_index(): a thread that this batch did not have yet, or not where it is looked for first. */
MUST_USE int batch_threads_find(struct batch_threads *threads, struct batch *batch,
                                uint32_t serial);

/*
 * The index of a thread in batch->threads, entered if it is new.
 *
 * Returns:  the index; -ENOMEM; -E2BIG above BATCH_MAX_THREADS.
 */
MUST_USE static inline int batch_threads_index(struct batch_threads *threads, struct batch *batch,
                                               uint32_t serial)
{
    uint64_t bucket = threads->buckets[serial & threads->bucket_mask];

    return LIKELY(bucket >> 32 == serial && bucket != 0)
               ? (int)(uint32_t)bucket - 1
               : batch_threads_find(threads, batch, serial);
}

/* Puts the names into batch->threads. To be called when no more threads are added. */
void batch_threads_finish(struct batch_threads *threads, struct batch *batch);
