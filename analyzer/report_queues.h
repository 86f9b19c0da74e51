/*
 * The queues and worker pools of a report. Plain data, part of report.h.
 */
#pragma once

#include "report_load.h"

/* A window of a queue's life. */
struct report_queue_window {
    uint64_t entered;
    uint64_t left;
    double depth;       /* mean over time, exact */
    double gauge_depth; /* mean of the gauge QUEUE.depth; NaN where it says nothing */
};

enum little_verdict {
    LITTLE_NOT_JUDGED, /* nothing to compare with, or too little */
    LITTLE_HOLDS,
    LITTLE_MISSING, /* the program counted more in the queue than the trace has */
    LITTLE_SURPLUS, /* the trace has more in the queue than the program counted */
};

/* "not_judged", "holds", "missing", "surplus". Threads: any. */
const char *little_verdict_name(enum little_verdict verdict);

/* Little's law: mean depth = rate x mean residence, once as an identity, and against what the program counted. */
struct report_little {
    double depth;          /* L by the sweep over entries and exits */
    double rate_per_s;     /* lambda */
    double residence_ns;   /* W */
    double identity_error; /* |L - lambda W| / L: 0, or the numbers contradict each other */
    double
        entry_ratio; /* depths counted by the program on entry / those of the sweep; NaN: no telling */
    double gauge_ratio; /* area under the gauge QUEUE.depth / that of the sweep; NaN: no gauge */
    enum little_verdict verdict;
    double
        deviation; /* by how much what was counted differs: ratio - 1; NaN if it was not judged */
};

/* How operations went through a queue over time. */
struct report_queue_flow {
    enum report_reason reason; /* why there is nothing of it; else REASON_NONE */
    struct report_load load;   /* arrivals are entries, concurrency is the depth */
    struct report_spread leaves_per_s;
    double full_ratio; /* of the time, as many as its capacity were in it; NaN without capacity */
    uint64_t full_entries; /* that filled it */
    uint64_t omitted_processes;
    struct report_little little;
    uint64_t window_ns;
    uint64_t window_first_realtime_ns;
    size_t window_count;
    struct report_queue_window *windows; /* owned */
};

struct report_pool {
    char *name;              /* owned; X of the gauges X.workers.busy and X.workers.total */
    uint64_t samples;        /* of the gauge of busy ones */
    uint64_t workers;        /* the greatest total, over all processes */
    double known_ns;         /* how long it is known how many were busy, over all processes */
    double busy_mean;        /* workers, over that time and all processes; NaN if it is 0 */
    double utilization_mean; /* busy / total; NaN where the total is not known */
    double utilization_p50;
    double utilization_p95;
    double utilization_p99;
    double all_busy_ratio; /* of the time: none was free */
};
