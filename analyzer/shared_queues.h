/*
 * Queues and worker pools of all processes, which all workers add to: sweeps of entries and exits, and the gauges that by
 * convention belong to them: QUEUE.depth, POOL.workers.busy and POOL.workers.total.
 *
 * A queue's depth is a process's own, so there is a sweep for each queue and process, as far as memory goes.
 */
#pragma once

#include "gauge_steps.h"
#include "load_measure.h"
#include "queue_sweep.h"
#include "report_plan.h"

#include <pthread.h>

/* What the names of gauges of busy workers end in. */
#define POOL_BUSY_ENDING ".workers.busy"

enum { QUEUE_LOCK_COUNT = 64, POOL_LIMIT = 64 };

enum gauge_role { GAUGE_OF_NOTHING, GAUGE_DEPTH, GAUGE_BUSY, GAUGE_TOTAL };

/* What a metric stands for. */
struct metric_role {
    enum gauge_role role;
    uint32_t index; /* of the queue or pool */
};

/* A queue or pool in one process. */
struct queue_track {
    struct queue_sweep sweep;
    uint64_t capacity;
    uint64_t full_entries;
};

struct pool_track {
    struct gauge_steps *busy; /* owned; NULL: no sample */
    uint64_t total;           /* the greatest; 0 if not known */
};

struct shared_queues {
    const struct report_plan *plan; /* borrowed */
    struct load_grid grid;
    size_t queue_count;   /* that are swept: the first by rank */
    size_t process_count; /* likewise: the first of the plan */
    size_t pool_count;
    const char *pool_gauges[POOL_LIMIT]; /* borrowed; names of the gauges of busy ones */
    struct metric_role *roles;           /* owned; by number of the metric; NULL: none has one */
    struct queue_track
        *queues; /* owned; [queue * process_count + process]; guarded by a lock, as pools */
    struct pool_track *pools; /* owned; [pool * process_count + process] */
    pthread_mutex_t locks[QUEUE_LOCK_COUNT];
};

/* Returns 0 or -ENOMEM; *ret_queues is to be released, also after an error. Threads: one. */
MUST_USE int shared_queues_init(struct shared_queues *ret_queues, const struct report_plan *plan);
void shared_queues_release(struct shared_queues *queues);

/* Operations of one batch that went through one queue: rows are indexes into batch->queued. */
struct queue_run {
    const struct batch *batch;
    const uint32_t *rows;
    size_t count;
    uint64_t capacity;
};

/*
 * Adds operations that went through the queue of that number, and all samples of a batch.
 *
 * numbers  of the batch's names
 * Returns: 0 or -ENOMEM.
 * Threads: any number.
 */
MUST_USE int shared_queues_add(struct shared_queues *queues, const struct plan_frame *frame,
                               size_t number, const struct queue_run *run);
MUST_USE int shared_queues_add_samples(struct shared_queues *queues, const struct plan_frame *frame,
                                       const struct batch *batch, const uint32_t *numbers);

/* Joins what holds between frames. Once, when nothing is added any more. Threads: one. */
void shared_queues_finish(struct shared_queues *queues);
