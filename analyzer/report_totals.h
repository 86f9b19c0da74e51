/*
 * What the whole report counts: the merged tally of all sessions, and what only a session knows, reduced to a few numbers when
 * it ends: its operations, metrics and threads.
 *
 * Lists are limited; what is kept of them does not depend on the order in which sessions end.
 */
#pragma once

#include "counter_table.h"
#include "report_metrics.h"
#include "report_plan.h"
#include "tally.h"

#include <pthread.h>

enum { THREADS_LISTED = 10000 };

/* The processes of an operation with the most operations. */
struct process_rows {
    size_t count;
    size_t capacity;
    uint64_t omitted;
    struct report_by_process *rows; /* owned */
};

/* The first processes that have a metric. */
struct metric_rows {
    size_t count;
    size_t capacity;
    uint64_t omitted;
    struct report_metric_by_process *rows; /* owned; by process */
};

struct process_facts {
    struct record_counts stored;
    uint64_t threads;
};

struct report_totals {
    const struct report_plan *plan;  /* borrowed */
    pthread_mutex_t lock;            /* guards all that follows while workers run */
    struct tally *tally;             /* owned */
    struct process_rows *operations; /* owned; by number */
    struct metric_rows *metrics;     /* owned; as tally.metrics */
    struct process_facts *processes; /* owned; as plan->processes */
    size_t thread_count;
    size_t thread_capacity;
    struct report_thread *threads; /* owned, names too */
    uint64_t omitted_threads;
};

/* Returns 0 or -ENOMEM; *ret_totals is to be released, also after an error. Threads: one. */
MUST_USE int report_totals_init(struct report_totals *ret_totals, const struct report_plan *plan,
                                size_t slowest_limit);
void report_totals_release(struct report_totals *totals);

/*
 * Reduces a session that has ended.
 *
 * session   all that is counted of it; its threads are taken out
 * counters  its counters, with their totals
 * Returns:  0, -ENOMEM, or -E2BIG if the report's memory is used up.
 * Threads:  any number.
 */
MUST_USE int report_totals_add_session(struct report_totals *totals, size_t process,
                                       struct tally *session, const struct counter_table *counters);

/* Cuts the lists to what is listed and puts them in order. After all sessions. */
void report_totals_finish(struct report_totals *totals);
