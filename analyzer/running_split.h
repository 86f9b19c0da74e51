/*
 * What else happened while operations of a batch said that they were running: estimates from what else the batch holds. They
 * are not measured per operation, so they stand beside the time budget and not in it, and none exceeds the running time.
 *
 *  - not on a CPU: the thread that ended the operation was runnable and waited for a CPU. Between the two samples of that
 *    thread which enclose the operation (else the nearest two in the batch) it waited W and ran C: W / (W + C) of the running
 *    time. Needs process.run_queue.wait and CPU times of the thread.
 *  - throttled: the part of that (or of the running time) in which the control group had used up its CPU time, by
 *    process.cgroup.cpu.throttled_time of the process.
 *  - in GC: the share of the operation's life that pauses of a garbage collector in the same batch cover, of the running time.
 */
#pragma once

#include "batch.h"
#include "report_budget.h"

struct split_point {
    uint64_t time_ns;
    uint64_t wait_ns; /* runnable, not running; of a process: throttled */
    uint64_t cpu_ns;
};

/* Time that is covered by garbage collections. */
struct gc_span {
    uint64_t begin_ns;
    uint64_t end_ns;
    uint64_t before_ns; /* covered by the spans before */
};

/* {0} is an empty one; its memory is used again from batch to batch. */
struct running_split {
    size_t thread_capacity;
    uint32_t *slots;  /* owned; of each thread of the batch: the first one that has its tid */
    uint32_t *hashes; /* owned; hash table of thread + 1 by tid */
    uint32_t *starts; /* owned; the points of slot i are points[starts[i] .. starts[i + 1] - 1] */
    size_t point_capacity;
    struct split_point *points; /* owned; by time, ascending; those of the process last */
    uint32_t thread_count;
    size_t span_count;
    size_t span_capacity;
    struct gc_span *spans; /* owned; by time, apart from each other */
};

struct running_estimates {
    uint64_t
        sampled_ns; /* running time of which is known whether it was on a CPU: all or nothing */
    uint64_t ns[RUNNING_ESTIMATE_COUNT];
};

void running_split_release(struct running_split *split);

/* Looks at a batch. Returns 0 or -ENOMEM. Threads: one object, one thread at a time, as below. */
MUST_USE int running_split_make(struct running_split *split, const struct batch *batch);

/* Which of the sources the batch has: bits by enum running_estimate. */
unsigned int running_split_sources(const struct running_split *split);

/* Estimates for an operation of the batch that said it was running for running_ns, at most its duration. */
struct running_estimates running_split_estimate(const struct running_split *split,
                                                const struct batch *batch, uint32_t row,
                                                uint64_t running_ns);
